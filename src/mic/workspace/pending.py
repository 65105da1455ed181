"""What waits to be told to the forge, in `.mic/pending`: one numbered file each, in the order in which it is sent.

A file is a line `mic-pending VERSION KIND SESSION`, then msgpack. Contents that are to be sent lie beside them by their
hash, as they were when the command was given: the files of the working copy may go on changing. A file of a version
that this one does not know is named, and never passed over.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time

import msgspec

from mic.core.errors import Corrupt, NotFound
from mic.core.ids import ulid_text
from mic.core.session import Change
from mic.workspace.files import open_content, read_content
from mic.workspace.place import Naming, read_file, take_away, write_file
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

VERSION = 1
LAND, PUSH, ABANDON = "land", "push", "abandon"
_MAGIC = b"mic-pending"
_LINK = 0o120000
_PIECE = 1 << 20


class Pending(msgspec.Struct):
    """One operation. `message` is the session as it is sent (a protobuf message), `changes` the same changes.

    `after` is the session of the landing that these changes are on top of, b"" for the base. `line` is the branch.
    `after_ms` belongs to a push: when the one before it was. `taken`: its session is becoming the open one again.
    """

    kind: str
    session: LocalSession
    at_ms: int
    changes: list[Change] = []
    message: bytes = b""
    after: bytes = b""
    after_ms: int = 0
    line: str = ""
    taken: bool = False
    force: bool = False
    # Of this workspace alone; not written.
    number: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pending)


def numbers(ws: Workspace) -> list[int]:
    """The numbers of what waits, in order."""
    try:
        names = os.listdir(_folder(ws))
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdigit())


def pending(ws: Workspace) -> list[Pending]:
    """What waits, in order; raises Corrupt for what cannot be read, or was written by a newer version."""
    return [_read(ws, number) for number in numbers(ws)]


def add(ws: Workspace, item: Pending) -> Pending:
    """Puts an operation behind the others, at once or not at all; its contents are kept already."""
    os.makedirs(_folder(ws), exist_ok=True)
    item.number = max(numbers(ws), default=0) + 1
    item.at_ms = time.time_ns() // 1_000_000
    write(ws, item)
    return item


def write(ws: Workspace, item: Pending) -> None:
    """Writes an operation in its place, at once or not at all."""
    line = b"%b %d %b %b\n" % (_MAGIC, VERSION, item.kind.encode(), ulid_text(item.session.id).encode())
    body = _encoder.encode(msgspec.structs.replace(item, number=0))
    write_file(_folder(ws), b"%08d" % item.number, line + body)


def remove(ws: Workspace, *items: Pending) -> None:
    """Takes operations out, and contents that no other has."""
    for item in items:
        take_away(_folder(ws) + b"/%08d" % item.number)
    needed = {change.hash.hex() for item in pending(ws) for change in item.changes}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(contents_folder(ws)):
            if name not in needed:
                take_away(os.fsencode(os.path.join(contents_folder(ws), name)))


def contents_folder(ws: Workspace) -> str:
    """Where the contents are, each under its hash."""
    return os.fsdecode(_folder(ws) + b"/contents")


def keep(ws: Workspace, path: bytes, mode: int) -> tuple[bytes, int]:
    """Keeps what stands at a path as it is now; its hash and size. Raises NotFound when it goes away meanwhile."""
    folder = contents_folder(ws)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f"{os.getpid()}.new")
    digest, size = hashlib.sha256(), 0
    with Naming(temporary), open(temporary, "wb") as target:
        if mode & 0o170000 == _LINK:
            piece = read_content(ws, path, mode)
            digest.update(piece)
            size += target.write(piece)
        else:
            with open_content(ws, path) as source:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    size += target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    os.rename(temporary, os.path.join(folder, digest.hexdigest()))
    return digest.digest(), size


def overlay(items: list[Pending]) -> dict[bytes, Change]:
    """What the landings that wait make of their paths: the last change of each."""
    return {change.path: change for item in items if item.kind == LAND for change in item.changes}


def last_landing(items: list[Pending]) -> Pending | None:
    """The landing that new work here is on top of; None for none."""
    return next((item for item in reversed(items) if item.kind == LAND), None)


def pushes_of(ws: Workspace, session_id: bytes) -> list[Pending]:
    """The pushes of a session that wait: needless, once something later was told of it."""
    return [item for item in pending(ws) if item.kind == PUSH and item.session.id == session_id]


def keep_bytes(ws: Workspace, content: bytes, data: bytes) -> None:
    """Keeps a content of this hash."""
    os.makedirs(contents_folder(ws), exist_ok=True)
    write_file(_folder(ws) + b"/contents", content.hex().encode(), data)


def find(items: list[Pending], number: int) -> Pending:
    """The one with this number; raises NotFound."""
    for item in items:
        if item.number == number:
            return item
    raise NotFound(f"Nothing with the number {number} waits here.", hint="`mic pending list` lists what does.")


def _folder(ws: Workspace) -> bytes:
    return ws.folder + b"/pending"


def _read(ws: Workspace, number: int) -> Pending:
    name = f"{ws.root}/.mic/pending/{number:08d}"
    line, _, body = (read_file(_folder(ws) + b"/%08d" % number) or b"").partition(b"\n")
    words = line.split(b" ")
    if words[0] != _MAGIC or len(words) < 2 or not words[1].isdigit():
        raise Corrupt(f"{name}, which waits to be sent, is damaged", hint="move that file away to go on without it")
    if int(words[1]) > VERSION:
        raise Corrupt(f"{name}, which waits to be sent, was written by a newer version of mic", hint="use that version")
    try:
        found = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"{name}, which waits to be sent, is damaged: {error}", hint="move that file away to go on without it"
        ) from error
    found.number = number
    return found
