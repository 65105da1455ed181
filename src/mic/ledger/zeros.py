"""Writing zeros where something was erased: over the ranges that are written down, in place, whatever names them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from mic.core.errors import Busy, Corrupt, NotFound, PreconditionFailed, Unavailable
from mic.core.tombstone import Range
from mic.ledger.effects import FreshWhole, Protocol, Put
from mic.ledger.line import Line
from mic.ledger.tip import replace
from mic.ledger.tombstones import read_graves
from mic.store import Tagged

_ATTEMPTS = 64


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


def _zero_one(key: str, ranges: Sequence[Range]) -> Protocol[bool]:
    """Whether it was written. Nobody else's zeros go with it: it is written over what was read, or read again."""
    for _ in range(_ATTEMPTS):
        try:
            found = yield from _read_surely(key)
        except NotFound:
            return False  # nobody named it, and it was collected
        data = bytearray(found.data)
        for _, offset, length in ranges:
            data[offset : offset + length] = bytes(length)
        if len(data) != len(found.data):
            raise Corrupt(f"{key} is cut short: something was erased behind its end", object=key)
        if data == found.data:
            return False
        with contextlib.suppress(PreconditionFailed):
            # A request that arrives late finds another object, and brings nothing back. Where the store knows no
            # conditions, or no tag of an object so large, it may: whoever sweeps finds that.
            if found.tag:
                yield from replace(key, bytes(data), found.tag)
            else:
                yield Put(key, bytes(data))
            return True
    raise Busy(f"others write to {key} all the time", hint="repeat it; the erasure goes on where it is")


def _read_surely(key: str) -> Protocol[Tagged]:
    """An object, read twice: what is written back must not be a wrong bit, nor cut short."""
    found: Tagged = yield FreshWhole(key)
    for _ in range(_ATTEMPTS):
        again: Tagged = yield FreshWhole(key)
        if again.data == found.data:
            return again
        found = again  # one of the two was misread, or somebody else writes zeros just now
    raise Unavailable(f"each reading of {key} is another", hint="repeat it; the erasure goes on where it is")
