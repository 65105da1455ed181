"""Which landings touched a path, or anything below it, newest first and exact.

The newest landings are read from the epochs in memory, what is sealed from rollups, the widest that are there. One
that is missing or damaged is replaced by finer ones, and those by the records: that takes longer and gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from mic.core.epoch import Epoch
from mic.core.errors import Corrupt, MicError, NotFound
from mic.core.record import Record, first_from
from mic.core.rollup import (
    BELOW,
    LEVELS,
    Head,
    decode_bucket,
    decode_head,
    head_bytes,
    path_key,
    rollup_start,
    span,
    touches_of,
)
from mic.core.segment import decode_segment, segment_start
from mic.ledger.effects import Attempt, Get, GetRange, Protocol
from mic.ledger.line import Line
from mic.ledger.log import check_fork_point
from mic.ledger.objects import missing

# One ranged read of this size usually brings the head of a rollup; that of a wide one is asked for twice.
_FIRST_READ = 64 << 10
# From a far store so many heads are read at once at most: each alone costs a journey. It begins with one and doubles.
_AT_ONCE = 32


class Touch(NamedTuple):
    """A landing that touched a path. `what` is an `Op`, or BELOW when only something below the path was."""

    position: int
    what: int


class PathHistory(NamedTuple):
    """Touches, newest first. Those behind position `reached` are all that there are; at 0 it is the whole history."""

    touches: list[Touch]
    reached: int


class LogView(NamedTuple):
    """A log as it was at one moment. Positions up to `start` are those of `below`, up to `sealed` they are in segments.

    `tail` has what is newer.
    """

    line: Line
    start: int
    below: LogView | None
    tail: tuple[Epoch, ...]
    sealed: int
    head: int


def view_of(line: Line) -> LogView:
    """The log of a line as of the last look at its head."""
    below = view_of(line.origin) if line.origin is not None else None
    assert line.head is not None
    return LogView(line, line.start.position if below else 0, below, tuple(line.tail), line.sealed, line.head.position)


def path_history(
    view: LogView, path: bytes, before: int = 0, after: int = 0, limit: int = 50, segments: int = 64
) -> Protocol[PathHistory]:
    """At most `limit` landings behind position `after` and before position `before` (0: up to the newest).

    It also ends where `segments` segments were read for want of rollups: go on with `before` one more than what was
    reached. Raises Corrupt when a segment is damaged or gone.
    """
    found: list[Touch] = []
    key = path_key(path)
    at = min(before - 1, view.head) if before else view.head
    read, ahead = 0, 1
    while at > after and len(found) < limit and read < segments:
        here = view
        while here.below is not None and at <= here.start:
            here = here.below
        if at > (floor := max(here.sealed, here.start)):
            _take(_newest(here.tail, max(floor, after), at), path, found)
            at = floor
            continue
        for level in range(LEVELS, 0, -1):
            start = rollup_start(level, at)
            if start + span(level) - 1 <= here.sealed:
                if here.line.far and here.line.rollups.get(level, start) is None:
                    yield from _read_ahead(here.line, _coming(here, at, after), ahead)
                    ahead = min(2 * ahead, _AT_ONCE)
                wanted = (after, at, limit - len(found))
                touches = yield from _look(here.line, level, start, key, wanted, view.line.faults)
                if touches is not None:
                    found += [Touch(*touch) for touch in touches]
                    # Whoever has as many as were asked for has not looked at what is before the last of them.
                    at = found[-1].position - 1 if len(found) == limit else start - 1
                    break
        else:
            start = segment_start(at)
            records = yield from read_segment(here.line, start)
            read += 1
            _take([record for record in records if after < record.position <= at], path, found)
            at = start - 1
    if len(found) > limit:
        return PathHistory(found[:limit], found[limit - 1].position - 1)
    return PathHistory(found, max(at, after))


def _newest(tail: tuple[Epoch, ...], first: int, last: int) -> list[Record]:
    return [record for epoch in tail for record in epoch.records if first < record.position <= last]


def _take(records: Sequence[Record], path: bytes, found: list[Touch]) -> None:
    for record in reversed(records):
        what = _touch(record, path)
        if what is not None:
            found.append(Touch(record.position, what))


def _touch(record: Record, path: bytes) -> int | None:
    """What a landing did to a path, BELOW when to something below it only, else None."""
    changes = record.changes
    at = first_from(changes, path)
    if at < len(changes) and changes[at].path == path:
        return changes[at].op
    at = first_from(changes, path + b"/")
    return BELOW if at < len(changes) and changes[at].path.startswith(path + b"/") else None


def _look(
    line: Line, level: int, start: int, key: bytes, wanted: tuple[int, int, int], faults: list[MicError]
) -> Protocol[Sequence[tuple[int, int]] | None]:
    """The touches of a key in a rollup; None where it is missing or damaged, which is noted."""
    name = line.rollup_key(level, start)
    try:
        head = line.rollups.get(level, start)
        if head is None:
            head = yield from _head(name, level, start)
            line.rollups.put(head)
        if not head.may_hold(key):
            return []
        offset, length = head.place(key)
        raw = yield GetRange(name, offset, length)
        return touches_of(head, decode_bucket(raw, name), key, *wanted)
    except NotFound:
        return None
    except Corrupt as error:
        faults.append(error)
        return None


def _coming(view: LogView, at: int, after: int) -> Iterator[tuple[int, int]]:
    """Level and start of the rollups that are looked in from `at` down, if all are there and none has enough."""
    while at > max(after, view.start):
        for level in range(LEVELS, 0, -1):
            start = rollup_start(level, at)
            if start + span(level) - 1 <= view.sealed:
                yield level, start
                at = start - 1
                break
        else:
            return


def _read_ahead(line: Line, coming: Iterator[tuple[int, int]], most: int) -> Protocol[None]:
    """Bring the heads of the next rollups that are not at hand. One that cannot be read is left to whoever needs it."""
    wanted = list(islice((each for each in coming if line.rollups.get(*each) is None), most))
    size = dict.fromkeys(wanted, _FIRST_READ)
    for _ in range(2):  # the beginning of each, and again the whole of those whose heads are larger
        read = list(size)
        found = yield tuple(Attempt(GetRange(line.rollup_key(*each), 0, size[each])) for each in read)
        size = {}
        for (level, start), raw in zip(read, found, strict=True):
            name = line.rollup_key(level, start)
            try:
                if isinstance(raw, MicError):
                    continue
                if (needed := head_bytes(raw, name)) > len(raw):
                    size[level, start] = needed
                else:
                    line.rollups.put(_decoded(raw[:needed], name, level, start))
            except Corrupt:
                continue
        if not size:
            return


def _head(name: str, level: int, start: int) -> Protocol[Head]:
    raw = yield GetRange(name, 0, _FIRST_READ)
    size = head_bytes(raw, name)
    if size > len(raw):
        raw = yield GetRange(name, 0, size)
    return _decoded(raw[:size], name, level, start)


def _decoded(raw: bytes, name: str, level: int, start: int) -> Head:
    head = decode_head(raw, name)
    if (head.level, head.start) != (level, start):
        raise Corrupt(f"{name} covers other positions than its name says", object=name)
    return head


def read_segment(line: Line, start: int) -> Protocol[tuple[Record, ...]]:
    """The records of a segment, from the store and not kept: for whoever does not hold the line. Raises Corrupt."""
    key = line.segment_key(start)
    try:
        raw = (yield Get(key)).data
    except NotFound as error:
        raise missing(key) from error
    found = decode_segment(raw, key)
    check_fork_point(line, found, key)
    return found
