"""Fetching a repository from its host, by Git's protocol 2 over the guarded client."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import urljoin, urlsplit, urlunsplit

from mic.core.errors import AlreadyExists, InvalidInput, NotFound, Unavailable
from mic.git import sent
from mic.git.upload_client import MAX_LINES, ask_pack, ask_refs, read_pack, read_refs, require_version_2
from mic.ledger.project import Project
from micelio.imports.models import GitImport
from micelio.imports.progress import Progress
from micelio.outgoing.client import Answer, Outgoing, outgoing
from micelio.outgoing.opened import Opened

MAX_URL = 1000
# More than any public repository packs to.
MAX_PACK = 64 << 30
_SECONDS = 12 * 3600.0
# A host that counts what it sends says nothing meanwhile, for it was asked for no progress.
_SILENT = 900.0
_HOPS = 3
_ADVERTISED = "/info/refs?service=git-upload-pack"
_VERSION = {"Git-Protocol": "version=2", "User-Agent": "git/2 (micelio)"}


def parse_url(url: str) -> str:
    """The address of a repository as it is kept and asked. Raises InvalidInput for what is none or holds a password."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:  # brackets that are no address of IPv6
        host = None
    plain = url.strip().isprintable() and " " not in url.strip()
    if not host or parts.scheme not in ("https", "http") or len(url) > MAX_URL or not plain:
        raise InvalidInput("The forge fetches from https addresses.", hint="`mic import git` brings any other source.")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput(
            "The address holds a name, a password or a question, which the forge would keep.",
            hint="`mic import git` fetches with your own git.",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def fetch(row: GitImport, ledger: Project, haves: Sequence[bytes], progress: Progress) -> None:
    """Keep refs and pack of the row's source as if they had been sent. Raises what the host's answers are worth."""
    client = outgoing(_SECONDS)
    try:
        base, capabilities = _advertised(client, row.source)
        with _asked(client, base, ask_refs(capabilities), MAX_LINES) as answer:
            refs = sent.checked(read_refs(cast(BinaryIO, answer)))
        key = ledger.line.project, row.id.hex
        ledger.run(sent.keep_refs(*key, refs))
        here = set(haves)
        wants = sorted({*refs.refs.values(), *([refs.detached] if refs.detached else [])} - here)
        ledger.run(sent.remove_parts(*key, refs=False))
        if wants:
            with _asked(client, base, ask_pack(wants, haves), MAX_PACK) as answer:
                _keep(row, ledger, cast(BinaryIO, answer), progress)
    finally:
        client.close()


def _keep(row: GitImport, ledger: Project, body: BinaryIO, progress: Progress) -> None:
    waiting, number, row.received = bytearray(), 0, 0
    key = ledger.line.project, row.id.hex

    def keep(data: bytes) -> None:
        try:
            ledger.run(sent.keep_part(*key, number, data))
        except AlreadyExists as error:
            raise Unavailable("Another forge works on this import.", hint="Wait for it.") from error
        row.received += len(data)
        row.size = row.received

    for piece in read_pack(body):
        waiting += piece
        progress.tick()
        if len(waiting) >= sent.PART:
            keep(bytes(waiting))
            waiting.clear()
            number += 1
    if waiting:
        keep(bytes(waiting))


def _advertised(client: Outgoing, source: str) -> tuple[str, frozenset[bytes]]:
    """The address that answers for the source, and what it can. Each hop is looked at as the first one is."""
    url = source + _ADVERTISED
    for _ in range(_HOPS + 1):
        answer = client.get(url, _VERSION, limit=MAX_LINES)
        if answer.status not in (301, 302, 307, 308):
            break
        before, url = url, urljoin(url, answer.headers.get("location", ""))
        if before.startswith("https:") and not url.startswith("https:"):
            raise InvalidInput("The address leads from https to something else.", hint="Name where it leads to.")
        if not url.endswith(_ADVERTISED):
            raise InvalidInput("The address leads to something that is no Git repository.", hint="Is it private?")
        parse_url(url.removesuffix(_ADVERTISED))
    _require(answer, "application/x-git-upload-pack-advertisement")
    return url.removesuffix(_ADVERTISED), require_version_2(io.BytesIO(answer.body))


@contextmanager
def _asked(client: Outgoing, base: str, body: bytes, limit: int) -> Iterator[Opened]:
    headers = {**_VERSION, "Content-Type": "application/x-git-upload-pack-request"}
    url = f"{base}/git-upload-pack"
    with client.opened(url, headers, method="POST", body=body, limit=limit, idle=_SILENT) as answer:
        _require(answer, "application/x-git-upload-pack-result")
        yield answer


def _require(answer: Answer | Opened, kind: str) -> None:
    if answer.status in (401, 403, 404):
        raise NotFound(
            "There is no Git repository at that address, or the forge may not read it.",
            hint="`mic import git` fetches with your own git, and what that may read.",
        )
    if answer.status >= 500 or answer.status == 429:
        raise Unavailable(f"The host answers with {answer.status}.", hint="Try again later.")
    if answer.status != 200 or answer.headers.get("content-type", "").partition(";")[0] != kind:
        raise InvalidInput("What answers there is no Git repository.", hint="Does `git ls-remote` of it work?")
