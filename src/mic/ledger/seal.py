"""Sealing: segments of 1,000 records and the index run over them, so that a cold reader need not walk.

Everything here is derived and create-only: any number of front ends may do it at once, the first write
stands and the others were going to write the same.
"""

from __future__ import annotations

from mic.core.errors import AlreadyExists
from mic.core.segment import SEGMENT, encode_segment
from mic.ledger.effects import Protocol, PutNew
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.runs import write_run


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
    yield from write_run(line)
    floor = line.sealed
    line.tail = [epoch for epoch in line.tail if epoch.new.position > floor]
    return floor


def _create(key: str, raw: bytes) -> Protocol[None]:
    try:
        yield PutNew(key, raw)
    except AlreadyExists:
        return
