"""Checking rollups: each says what is made of the records of its range, and has the filter that belongs to it.

What is compressed may be other bytes than another version of the library makes, so it is compared unpacked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mic.core.errors import Corrupt
from mic.core.record import Record
from mic.core.rollup import (
    LEVELS,
    PARTS,
    Head,
    decode_bucket,
    decode_head,
    head_bytes,
    roll_parts,
    roll_records,
    rollup_start,
    span,
)
from mic.core.segment import SEGMENT
from mic.ledger.line import Line


class RollupCheck:
    """`records` are those of the log by position. Rollups are asked about level by level, from the lowest up."""

    def __init__(self, line: Line, records: Mapping[int, Record]) -> None:
        self._line, self._records = line, records
        self._made: dict[tuple[int, int], bytes] = {}

    def wrong(self, key: str, read: Callable[[], bytes]) -> str:
        """Why a rollup is not what it should be, "" when it is; `read` gives its bytes."""
        level, start = self._named(key)
        if not level:
            return "no rollup has this name"
        last = start + span(level) - 1
        if not all(position in self._records for position in (start, last)):
            return f"positions {start} to {last} have not landed"
        self._made = {place: raw for place, raw in self._made.items() if place[0] >= level - 1}
        raw, made = read(), self._make(level, start)
        self._made[level, start] = made
        return "" if raw == made or _said(raw, key) == _said(made, key) else "it is not what is made of the log"

    def reaches(self, key: str) -> int:
        """The last position that a rollup covers, as its name says; 0 when it is no rollup."""
        level, start = self._named(key)
        return start + span(level) - 1 if level else 0

    def _named(self, key: str) -> tuple[int, int]:
        for level in range(1, LEVELS + 1):
            name = key.removeprefix(self._line.rollup_prefix(level)).removesuffix(".bloom")
            if len(name) == 12 and name.isdecimal() and int(name) and rollup_start(level, int(name)) == int(name):
                return (level, int(name)) if self._line.rollup_key(level, int(name)) == key else (0, 0)
        return 0, 0

    def _make(self, level: int, start: int) -> bytes:
        if (found := self._made.get((level, start))) is not None:
            return found
        if level == 1:
            return roll_records([self._records[start + at] for at in range(SEGMENT)])
        name, size = self._line.rollup_key(level, start), span(level - 1)
        parts = [self._make(level - 1, start + at * size) for at in range(PARTS)]
        return roll_parts([(decode_head(raw[: head_bytes(raw, name)], name), raw) for raw in parts], name)


def _said(raw: bytes, name: str) -> tuple[Head, list[tuple[bytes, ...]]]:
    head = decode_head(raw[: head_bytes(raw, name)], name)
    at, buckets = head.size, []
    for length in head.lengths:
        buckets.append(tuple(column.tobytes() for column in decode_bucket(raw[at : at + length], name)))
        at += length
    if at != len(raw):
        raise Corrupt(f"{name} is damaged: {len(raw) - at} bytes too many", object=name)
    return head._replace(lengths=(), size=0), buckets
