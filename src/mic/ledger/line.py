"""A line of history as one process sees it: head, log, and where everything lies.

The head is read from the store each time it matters; everything else is immutable and kept. Opening a
line costs the newest index runs and the epochs since; following it costs one small read when nothing
has landed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mic.core.epoch import HEADER_BYTES, Epoch, PackRef, Stored, decode_epoch, epoch_name, meta_bytes
from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.head import Head, decode_head, next_hlc
from mic.core.indexrun import IndexRun
from mic.core.pack import FOOTER_BYTES, decode_toc, toc_bytes
from mic.core.record import Record
from mic.core.segment import SEGMENT, decode_segment, segment_start
from mic.core.tree import EMPTY_TREE
from mic.ledger.effects import Get, GetRange, List, Now, Protocol, PutNew
from mic.ledger.objects import NodeCache, Objects

# One ranged read of this size usually brings an epoch's records and contents list.
_FIRST_READ = 32 << 10
_MAX_SEGMENTS = 16


class Line:
    """State of one line. Not thread-safe; its owner serialises `refresh` and landing."""

    def __init__(self, project: str, cache: NodeCache) -> None:
        self.project = project
        self.prefix = f"projects/{project}/"
        self.cache = cache
        self.objects = Objects(project)
        self.head: Head | None = None
        self.tag = ""
        self.covered = Head(0, EMPTY_TREE, 0)  # the index runs reach to this head
        self.tail: list[Epoch] = []  # oldest first, from the first position that no segment holds
        self.sessions: dict[bytes, int] = {}
        self.segments: OrderedDict[int, tuple[Record, ...]] = OrderedDict()

    @property
    def head_key(self) -> str:
        return f"{self.prefix}head"

    def epoch_key(self, head: Head) -> str:
        return f"{self.prefix}landing-log/tail/{epoch_name(head)}"

    def segment_key(self, start: int) -> str:
        return f"{self.prefix}landing-log/{start:012d}.log"

    def pack_key(self, pack: bytes) -> str:
        return f"{self.prefix}packs/{pack.hex()}.pack"

    def run_key(self, first: int, last: int) -> str:
        return f"{self.prefix}packs/index/{first:012d}-{last:012d}.run"

    @property
    def sealed(self) -> int:
        """Positions 1..sealed are in segments: a run is written after the segments it covers."""
        return self.covered.position // SEGMENT * SEGMENT

    def find_session(self, session_id: bytes) -> int | None:
        """Where a session landed, as of the last refresh."""
        position = self.sessions.get(session_id)
        if position is not None:
            return position
        for run in reversed(self.objects.runs):
            if (position := run.session(session_id)) is not None:
                return position
        return None

    def add_epoch(self, epoch: Epoch) -> None:
        """Take in an epoch that follows the newest one known."""
        key = self.epoch_key(epoch.new)
        self.objects.add(key, epoch.data_start, epoch.objects)
        for record in epoch.records:
            self.sessions[record.session] = record.position
        self.tail.append(epoch)


def create(line: Line) -> Protocol[Head]:
    """Make the line: position 0, the empty tree. Again changes nothing; Corrupt where only the head is gone."""
    yield from _check_unborn(line)
    head = Head(0, EMPTY_TREE, next_hlc(0, (yield Now())))
    try:
        yield PutNew(line.head_key, head.encode())
    except AlreadyExists:
        return (yield from refresh(line))
    return head


def _check_unborn(line: Line) -> Protocol[None]:
    """Raises Corrupt when there is a log and no head: a lost head must not look like a new project."""
    if line.head is None and not (yield List(f"{line.prefix}landing-log/")):
        return
    try:
        yield Get(line.head_key)
    except NotFound as error:
        raise Corrupt(
            f"{line.head_key} is missing from the store",
            hint="landing is stopped for this project; restore the head from a backup",
            object=line.head_key,
        ) from error


def refresh(line: Line) -> Protocol[Head]:
    """The head as it is now, with everything that landed since taken in. NotFound when there is no such line."""
    try:
        tagged = yield Get(line.head_key)
    except NotFound:
        yield from _check_unborn(line)
        raise
    head = decode_head(tagged.data, line.head_key)
    line.tag = tagged.tag
    if head == line.head:
        return head
    if head.position == 0 and head.tree != EMPTY_TREE:
        raise _broken(line, head, "a tree that no landing made")
    if line.head is None:
        yield from _load_runs(line)
    ahead = head.position > line.covered.position or head == line.covered
    if line.covered.position and not ahead:
        raise _broken(line, head, "another history than its index")
    floor = line.tail[-1].new if line.tail else None
    epochs = yield from _walk(line, head, floor.position if floor else line.sealed)
    if floor is not None and epochs and epochs[0].prev != floor:
        raise _broken(line, epochs[0].prev, "another history than the one read before")
    if head.position < (line.head.position if line.head else 0):
        raise _broken(line, head, "an older position than before")
    for epoch in epochs:
        yield from _load_packs(line, epoch.packs)
        line.add_epoch(epoch)
    line.head = head
    return head


def _load_runs(line: Line) -> Protocol[None]:
    """Take in the longest chain of index runs: for each start the run that reaches furthest."""
    listed = yield List(f"{line.prefix}packs/index/")
    names = [entry.key for entry in listed if entry.key.endswith(".run")]
    furthest: dict[int, tuple[int, str]] = {}
    for key in names:
        first, last = (int(part) for part in key.rsplit("/", 1)[1][:-4].split("-"))
        furthest[first] = max(furthest.get(first, (0, "")), (last, key))
    at = 1
    while at in furthest:
        last, key = furthest[at]
        run = IndexRun((yield Get(key)).data, key)
        if (run.first, run.last) != (at, last):
            raise Corrupt(f"{key} covers other positions than its name says", object=key)
        line.objects.runs.append(run)
        line.covered = run.head
        at = last + 1


def _walk(line: Line, head: Head, floor: int) -> Protocol[list[Epoch]]:
    """Epochs from just above position `floor` up to `head`, oldest first, following prev links."""
    out = []
    at = head
    while at.position > floor:
        epoch = yield from read_epoch(line, at)
        if epoch.prev.position == line.covered.position and epoch.prev != line.covered and line.covered.position:
            raise _broken(line, epoch.prev, "another history than its index")
        out.append(epoch)
        at = epoch.prev
    out.reverse()
    return out


def read_epoch(line: Line, head: Head) -> Protocol[Epoch]:
    """The epoch that made a head: everything but its data."""
    key = line.epoch_key(head)
    try:
        raw = yield GetRange(key, 0, _FIRST_READ)
        if len(raw) >= HEADER_BYTES and len(raw) < (needed := meta_bytes(raw, key)):
            raw = yield GetRange(key, 0, needed)
    except NotFound as error:
        raise Corrupt(
            f"the head of project {line.project} names {key}, which is missing",
            hint="landing is stopped for this project; restore the object from a backup",
            object=key,
        ) from error
    if len(raw) < HEADER_BYTES:
        raise Corrupt(f"{key} is damaged: {len(raw)} bytes are less than its header", object=key)
    epoch = decode_epoch(raw, key)
    if epoch.new != head:
        raise Corrupt(f"{key} is damaged: it made another head than its name says", object=key)
    return epoch


def _load_packs(line: Line, packs: Sequence[PackRef]) -> Protocol[None]:
    for pack in packs:
        line.objects.add(line.pack_key(pack.hash), 0, (yield from read_pack_toc(line, pack)))


def read_pack_toc(line: Line, pack: PackRef) -> Protocol[tuple[Stored, ...]]:
    """The contents list of a pack of known size."""
    key = line.pack_key(pack.hash)
    try:
        footer = yield GetRange(key, pack.size - FOOTER_BYTES, FOOTER_BYTES)
        length = toc_bytes(footer, key)
        start = pack.size - FOOTER_BYTES - length
        if start < 0:
            raise Corrupt(f"{key} is damaged: its contents list is longer than the pack", object=key)
        tail = yield GetRange(key, start, length + FOOTER_BYTES)
    except NotFound as error:
        raise Corrupt(f"{key} is missing from the store", object=key) from error
    return decode_toc(tail, pack.size, key)


def _broken(line: Line, head: Head, why: str) -> Corrupt:
    return Corrupt(
        f"{line.head_key} is damaged: it leads to {why} (position {head.position})",
        hint="landing is stopped for this project; restore the head from a backup",
        object=line.head_key,
    )


def records(line: Line, first: int, last: int) -> Protocol[list[Record]]:
    """Records first..last (inclusive), which must be at or below the head of the last refresh."""
    assert line.head is not None
    assert 1 <= first <= last <= line.head.position
    out: list[Record] = []
    at = first
    while at <= last and at <= line.sealed:
        segment = yield from _segment(line, segment_start(at))
        stop = min(last, segment[-1].position)
        out += segment[at - segment[0].position : stop - segment[0].position + 1]
        at = stop + 1
    if at <= last:
        low, high = 0, len(line.tail)
        while low < high:
            middle = (low + high) // 2
            if line.tail[middle].new.position < at:
                low = middle + 1
            else:
                high = middle
        for epoch in line.tail[low:]:
            if epoch.records[0].position > last:
                break
            out += [record for record in epoch.records if at <= record.position <= last]
    assert len(out) == last - first + 1
    return out


def _segment(line: Line, start: int) -> Protocol[tuple[Record, ...]]:
    found = line.segments.get(start)
    if found is None:
        key = line.segment_key(start)
        try:
            raw = (yield Get(key)).data
        except NotFound as error:
            raise Corrupt(f"{key} is missing from the store", hint="restore it from a backup", object=key) from error
        found = decode_segment(raw, key)
        line.segments[start] = found
        while len(line.segments) > _MAX_SEGMENTS:
            line.segments.popitem(last=False)
    return found
