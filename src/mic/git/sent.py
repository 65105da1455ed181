"""What was sent for an import before it counts: refs and the bytes of one pack, in numbered parts.

    git/imports/{run}/refs           msgpack of SentRefs, kept after the run for the next one to compare with
    git/imports/{run}/{number:08x}   parts of a pack, one behind the other; removed when the run has ended

Parts are created one after the other, so whoever is interrupted goes on behind the last.
"""

from __future__ import annotations

import re
from typing import BinaryIO

import msgspec

from mic.core.errors import Corrupt, InvalidInput
from mic.git.view import MAX_REFS
from mic.ledger.effects import Delete, Get, List, Protocol, Put, PutNew

PART = 8 << 20
_NUMBER = re.compile(r"[0-9a-f]{8}")
# git check-ref-format: what no ref may be called.
BAD_NAME = re.compile(rb"\.\.|@\{|//|/\.|\.lock(?:/|$)|[\x00-\x20\x7f~^:?*\[\\]|\.$|/$|\.lock$")
MAX_NAME = 1000


class SentRefs(msgspec.Struct, frozen=True):
    """The refs of a repository. `head` is the ref that HEAD names; where it names none, `detached` is its commit."""

    refs: dict[bytes, bytes]
    head: bytes = b""
    detached: bytes = b""


_decoder = msgspec.msgpack.Decoder(SentRefs)


def checked(sent: SentRefs) -> SentRefs:
    """The same refs. Raises InvalidInput for a name that is none, an id that has not 20 bytes, or too many."""
    if len(sent.refs) > MAX_REFS:
        raise InvalidInput(f"The repository has {len(sent.refs):,} refs; a project has at most {MAX_REFS:,}.")
    for name, oid in sent.refs.items():
        if not name.startswith(b"refs/") or name.count(b"/") < 2 or BAD_NAME.search(name) or len(name) > MAX_NAME:
            raise InvalidInput(f"{name[:80].decode('utf-8', 'replace')!r} is no name for a ref.")
        if len(oid) != 20:
            raise InvalidInput("An object id has 20 bytes.", hint="Repositories with SHA-256 names cannot be imported.")
    if len(sent.detached) not in (0, 20):
        raise InvalidInput("An object id has 20 bytes.", hint="Repositories with SHA-256 names cannot be imported.")
    return sent


def _prefix(project: str, run: str) -> str:
    return f"projects/{project}/git/imports/{run}/"


def keep_refs(project: str, run: str, sent: SentRefs) -> Protocol[None]:
    """Keep what a run brings."""
    yield Put(f"{_prefix(project, run)}refs", msgspec.msgpack.encode(sent))


def read_refs(project: str, run: str) -> Protocol[SentRefs]:
    """What a run brings. NotFound, Corrupt."""
    key = f"{_prefix(project, run)}refs"
    raw = (yield Get(key)).data
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Corrupt(f"{key} is damaged: it cannot be read ({error})", object=key) from error


def parts(project: str, run: str) -> Protocol[list[tuple[str, int]]]:
    """Keys and sizes of the parts that are there, in their order, up to the first that is missing."""
    prefix = _prefix(project, run)
    listed = yield List(prefix)
    sizes = {int(name, 16): item for item in listed if _NUMBER.fullmatch(name := item.key.removeprefix(prefix))}
    found: list[tuple[str, int]] = []
    while len(found) in sizes:
        item = sizes[len(found)]
        found.append((item.key, item.size))
    return found


def keep_part(project: str, run: str, number: int, data: bytes) -> Protocol[None]:
    """Keep the next part. AlreadyExists when somebody else has sent it."""
    yield PutNew(f"{_prefix(project, run)}{number:08x}", data)


def join(project: str, run: str, out: BinaryIO) -> Protocol[int]:
    """Write the parts one behind the other; how many bytes there are."""
    size = 0
    for key, _ in (yield from parts(project, run)):
        data = (yield Get(key)).data
        out.write(data)
        size += len(data)
    return size


def remove_parts(project: str, run: str, *, refs: bool) -> Protocol[None]:
    """Remove the parts, and with `refs` everything of the run."""
    prefix = _prefix(project, run)
    for item in (yield List(prefix)):
        if refs or _NUMBER.fullmatch(item.key.removeprefix(prefix)):
            yield Delete(item.key)
