"""Sealing: segments of 1,000 records and the index run over them, so that a cold reader need not walk.

Everything here is derived and create-only: any number of front ends may do it at once, the first write
stands and the others were going to write the same.
"""

from __future__ import annotations

from mic.core.errors import AlreadyExists
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.core.segment import SEGMENT, encode_segment
from mic.ledger.effects import Protocol, PutNew
from mic.ledger.line import Line, records


def due(line: Line) -> bool:
    """Whether a segment's worth of landings waits."""
    return line.head is not None and line.head.position // SEGMENT * SEGMENT > line.covered.position


def seal(line: Line) -> Protocol[int]:
    """Write what is due; the position up to which everything is sealed now."""
    if not due(line):
        return line.sealed
    assert line.head is not None
    for start in range(line.sealed + 1, line.head.position - SEGMENT + 2, SEGMENT):
        raw = encode_segment((yield from records(line, start, start + SEGMENT - 1)))
        yield from _create(line.segment_key(start), raw)
    yield from _write_run(line)
    floor = line.sealed
    line.tail = [epoch for epoch in line.tail if epoch.new.position > floor]
    return floor


def _write_run(line: Line) -> Protocol[None]:
    """One run over every epoch beyond the last run."""
    first = line.covered.position + 1
    epochs = [epoch for epoch in line.tail if epoch.new.position >= first]
    places: dict[bytes, Place] = {}
    sessions: dict[bytes, int] = {}
    keys = {line.epoch_key(epoch.new) for epoch in epochs}
    keys |= {line.pack_key(pack.hash) for epoch in epochs for pack in epoch.packs}
    for object_hash, place in line.objects.recent.items():
        if place.key in keys:
            places[object_hash] = place
    for epoch in epochs:
        for record in epoch.records:
            sessions[record.session] = record.position
    head = epochs[-1].new
    raw = encode_run(first, head, places, sessions)
    key = line.run_key(first, head.position)
    yield from _create(key, raw)
    line.objects.runs.append(IndexRun(raw, key))
    line.covered = head
    for object_hash in places:
        del line.objects.recent[object_hash]
    for session in sessions:
        line.sessions.pop(session, None)


def _create(key: str, raw: bytes) -> Protocol[None]:
    try:
        yield PutNew(key, raw)
    except AlreadyExists:
        return
