"""Records of a line by position: from segments for the sealed past, from epochs for what came since."""

from __future__ import annotations

from collections.abc import Iterable

from mic.core.errors import Corrupt, NotFound
from mic.core.record import Record
from mic.core.segment import check_segment, decode_segment, segment_start
from mic.ledger.effects import Get, Protocol
from mic.ledger.line import Line
from mic.ledger.objects import missing

_MAX_SEGMENTS = 16


def records(line: Line, first: int, last: int) -> Protocol[list[Record]]:
    """Records first..last (inclusive), which must be at or below the head of the last refresh."""
    assert line.head is not None
    assert 1 <= first <= last <= line.head.position
    out: list[Record] = []
    at = first
    if line.origin is not None and first <= line.start.position:
        out += yield from records(line.origin, first, min(last, line.start.position))
        at = line.start.position + 1
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


def may_name(line: Line, position: int, contents: Iterable[bytes]) -> Protocol[bool]:
    """Whether the segment of a position can hold a record that names one of these contents.

    True where there is no segment, or one that is in memory already. Corrupt when it is damaged.
    """
    start = segment_start(position)
    if line.origin is not None and start <= line.start.position:
        return position > line.start.position or (yield from may_name(line.origin, position, contents))
    if position > line.sealed or start in line.segments:
        return True
    key = line.segment_key(start)
    raw = yield from _read(key)
    check_segment(raw, key)
    if not any(content in raw for content in contents):
        return False
    _keep(line, start, decode_segment(raw, key))
    return True


def _segment(line: Line, start: int) -> Protocol[tuple[Record, ...]]:
    found = line.segments.get(start)
    if found is None:
        key = line.segment_key(start)
        found = decode_segment((yield from _read(key)), key)
        check_fork_point(line, found, key)
        _keep(line, start, found)
    return found


def _read(key: str) -> Protocol[bytes]:
    try:
        return (yield Get(key)).data  # type: ignore[no-any-return]
    except NotFound as error:
        raise missing(key) from error


def _keep(line: Line, start: int, found: tuple[Record, ...]) -> None:
    line.segments[start] = found
    while len(line.segments) > _MAX_SEGMENTS:
        line.segments.popitem(last=False)


def check_fork_point(line: Line, found: tuple[Record, ...], key: str) -> None:
    """A segment around the fork point holds records of two lines: they must meet in the head that both share."""
    start, first = line.start, found[0].position
    if line.origin is None or not first <= start.position < first + len(found):
        return
    shared = found[start.position - first]
    if (shared.root_after, shared.hlc) != (start.tree, start.hlc):
        raise Corrupt(f"{key} holds another landing @{start.position} than the fork began with", object=key)
