"""Versions of a tree, read where they differ: a folder of a thousand files has a thousand entries in each version.

A pack keeps a version of a tree as a delta on another one. What both begin and end with was read with the other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from itertools import accumulate
from typing import NamedTuple

from mic.git.packentry import copies
from mic.git.tree_entries import readable_entries

# (mode as spelled, name, id)
Part = tuple[bytes, bytes, bytes]

# Bytes of trees that others may be made of soon.
_REMEMBERED = 16 << 20
# What is smaller is read in no more time than it takes to compare it.
_SMALL = 1 << 10


class Made(NamedTuple):
    """What an object was made of: id and bytes of another one, and the delta."""

    oid: bytes
    raw: bytes
    delta: bytes


class Window(NamedTuple):
    """What a tree has that the tree `base` has not, and the other way round. All else is the same, in the same order.

    `runs` are the fresh entries, where they stand: each run between the entry before it and the one behind it.
    """

    base: bytes
    fresh: list[Part]
    gone: list[Part]
    runs: list[list[Part]]


class _Known(NamedTuple):
    raw: bytes
    starts: array[int]  # of each entry, and of what would be the next


class Windows:
    """Remembers the trees that were read last, and where their entries begin. For one thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._bytes = 0

    def over(self, oid: bytes, raw: bytes, made: Made) -> Window | None:
        """Where a tree differs from the one that it was made of; None where it is to be read whole."""
        if min(len(raw), len(made.raw)) < _SMALL:
            return None
        known = self._known.get(made.oid) or self._read(made.oid, made.raw)
        if known is None:
            return None
        old, starts = known
        at, taken = 0, 0  # bytes of the tree, and entries of the old one, that are done
        fresh, gone, spans = [], [], []
        new = array("I")
        for place, source, length in [*copies(made.delta), (len(raw), len(old), 0)]:
            first = bisect_left(starts, source)
            last = bisect_right(starts, source + length) - 1
            if length and first >= last:
                continue  # less than an entry
            stop = place + starts[first] - source
            if first < taken or stop < at:
                return None  # not in the order of the old one
            if stop > at:
                parts, readable = readable_entries(raw[at:stop])
                if not readable:
                    return None
                new.extend(accumulate((len(part[0]) + len(part[1]) + 22 for part in parts[:-1]), initial=at))
                fresh += parts
                spans.append((len(new) - len(parts), len(new)))
            gone += _parts(old, starts, taken, first)
            new += _moved(starts[first:last], stop - starts[first])
            at, taken = stop + starts[last] - starts[first], last
        new.append(len(raw))
        self._keep(oid, _Known(raw, new))
        runs = [_parts(raw, new, max(low - 1, 0), min(high + 1, len(new) - 1)) for low, high in spans]
        return Window(made.oid, fresh, gone, runs)

    def _read(self, oid: bytes, raw: bytes) -> _Known | None:
        parts, readable = readable_entries(raw)
        if not readable:
            return None
        lengths = (len(digits) + len(name) + 22 for digits, name, _ in parts)
        return self._keep(oid, _Known(raw, array("I", accumulate(lengths, initial=0))))

    def _keep(self, oid: bytes, known: _Known) -> _Known:
        if oid not in self._known:
            self._known[oid] = known
            self._bytes += len(known.raw)
            while self._bytes > _REMEMBERED and len(self._known) > 1:
                self._bytes -= len(self._known.popitem(last=False)[1].raw)
        return known


def _moved(starts: array[int], by: int) -> array[int]:
    return array("I", [start + by for start in starts]) if by else starts


def _parts(raw: bytes, starts: array[int], first: int, last: int) -> list[Part]:
    """The entries `first` to `last`, that one not included."""
    return readable_entries(raw[starts[first] : starts[last]])[0] if first < last else []
