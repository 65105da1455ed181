"""Compaction: versions of the same path that landed one by one are written again as groups.

It works on one index run at a time. Packs with the groups are written first, then a run over the same positions
that says where everything lies now; being of a higher generation it takes the place of the old one. Nothing is
deleted: who reads by the old run goes on, and a crash leaves packs that nothing names. Any number of front ends
may do it at once: they write the same, or the first run stands.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

from mic.core import epoch as stored
from mic.core.blob import encode_blob
from mic.core.errors import AlreadyExists, Busy
from mic.core.indexrun import IndexRun, Place, RunName, parse_run_name
from mic.core.pack import decode_toc, encode_pack, fits, toc_bytes
from mic.core.record import PathChange
from mic.core.repoint import repoint
from mic.core.segment import SEGMENT
from mic.ledger.effects import Protocol, PutNew, Random
from mic.ledger.grouping import Anchors, make_group, portions, version_lists
from mic.ledger.leavings import is_leaving
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.objects import Objects
from mic.ledger.runs import create_run, level
from mic.ledger.small import read_small
from mic.ledger.tombstones import bury

# zstd: over versions of one file level 12 takes twice the time of level 3 and a quarter less room.
LEVEL = 12
# Positions whose changes are held in memory at once, some 500 bytes each. Each window keeps a whole version of a path.
WINDOW = 50 * SEGMENT


def due_for_compaction(line: Line) -> IndexRun | None:
    """The oldest run that was not compacted as a whole since it was written or merged; None when all were.

    A run of level n counts as compacted from generation n + 1 on: merging takes over the generation of its parts.
    """
    for run in line.objects.runs:
        name = _name(run)
        if name is not None and name.generation <= _level(run):
            return run
    return None


def _level(run: IndexRun) -> int:
    return level(run.last - run.first + 1)


def _name(run: IndexRun) -> RunName | None:
    return parse_run_name(run.name.rsplit("/", 1)[1])


def compact(line: Line, run: IndexRun) -> Protocol[IndexRun]:
    """Write groups and the run that names them; the line is not changed.

    Takes minutes for a long history: give it a line of its own.
    """
    name = _name(run)
    assert name is not None
    writer = Writer(line)
    taken: set[bytes] = set()
    for first in range(run.first, run.last + 1, WINDOW):
        changes: list[PathChange] = []
        for at in range(first, min(first + WINDOW, run.last + 1), SEGMENT):
            for record in (yield from records(line, at, min(at + SEGMENT - 1, run.last))):
                changes += record.changes
        for newest, older in version_lists(changes, lambda object_hash: _is_small(line, run, object_hash), taken):
            yield from _compact_path(writer, run, newest, older)
    yield from writer.flush()
    # Behind the writing: who erases lists what is there behind its tombstone, so it finds these packs, or is seen here.
    if (yield from bury(line)):
        raise Busy("something was erased meanwhile", hint="it is compacted another time")
    raw = repoint(run, writer.places)
    return (yield from create_run(line, name._replace(generation=_level(run) + 1), raw))


def _is_small(line: Line, run: IndexRun, object_hash: bytes) -> bool:
    """Whether the content is of one piece and lies where this run says: what others hold is theirs to move.

    What was erased is nowhere, and what an erasure has moved stays where that put it.
    """
    place = run.find(object_hash)
    return place is not None and place.kind in stored.SMALL and line.objects.find(object_hash) == place


def _compact_path(writer: Writer, run: IndexRun, newest: bytes, older: Sequence[tuple[bytes, int]]) -> Protocol[None]:
    data = (yield from read_small(writer.objects, [newest]))[newest]
    if _kind(run, newest) != stored.BLOB:
        yield from writer.add([newest], stored.BLOB, encode_blob(data))
    anchors = Anchors(data)
    for portion in portions([size for _, size in older]):
        hashes = [object_hash for object_hash, _ in older[portion.start : portion.stop]]
        found = yield from read_small(writer.objects, hashes)
        # What leaned on something before stands alone when the group does not pay: chains end here.
        plain = {h: encode_blob(found[h]) for h in hashes if _kind(run, h) != stored.BLOB}
        alone = sum(len(plain[h]) if h in plain else _length(run, h) for h in hashes)
        raw = make_group(anchors, [(h, found[h]) for h in hashes], alone, LEVEL)
        if raw is not None:
            yield from writer.add(hashes, stored.GROUP, raw)
            continue
        for object_hash, blob in plain.items():
            yield from writer.add([object_hash], stored.BLOB, blob)


def _kind(run: IndexRun, object_hash: bytes) -> int:
    place = run.find(object_hash)
    assert place is not None
    return place.kind


def _length(run: IndexRun, object_hash: bytes) -> int:
    place = run.find(object_hash)
    assert place is not None
    return place.length


class Writer:
    """Fills packs of contents that are written anew; `places` says where everything lies that was written."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.objects: Objects = line.objects
        self.places: dict[bytes, Place] = {}
        self._waiting: list[tuple[list[bytes], int, bytes]] = []
        self._noise: list[bytes] = []
        self._bytes = 0

    def add(self, hashes: list[bytes], kind: int, raw: bytes) -> Protocol[None]:
        if not fits(self._bytes + len(raw), len(self._waiting) + 1):
            yield from self.flush()
        self._waiting.append((hashes, kind, raw))
        self._bytes += len(raw)

    def flush(self) -> Protocol[None]:
        """Write what waits as one pack. Its list names a group by the first member; the group names the rest."""
        if not self._waiting:
            return
        name, raw = encode_pack((hashes[0], kind, data) for hashes, kind, data in self._waiting)
        key = self.line.pack_key(name)
        with contextlib.suppress(AlreadyExists):  # named by its content: the same pack
            yield PutNew(key, raw)
        if (yield from is_leaving(self.line, key)):
            # A compaction that never ended has left one, and it is on its way out: noise gives this another name.
            noise = yield Random(16)
            self._noise.append(hashlib.sha256(noise).digest())
            self._waiting.append((self._noise[-1:], stored.BLOB, encode_blob(noise)))
            yield from self.flush()
            return
        listed = {item.hash: item for item in decode_toc(raw[-8 - toc_bytes(raw[-8:], key) :], len(raw), key)}
        for hashes, kind, _ in self._waiting:
            if hashes[0] in self._noise:
                continue  # no run knows it
            item = listed[hashes[0]]
            self.places.update(dict.fromkeys(hashes, Place(key, kind, item.offset, item.length)))
        self._waiting, self._bytes = [], 0
