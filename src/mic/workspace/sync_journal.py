"""What a sync is about to do, written down before it does the first of it, so that it can go on or be undone.

`.mic/sync/` is there while a sync is under way and becomes `.mic/synced/` with its end: `journal` (the steps), `before`
(the index as it was), `target` (the files of the synced position, as an index) and `conflicts` (as they were).
"""

from __future__ import annotations

import os
import shutil

import msgspec

from mic.core.errors import Corrupt
from mic.core.tree import Entry
from mic.workspace.columns import decode, encode
from mic.workspace.index import Index, IndexEntry
from mic.workspace.place import exists, read_file, write_file
from mic.workspace.workspace import Workspace

WRITE, REMOVE, MERGE, MARK, YOURS, RESTORE = "write", "remove", "merge", "mark", "yours", "restore"
HOLD = "hold"


class Step(msgspec.Struct):
    """One path. `mine` is what stood here (mode 0 and b"" for nothing), `result` what the step leaves.

    act: write or remove as theirs, merge or mark (the lines of both), yours (left alone), hold
    (left alone until it is settled), restore (a kept version).
    `obstacle`: what stands in the way and is moved to the kept files first. `source`: the folder of kept files that a
    restored version comes from. `clashed`: the sides clash there; `reason` says why, until somebody has decided.
    `settled`: how many places of it were settled as they were before.
    """

    path: bytes
    act: str
    mine_mode: int = 0
    mine: bytes = b""
    result_mode: int = 0
    result: bytes = b""
    obstacle: bytes = b""
    source: str = ""
    clashed: bool = False
    reason: str = ""
    settled: int = 0


class Journal(msgspec.Struct):
    """A sync from one position to another, perhaps of another branch. `kept`: the folders of kept files, the first
    run's first."""

    from_position: int
    from_tree: str
    to_position: int
    to_tree: str
    steps: list[Step]
    kept: list[str]
    from_branch: str = ""
    to_branch: str = ""


class OpenSync:
    """A journal with its files. `finished`: it came to its end and can still be undone."""

    def __init__(self, ws: Workspace, finished: bool) -> None:
        self._ws = ws
        self.finished = finished
        self.folder = ws.folder + (b"/synced" if finished else b"/sync")
        self.journal = _decoded(self._read(b"journal"))
        self.before = _index(self._read(b"before"))
        self.target = {entry.path: Entry(*entry[:5]) for entry in _index(self._read(b"target")).entries()}
        self.conflicts = read_file(self.folder + b"/conflicts")

    def rewrite(self, journal: Journal) -> None:
        """The steps anew, at once or not at all."""
        self.journal = journal
        write_file(self.folder, b"journal", msgspec.msgpack.encode(journal))

    def finish(self) -> None:
        """The sync has come to its end."""
        done = self._ws.folder + b"/synced"
        if exists(done):
            shutil.rmtree(done)
        os.rename(self.folder, done)

    def discard(self) -> None:
        """The sync is undone."""
        _take_away(self._ws, self.folder)

    def _read(self, name: bytes) -> bytes:
        raw = read_file(self.folder + b"/" + name)
        if raw is None:
            raise _damaged()
        return raw


def under_way(ws: Workspace) -> bool:
    """Whether a sync was begun and has not come to its end."""
    return exists(ws.folder + b"/sync")


def begin(ws: Workspace, journal: Journal, target: dict[bytes, Entry]) -> OpenSync:
    """Writes the journal of a sync that has done nothing yet."""
    new = ws.folder + b"/sync.new"
    if exists(new):
        shutil.rmtree(new)
    os.mkdir(new)
    write_file(new, b"before", encode(ws.index().columns))
    built = Index.build([IndexEntry(*entry, 0, 0, 0, 0, False) for entry in target.values()])
    write_file(new, b"target", encode(built.columns))
    conflicts = read_file(ws.folder + b"/conflicts")
    if conflicts is not None:
        write_file(new, b"conflicts", conflicts)
    write_file(new, b"journal", msgspec.msgpack.encode(journal))
    os.rename(new, ws.folder + b"/sync")
    return OpenSync(ws, False)


def find(ws: Workspace) -> OpenSync | None:
    """The sync that is under way, else the last one, else None; raises Corrupt."""
    if under_way(ws):
        return OpenSync(ws, False)
    return OpenSync(ws, True) if exists(ws.folder + b"/synced") else None


def forget_finished(ws: Workspace) -> None:
    """The last sync cannot be undone any more, whole or damaged; nothing happens when there is none."""
    if exists(ws.folder + b"/synced"):
        _take_away(ws, ws.folder + b"/synced")


def _take_away(ws: Workspace, folder: bytes) -> None:
    gone = ws.folder + b"/sync.old"
    if exists(gone):
        shutil.rmtree(gone)
    os.rename(folder, gone)
    shutil.rmtree(gone)


def _decoded(raw: bytes) -> Journal:
    try:
        return msgspec.msgpack.decode(raw, type=Journal)
    except msgspec.MsgspecError as error:
        raise _damaged() from error


def _index(raw: bytes) -> Index:
    columns = decode(raw)
    if columns is None:
        raise _damaged()
    return Index(columns)


def _damaged() -> Corrupt:
    return Corrupt(
        "what the last sync of this workspace wrote down is damaged",
        hint="move .mic/sync and .mic/synced away, then run `mic sync` again; your versions are in .mic/kept",
    )
