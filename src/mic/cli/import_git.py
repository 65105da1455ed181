"""`mic import git`: the history of a Git repository, each first-parent commit a landing."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import zstandard

from mic.cli.app import Suggesting, json_option
from mic.cli.connection import Address, connect, parse_address
from mic.cli.credentials import default_instance
from mic.cli.exit_codes import WrongCommandLine
from mic.cli.organizations import all_organizations
from mic.cli.output import Output, plural
from mic.cli.progress import Progress
from mic.core.errors import InvalidInput, NotFound, PermissionDenied
from mic.core.session import Op
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

if TYPE_CHECKING:
    from mic.git.history import Commit, History

_MESSAGE = 1 << 20  # bytes of one message, about
_PART = 1 << 20
_WHOLE = 4 << 20  # larger contents travel in parts
_MAX_COMMITS = 1000  # in one message, so that the progress moves
# Contents that were sent and need not be again; one entry is about 300 bytes.
_REMEMBERED = 300_000
_OPS = (pb.Change.ADDED, pb.Change.MODIFIED, pb.Change.DELETED)
_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!//)")
# What git needs to reach a host. Everything else stays out: GIT_* could run commands or name other repositories.
_PASSED = (
    "PATH", "HOME", "USER", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip


@click.group(cls=Suggesting)
def imports() -> None:
    """Bring a Git repository in.

    When it makes the project, --visibility says who may see it.
    """


@imports.command("git", short_help="Bring the default branch of a Git repository in.")
@click.argument("source", metavar="PATH|URL")
@click.argument("project", metavar="[ORG/PROJECT]", required=False)
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Of the project, when the import makes it.",
)  # fmt: skip
@json_option
def git(out: Output, source: str, project: str | None, visibility: str) -> None:
    """Bring the default branch of a Git repository in, into an empty project, which is made when there is none.

    Each first-parent commit becomes a landing with its author, date and message. Nothing is visible before all of it
    is there; an interrupted import is simply run again.
    """
    address = _checked(parse_address(project) if project else None, source)
    with _local(source, out) as path:
        from mic.git.history import open_history

        history = open_history(path)
        # A connection of its own: to fetch may take longer than the token of the first one is good for.
        with connect(address.instance, signed_in=True) as client:
            _prepare(client, address, visibility, out)
            started = time.monotonic()
            last = _send(client, address, history, _label(source), out)
            seconds = max(time.monotonic() - started, 0.001)
    rate = f" in {seconds:.1f} s ({plural(int(last.landed / seconds), 'commit')}/s)" if seconds >= 1 else ""
    out.line(
        f"Imported {plural(last.landed, 'commit')} of {history.branch} into {address}{rate}: it is at @{last.position}."
    )
    out.line(f"Next: mic clone {address}")
    out.document(
        {
            "project": str(address),
            "instance": address.instance,
            "branch": history.branch,
            "commits": last.landed,
            "position": last.position,
            "tree": last.tree.hex(),
            "tip": history.tip.hex(),
        }
    )


def _checked(address: Address | None, source: str) -> Address:
    """Where to import to. All that the forge can refuse is asked here, before a repository is fetched in vain."""
    with connect(address.instance if address else default_instance(), signed_in=True) as client:
        # That the token is good; a public project is shown without one.
        client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest())
        address = address or _default_address(client, source)
        found = _empty_project(client, address)
        if found is None:
            _require_maker(client, address)
        elif not found.role:
            raise PermissionDenied(
                f"Only members of {address.organization} may import into {address}.",
                hint=f"Ask an admin of {address.organization} to invite you.",
            )
    return address


def _require_maker(client: Client, address: Address) -> None:
    """Raises NotFound, PermissionDenied unless a project can be made there."""
    request = pb.GetOrganizationRequest(handle=address.organization)
    if client.call(client.organizations.GetOrganization, request).organization.role != "admin":
        raise PermissionDenied(
            f"There is no project {address}, and only admins of {address.organization} may make it.",
            hint=f"Ask one, or import into an organization of your own: `mic import git PATH ORG/{address.project}`.",
        )


def _is_url(source: str) -> bool:
    return "://" in source or (bool(_SCP.match(source)) and not os.path.exists(source))


def _label(source: str) -> str:
    """What the forge keeps as the source: never the password of a URL, never a path of this machine."""
    if "://" in source:
        parts = urllib.parse.urlsplit(source)
        host = parts.netloc.rpartition("@")[2]
        return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
    return source if _is_url(source) else os.path.basename(os.path.abspath(source))


@contextmanager
def _local(source: str, out: Output) -> Iterator[str]:
    """A path of the repository: what was named, or a bare clone of it that goes away afterwards."""
    if not _is_url(source):
        yield source
        return
    folder = tempfile.mkdtemp(prefix="mic-import-")
    try:
        target = os.path.join(folder, "repository.git")
        out.note(f"Fetching {_label(source)} ...")
        _clone(source, target)
        yield target
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clone(source: str, target: str) -> None:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file", "LC_ALL": "C"}
    environment |= {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}
    command = ["git", "clone", "--quiet", "--bare", "--single-branch", "--", source, target]
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotFound("There is no `git` on this machine.", hint="Install it, or import from a local path.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = next((line.removeprefix("fatal: ") for line in said if line.startswith("fatal: ")), "")
        why = why or (said[-1] if said else f"exit code {done.returncode}")
        if "://" in source:
            why = why.replace(source, _label(source))
        why = why.rstrip(".")
        raise InvalidInput(f"git could not fetch {_label(source)}: {why}.", hint="Does `git clone` of it work here?")


def _default_address(client: Client, source: str) -> Address:
    name = _label(source).rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git").lower()
    handle = re.sub(r"[^a-z0-9._-]+", "-", name).strip("-._")
    ours = [item.handle for item in all_organizations(client) if item.role == "admin"]
    if len(ours) != 1 or not handle:
        where = f" Yours are: {', '.join(ours)}." if ours else " `mic org create HANDLE` makes an organization."
        raise WrongCommandLine(
            "It is not clear which project to import into.",
            hint=f"Name it: `mic import git {source} ORG/PROJECT`.{where}",
        )
    return Address(default_instance(), ours[0], handle)


def _empty_project(client: Client, address: Address) -> pb.Project | None:
    """The project, None when there is none; raises InvalidInput when it is not empty."""
    try:
        found: pb.Project = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
    except NotFound:
        return None
    if found.head_position:
        raise InvalidInput(
            f"{address} already has {plural(found.head_position, 'landing')}.", hint="Import into a new project."
        )
    return found


def _prepare(client: Client, address: Address, visibility: str, out: Output) -> None:
    """Make the project when it is absent; raises InvalidInput when it is not empty."""
    if _empty_project(client, address) is None:
        request = pb.CreateProjectRequest(
            organization=address.organization, handle=address.project, visibility=visibility
        )
        made = client.call(client.projects.CreateProject, request).project
        out.line(f"Made the {made.visibility} project {address}.")


def _send(client: Client, address: Address, history: History, source: str, out: Output) -> pb.ImportHistoryResponse:
    """Stream the history; the forge's last answer."""
    sender = _Sender(address, history, source)
    last = pb.ImportHistoryResponse()
    try:
        with Progress(out, "Importing commits", history.count) as bar:
            for answer in client.stream(client.projects.ImportHistory, sender.messages()):
                last = answer
                bar.at(answer.landed)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"The project {address} is there, and empty; run the same command again to go on."
        ) from None
    if not last.done:
        raise InvalidInput("The forge did not finish the import; nothing is visible.", hint="Run it again.")
    return last


class _Sender:
    """The messages of one import, about 1 MiB each."""

    def __init__(self, address: Address, history: History, source: str) -> None:
        self._address, self._history, self._source = address, history, source
        self._seen: dict[bytes, tuple[bytes, int]] = {}
        self._compress = zstandard.ZstdCompressor(level=1, write_checksum=False).compress
        self._message = pb.ImportHistoryRequest()
        self._bytes = 0

    def messages(self) -> Iterator[pb.ImportHistoryRequest]:
        """All of them. A repository that cannot be read ends them without `finish`: then nothing is imported."""
        history = self._history
        self._message.start.CopyFrom(
            pb.ImportStart(
                project=self._address.ref,
                source=self._source,
                commits=history.count,
                tip=history.tip,
                branch=history.branch,
            )
        )
        yield self._take()
        for commit in history:
            changes = []
            for change in commit.changes:
                if change.op == Op.DELETED or change.oid is None:
                    changes.append(pb.Change(path=change.path, op=pb.Change.DELETED))
                    continue
                known = self._seen.get(change.oid)
                if known is None:
                    data = history.content(change)
                    known = hashlib.sha256(data).digest(), len(data)
                    yield from self._content(known[0], data)
                    self._remember(change.oid, known)
                op = _OPS[change.op]
                changes.append(pb.Change(path=change.path, op=op, mode=change.mode, hash=known[0], size=known[1]))
            self._message.commits.append(_commit(commit, changes))
            self._bytes += len(commit.raw) + 160 * len(changes) + 200
            if self._bytes >= _MESSAGE or len(self._message.commits) >= _MAX_COMMITS:
                yield self._take()
        self._message.finish = True
        yield self._take()

    def _content(self, content: bytes, data: bytes) -> Iterator[pb.ImportHistoryRequest]:
        if len(data) <= _WHOLE:
            self._frame(content, len(data), 0, data)
            if self._bytes >= _MESSAGE:
                yield self._take()
            return
        for start in range(0, len(data), _PART):
            self._frame(content, len(data), start, data[start : start + _PART])
            if self._bytes >= _MESSAGE:
                yield self._take()

    def _frame(self, content: bytes, size: int, offset: int, part: bytes) -> None:
        packed = self._compress(part)
        self._message.frames.add(
            hash=content, size=size, offset=offset, length=len(part), data=packed, encoding=pb.BlobFrame.ZSTD
        )
        self._bytes += len(packed) + 64

    def _take(self) -> pb.ImportHistoryRequest:
        taken, self._message, self._bytes = self._message, pb.ImportHistoryRequest(), 0
        return taken

    def _remember(self, oid: bytes, known: tuple[bytes, int]) -> None:
        if len(self._seen) >= _REMEMBERED:
            # The oldest went longest without use, more or less; sent again, the forge knows it.
            for old in list(self._seen)[: _REMEMBERED // 10]:
                del self._seen[old]
        self._seen[oid] = known


def _commit(commit: Commit, changes: list[Any]) -> pb.ImportCommit:
    return pb.ImportCommit(
        oid=commit.oid,
        raw=commit.raw,
        author_name=commit.author_name,
        author_email=commit.author_email,
        authored_at_ms=commit.authored_at_ms,
        message=commit.message,
        changes=changes,
    )
