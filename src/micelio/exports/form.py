"""What stands in an archive of a project besides the objects of its store: docs/formats.md, "Archive of a project".

micelio-archive.json    first: `Description`
lines/{number:04d}/...  the objects of each line, main first, by their names behind `projects/{project}/`
git/refs.msgpack        `GitRefs`, and git/repository.pack with all that the refs lead to
manifest.json           last: `Manifest`, the hash of every member before it
"""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar

import msgspec
from django.core.signing import Signer

from mic.core.errors import Corrupt, InvalidInput
from mic.core.head import HEAD_BYTES, Head, decode_head
from micelio.config import current

FORMAT = "micelio-archive"
VERSION = 1
DESCRIPTION, MANIFEST = "micelio-archive.json", "manifest.json"
GIT_REFS, GIT_PACK = "git/refs.msgpack", "git/repository.pack"
# Names of more do not fit into a header of a tar file.
MAX_LINES = 10_000
MAX_DESCRIPTION = 16 << 20
MAX_MANIFEST = 256 << 20
_LINE = re.compile(r"lines/([0-9]{4})/(.+)")


class DescribedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line: main's `branch` is "". `head` and `begins` are heads in hexadecimal; `origin` is the number of the line
    that it reads through up to `begins`, absent for one that has everything itself."""

    branch: str
    head: str
    position: int
    origin: int | None = None
    begins: str = ""
    begun_by: str = ""
    begun_at: str = ""
    begun_from: int = 0


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the archive is of. `left_out` says in words what its maker was not shown."""

    format: str
    version: int
    source: str
    made_at: str
    name: str
    description: str
    visibility: str
    lines: tuple[DescribedLine, ...]
    protection: str = ""
    git: bool = False
    issues: bool = False
    left_out: tuple[str, ...] = ()


class GitRefs(msgspec.Struct, frozen=True):
    """Refs besides main, the commit of the newest landing, and ids that are no more since something was erased."""

    position: int
    tip: bytes
    refs: dict[bytes, bytes]
    rewritten: dict[bytes, bytes]


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A member: its SHA-256 in hexadecimal, its size, its name."""

    sha256: str
    size: int
    name: str


class Manifest(msgspec.Struct, frozen=True):
    """All members before it. By its `seal` the forge that made it knows that nothing was changed."""

    members: tuple[Listed, ...]
    seal: str


T = TypeVar("T", Description, GitRefs, Manifest)


def seal_of(members: tuple[Listed, ...]) -> str:
    """By which this forge knows an archive again that it made itself."""
    return _signer().signature(_digest(members))


def is_ours(manifest: Manifest) -> bool:
    """Whether this forge has made the archive, and nobody has changed it since."""
    from django.utils.crypto import constant_time_compare

    return constant_time_compare(manifest.seal, seal_of(manifest.members))


def _signer() -> Signer:
    return Signer(key=current().secret_key(), salt="micelio.exports.archive")


def _digest(members: tuple[Listed, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(members)).hexdigest()


def member_of_line(name: str) -> tuple[int, str] | None:
    """(number, name behind the prefix) of a member of a line; None for any other."""
    found = _LINE.fullmatch(name)
    return (int(found[1]), found[2]) if found else None


def decode(kind: type[T], raw: bytes, name: str) -> T:
    """A part from its bytes. Raises Corrupt."""
    try:
        if name.endswith(".msgpack"):
            return msgspec.msgpack.decode(raw, type=kind)
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"{name} of the archive cannot be read: {str(error)[:200]}") from error


def parse_description(raw: bytes) -> Description:
    """The description of an archive that this program can read. Raises Corrupt, InvalidInput for a newer one."""
    try:
        began = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"{DESCRIPTION} of the archive cannot be read: {str(error)[:200]}") from error
    if not isinstance(began, dict) or began.get("format") != FORMAT:
        raise InvalidInput("This is no archive of a Micelio project.", hint="`mic export archive` makes one.")
    if began.get("version") != VERSION:
        raise InvalidInput(
            f"The archive is of version {str(began.get('version'))[:20]}; this forge reads version {VERSION}.",
            hint="Import it into a newer forge, or export it with an older one.",
        )
    found = decode(Description, raw, DESCRIPTION)
    if not 0 < len(found.lines) <= MAX_LINES or found.lines[0].branch or found.lines[0].origin is not None:
        raise Corrupt(f"{DESCRIPTION} of the archive does not begin with main")
    names = [line.branch for line in found.lines]
    if len(set(names)) < len(names) or "" in names[1:]:
        raise Corrupt(f"{DESCRIPTION} of the archive names a branch twice")
    for number, line in enumerate(found.lines):
        if line.origin is not None and not 0 <= line.origin < number:
            raise Corrupt(f"{DESCRIPTION} of the archive has branch {line.branch!r} begin at one that comes later")
        head = parse_head(line.head)
        if line.position != head.position or (
            line.origin is not None and parse_head(line.begins).position > line.position
        ):
            raise Corrupt(f"{DESCRIPTION} of the archive gives branch {line.branch!r} two positions")
    return found


def parse_head(text: str) -> Head:
    """A head in hexadecimal. Raises Corrupt."""
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise Corrupt("the archive gives a head that is not in hexadecimal") from error
    if len(raw) != HEAD_BYTES:
        raise Corrupt("the archive gives a head that has not 48 bytes")
    return decode_head(raw, "a head of the archive")
