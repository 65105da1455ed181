"""Records of a line by position: from segments for the sealed past, from epochs for what came since."""

from __future__ import annotations

from mic.core.errors import Corrupt, NotFound
from mic.core.record import Record
from mic.core.segment import decode_segment, segment_start
from mic.ledger.effects import Get, Protocol
from mic.ledger.line import Line

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


def _segment(line: Line, start: int) -> Protocol[tuple[Record, ...]]:
    found = line.segments.get(start)
    if found is None:
        key = line.segment_key(start)
        try:
            raw = (yield Get(key)).data
        except NotFound as error:
            raise Corrupt(f"{key} is missing from the store", hint="restore it from a backup", object=key) from error
        found = decode_segment(raw, key)
        _check_fork_point(line, found, key)
        line.segments[start] = found
        while len(line.segments) > _MAX_SEGMENTS:
            line.segments.popitem(last=False)
    return found


def _check_fork_point(line: Line, found: tuple[Record, ...], key: str) -> None:
    """A segment around the fork point holds records of two lines: they must meet in the head that both share."""
    start, first = line.start, found[0].position
    if line.origin is None or not first <= start.position < first + len(found):
        return
    shared = found[start.position - first]
    if (shared.root_after, shared.hlc) != (start.tree, start.hlc):
        raise Corrupt(f"{key} holds another landing @{start.position} than the fork began with", object=key)
