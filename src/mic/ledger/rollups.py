"""Writing rollups: for each complete range of sealed positions what touched which path, level by level.

All of it is derived and create-only: any number of front ends may do it at once, and nobody has to. A range is
complete when segments hold all of it. A rollup that is damaged or gone is passed over, and so is what would be made
of it.
"""

from __future__ import annotations

import contextlib

from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.rollup import LEVELS, PARTS, Head, decode_head, head_bytes, roll_parts, roll_records, rollup_start, span
from mic.core.segment import SEGMENT
from mic.ledger.effects import Attempt, Get, List, Protocol, PutNew
from mic.ledger.line import Line
from mic.ledger.log import records


def roll(line: Line) -> Protocol[int]:
    """Write what is due, as of the last look at the head; how many rollups were made."""
    made, sealed = 0, line.sealed
    first = line.start.position + 1 if line.origin is not None else 1
    for level in range(1, LEVELS + 1):
        size = span(level)
        if rollup_start(level, first) + size - 1 > sealed:
            break
        listed = yield List(line.rollup_prefix(level))
        known = {entry.key for entry in listed}
        for start in range(rollup_start(level, first), sealed - size + 2, size):
            key = line.rollup_key(level, start)
            if key in known:
                continue
            raw = yield from make(line, level, start)
            if raw is not None:
                with contextlib.suppress(AlreadyExists):  # another front end was faster
                    yield PutNew(key, raw)
                made += 1
    line.rolled = sealed
    return made


def make(line: Line, level: int, start: int) -> Protocol[bytes | None]:
    """The rollup of a range; None where it cannot be made of its parts."""
    if level == 1:
        return roll_records((yield from records(line, start, start + SEGMENT - 1)))
    size = span(level - 1)
    keys = [_key(line, level - 1, start + at * size) for at in range(PARTS)]
    found = yield tuple(Attempt(Get(key)) for key in keys)
    parts = []
    for at, (key, read) in enumerate(zip(keys, found, strict=True)):
        try:
            if isinstance(read, NotFound):
                return None
            if isinstance(read, Exception):
                raise read
            parts.append((read_head(read.data, key, level - 1, start + at * size), read.data))
        except Corrupt as error:
            line.faults.append(error)
            return None
    try:
        return roll_parts(parts, line.rollup_key(level, start))
    except Corrupt as error:
        line.faults.append(error)
        return None


def read_head(raw: bytes, key: str, level: int, start: int) -> Head:
    """The head of a rollup that is there whole; Corrupt when damaged, or over another range than its name says."""
    head = decode_head(raw[: head_bytes(raw, key)], key)
    if (head.level, head.start) != (level, start):
        raise Corrupt(f"{key} covers other positions than its name says", object=key)
    return head


def _key(line: Line, level: int, start: int) -> str:
    """Where the rollup of a range lies: with the project that has landed the end of it."""
    at = line
    while at.origin is not None and start + span(level) - 1 <= at.start.position:
        at = at.origin
    return at.rollup_key(level, start)
