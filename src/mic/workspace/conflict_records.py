"""What is known of each conflict: its three sides, and which landings of others it is with, and what they decided.

`.mic/clashes/{SHA-256 of the path}` is one record (msgpack), `contents/{hash}` the marked file as it was written, or
of a path that is held apart the base and theirs. The list of what is open is `.mic/conflicts`; a record of a path that
is not in it says nothing. Records are written before the files are touched, so what is marked is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable

import msgspec

from mic.core.errors import Corrupt
from mic.core.session import Decision
from mic.workspace.conflicts import Conflict
from mic.workspace.place import read_file, take_away, write_file
from mic.workspace.workspace import Workspace

VERSION = 1


class Theirs(msgspec.Struct, frozen=True):
    """A landing of somebody else that changed the path: its session, goal and decisions."""

    position: int
    session: bytes
    goal: str
    author: str = ""
    agent: str = ""
    decisions: tuple[Decision, ...] = ()


class Record(msgspec.Struct, frozen=True):
    """A conflict. Sides are Git's mode and the hash of the content, 0 and b"" for no file.

    `landings`: those that the other side came of, the newest first. `marked` is the hash of the file with its markers.
    """

    path: bytes
    base_position: int
    theirs_position: int
    reason: str
    base: tuple[int, bytes]
    ours: tuple[int, bytes]
    theirs: tuple[int, bytes]
    landings: tuple[Theirs, ...] = ()
    marked: bytes = b""
    version: int = VERSION


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def keep(ws: Workspace, record: Record, marked: bytes | None) -> None:
    """Write a record down, and the marked file first."""
    folder = _folder(ws)
    os.makedirs(folder + b"/contents", exist_ok=True)
    if marked is not None:
        write_file(folder + b"/contents", record.marked.hex().encode(), marked)
    write_file(folder, _name(record.path), _encoder.encode(record))


def keep_sides(ws: Workspace, record: Record, base: bytes, theirs: bytes) -> None:
    """Keep what a path that is held apart is settled from, before its record is written down."""
    folder = _folder(ws) + b"/contents"
    os.makedirs(folder, exist_ok=True)
    for (_, name), data in ((record.base, base), (record.theirs, theirs)):
        write_file(folder, name.hex().encode(), data)


def sides(ws: Workspace, record: Record) -> tuple[bytes, bytes] | None:
    """The contents of the base and of theirs; None where they are not kept, or one of them has no file."""
    if not (record.base[1] and record.theirs[1]):
        return None
    base, theirs = (_content(ws, name) for _, name in (record.base, record.theirs))
    return None if base is None or theirs is None else (base, theirs)


def find(ws: Workspace, conflict: Conflict) -> Record | None:
    """What is known of a conflict; None for one of before there were records. Raises Corrupt."""
    raw = read_file(_folder(ws) + b"/" + _name(conflict.path))
    if raw is None:
        return None
    try:
        found = _decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"what is known of a conflict, in {ws.root}/.mic/clashes, is damaged: {error}",
            hint="move that folder away; marked lines are mended as before",
        ) from error
    same = (found.base_position, found.theirs_position) == (conflict.base, conflict.theirs)
    return found if same and found.path == conflict.path and found.version <= VERSION else None


def marked_file(ws: Workspace, record: Record) -> bytes | None:
    """The file as it was marked; None when it is not kept."""
    return _content(ws, record.marked) if record.marked else None


def _content(ws: Workspace, name: bytes) -> bytes | None:
    """A content; None when it is not kept, or is not what its name says: nobody settles anything from that."""
    with contextlib.suppress(OSError):
        data = read_file(_folder(ws) + b"/contents/" + name.hex().encode())
        if data is not None and hashlib.sha256(data).digest() == name:
            return data
    return None


def drop_others(ws: Workspace, conflicts: Iterable[Conflict]) -> None:
    """Take away what is known of other paths than these."""
    folder = _folder(ws)
    names = {_name(item.path) for item in conflicts}
    known, whole = [], True
    for item in conflicts:
        try:
            known.append(find(ws, item))
        except (Corrupt, OSError):
            whole = False
    kept = {name.hex().encode() for found in known if found for name in (found.marked, found.base[1], found.theirs[1])}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if name != b"contents" and name not in names:
                take_away(folder + b"/" + name)
        # What a damaged record speaks of nobody knows.
        for name in os.listdir(folder + b"/contents") if whole else ():
            if name not in kept:
                take_away(folder + b"/contents/" + name)


def _folder(ws: Workspace) -> bytes:
    return ws.folder + b"/clashes"


def _name(path: bytes) -> bytes:
    return hashlib.sha256(path).hexdigest().encode()
