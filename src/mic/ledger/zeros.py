"""Writing zeros where something was erased: over the ranges that are written down, in place, whatever names them."""

from __future__ import annotations

from collections.abc import Iterable

from mic.core.errors import NotFound
from mic.core.tombstone import Range
from mic.ledger.effects import Fresh, Protocol, Put
from mic.ledger.line import Line
from mic.ledger.tombstones import read_graves

_WHOLE = 1 << 30  # more bytes than any container has


def write_zeros(line: Line) -> Protocol[list[str]]:
    """Write zeros over all ranges that are written down, of any erasure; the keys that were written."""
    done: list[str] = []
    while True:
        # All of them each time: of two that write the same object at once the last one has read too early, and looks
        # again behind its writing.
        displaced = (yield from read_graves(line)).displaced
        wanted: dict[str, list[Range]] = {}
        for item in displaced:
            for each in item.ranges:
                wanted.setdefault(line.prefix + each.name, []).append(each)
        wrote = False
        for key, ranges in sorted(wanted.items()):
            if (yield from _zero_one(key, ranges)):
                wrote = True
                done.append(key)
        if not wrote:
            return list(dict.fromkeys(done))


def _zero_one(key: str, ranges: Iterable[Range]) -> Protocol[bool]:
    try:
        raw: bytes = yield Fresh(key, 0, _WHOLE)
    except NotFound:
        return False  # nobody named it, and it was collected
    data = bytearray(raw)
    for _, offset, length in ranges:
        data[offset : offset + length] = bytes(len(data[offset : offset + length]))
    if data == raw:
        return False
    yield Put(key, bytes(data))
    return True
