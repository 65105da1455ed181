"""Reading a pack that somebody sent: every object inflated, named and looked at once, within limits."""

from __future__ import annotations

import hashlib
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mic.core.errors import InvalidInput, TooLarge
from mic.git.packentry import (
    NAMES,
    OFS_DELTA,
    PACK_HEADER,
    PACK_TRAILER,
    apply_delta,
    delta_sizes,
    inflate,
    object_id,
    read_header,
)
from mic.git.packtable import PackTable
from mic.git.tree_windows import Made

NAME = "the pack that was sent"


class Limits(NamedTuple):
    """What a pack may ask of us. `seconds` are of processor time, `whole` bytes of one object in memory.

    Deltas may make `made` bytes in all, and `each` more for every object of the pack, so that what a few bytes ask for
    is done in a second; `chain` are the bytes that one chain of them makes, which every later reader of its end makes.
    """

    objects: int = 5_000_000
    inflated: int = 16 << 30
    whole: int = 256 << 20
    depth: int = 4096
    seconds: float = 900.0
    made: int = 512 << 20
    each: int = 4 << 20
    chain: int = 4 << 30


# What one object counts beside its bytes, and how many bytes are read from one look at the clock to the next.
_AN_OBJECT = 2_000
_BETWEEN_LOOKS = 1 << 20
# zlib itself makes no more of a byte.
_INFLATES = 1000
# An instruction takes as long as copying a few hundred bytes, and has two bytes or more.
_INSTRUCTION = 100


# Called for each object: id, type, bytes; and what it was made of, where that was visited before.
Visit = Callable[[bytes, int, bytes, Made | None], None]
# Gives (type, bytes) of an object that is not in the pack, None when there is none.
External = Callable[[bytes], tuple[int, bytes] | None]

_NONE = 0xFFFFFFFF


class _Base(NamedTuple):
    """What deltas are applied to. `number` is None where it is not in the pack; `so_far` are the chain's bytes."""

    number: int | None
    oid: bytes
    data: bytes
    so_far: int
    children: Iterator[int]


class _Scan:
    def __init__(self, raw: memoryview, external: External, visit: Visit, limits: Limits, table: PackTable) -> None:
        self.raw, self.external, self.visit, self.limits, self.table = raw, external, visit, limits, table
        self.inflated = 0
        self._started = time.thread_time()
        self._timed = _BETWEEN_LOOKS  # bytes since the clock was looked at, which takes as long as reading an object
        self._plain = bytearray()  # whether an entry is no delta
        # The deltas on an entry: the first of them, and behind each the next one.
        self._first, self._next = array("I"), array("I")
        self._by_oid: dict[bytes, list[int]] = {}
        self._waiting = 0

    def _count(self, size: int) -> None:
        self.inflated += size
        if self.inflated > self.limits.inflated:
            raise TooLarge(f"The pack holds more than {self.limits.inflated:,} bytes of objects.")
        self._timed += size + _AN_OBJECT
        if self._timed < _BETWEEN_LOOKS:
            return
        self._timed = 0
        if time.thread_time() - self._started > self.limits.seconds:
            raise TooLarge(f"The pack takes more than {self.limits.seconds:g} seconds to read.")

    def _whole(self, size: int) -> None:
        if size > self.limits.whole:
            raise TooLarge(
                f"An object of {size:,} bytes was sent; the limit is {self.limits.whole:,}.",
                hint="Land large files with mic, which sends them in chunks.",
            )

    def _object(self, number: int, kind: int, data: bytes, of: Made | None) -> tuple[int, bytes]:
        """The number under which the object counts, and its id."""
        oid = object_id(kind, data)
        counts = self.table.settle(number, kind, oid, len(data))
        if counts == number:
            self.visit(oid, kind, data, of)
        return counts, oid

    def entries(self, count: int) -> int:
        """Read all entries; objects that are no deltas are done. Where the last one ends."""
        at, raw, table = PACK_HEADER, self.raw, self.table
        work = self.limits.made + self.limits.each * count + _INFLATES * len(raw)
        leans = array("I")  # an entry's base by its number, where that is known
        for _ in range(count):
            start = at
            number = table.entry(start)
            header = read_header(raw, at, NAME)
            self._whole(header.size)
            data, at = inflate(raw, at + header.data, header.size, NAME)
            self._count(header.size)
            plain = header.kind in NAMES
            self._plain.append(plain)
            leans.append(_NONE)
            if plain:
                self._object(number, header.kind, data, None)
                continue
            made = delta_sizes(data)[1]
            self._whole(made)
            work -= made + _INSTRUCTION * header.size
            if work < 0:
                raise TooLarge(
                    f"The pack's deltas ask for work out of proportion to its {len(raw):,} bytes.",
                    hint="Push fewer commits at once, or land large files that change often with mic.",
                )
            self._waiting += 1
            if header.kind != OFS_DELTA:
                self._by_oid.setdefault(header.base, []).append(number)
                continue
            base = bisect_left(table.offsets, start - header.distance) if header.distance <= start else number
            if base < number and table.offsets[base] == start - header.distance:
                leans[number] = base
        table.end(at)
        self._first = array("I", [_NONE]) * count
        self._next = array("I", [_NONE]) * count
        for number in range(count - 1, -1, -1):  # so that the first stands first
            base = leans[number]
            if base != _NONE:
                self._next[number] = self._first[base]
                self._first[base] = number
        return at

    def deltas(self) -> None:
        """Make what leans on others: from each base down, so that few are in memory at once."""
        table = self.table
        for number, plain in enumerate(self._plain):
            if plain and self._is_leant_on(number, table.oid(number)):
                header = read_header(self.raw, table.offsets[number], NAME)
                data = inflate(self.raw, table.offsets[number] + header.data, header.size, NAME)[0]
                self._below(number, table.oid(number), header.kind, data)
        for oid in list(self._by_oid):
            if oid not in self._by_oid:
                continue
            got = self.external(oid)
            if got is not None:
                self._below(None, oid, *got)
        if self._waiting:
            missing = next(iter(self._by_oid), b"")
            what = f"on {missing.hex()}, which is neither in it nor here" if missing else "on each other"
            raise InvalidInput(
                f"The pack holds deltas that lean {what}.", hint="Push again; `git fsck` checks your side."
            )

    def _is_leant_on(self, number: int | None, oid: bytes) -> bool:
        return oid in self._by_oid or (number is not None and self._first[number] != _NONE)

    def _children(self, number: int | None, oid: bytes) -> Iterator[int]:
        """The deltas on an entry, and on its object by id; each is given once."""
        named = self._by_oid.pop(oid, [])
        child = _NONE if number is None else self._first[number]
        if number is not None:
            self._first[number] = _NONE
        while child != _NONE:
            yield child
            child = self._next[child]
        yield from named

    def _below(self, number: int | None, oid: bytes, kind: int, data: bytes) -> None:
        stack: list[_Base] = []

        def descend(entry: int | None, counts: int | None, oid: bytes, data: bytes, before: int) -> None:
            if not self._is_leant_on(entry, oid):
                return
            stack.append(_Base(counts, oid, data, before + len(data), self._children(entry, oid)))
            if len(stack) > self.limits.depth:
                raise TooLarge(f"The pack holds a chain of more than {self.limits.depth} deltas.")
            if stack[-1].so_far > self.limits.chain:
                raise TooLarge(
                    f"The pack holds a chain of deltas that makes more than {self.limits.chain:,} bytes.",
                    hint="`git repack -adf --depth=10` makes shorter ones.",
                )

        descend(number, number if number is None else self.table.find(oid), oid, data, 0)
        while stack:
            base = stack[-1]
            child = next(base.children, None)
            if child is None:
                stack.pop()
                continue
            at = self.table.offsets[child]
            header = read_header(self.raw, at, NAME)
            change, _ = inflate(self.raw, at + header.data, header.size, NAME)
            made = apply_delta(base.data, change)
            self._count(len(made))
            self._waiting -= 1
            if base.number is None:
                self.table.lean_far(child, base.oid)
            else:
                self.table.lean(child, base.number)
            # What is here already was judged by other rules, perhaps, when it came.
            counts, made_oid = self._object(
                child, kind, made, None if base.number is None else Made(base.oid, base.data, change)
            )
            descend(child, counts, made_oid, made, base.so_far)


def scan_pack(
    raw: memoryview,
    external: External,
    visit: Visit,
    limits: Limits = Limits(),  # noqa: B008 - a value
    table: PackTable | None = None,
) -> PackTable:
    """The objects of a pack, each visited once; those that are there twice count once. An empty `table` is filled.

    Raises Corrupt or InvalidInput for what is no pack, TooLarge beyond a limit.
    """
    if len(raw) < PACK_HEADER + PACK_TRAILER or bytes(raw[:4]) != b"PACK":
        raise InvalidInput("What was sent is no Git pack.", hint="Push again with git.")
    version, count = int.from_bytes(raw[4:8], "big"), int.from_bytes(raw[8:12], "big")
    if version not in (2, 3):
        raise InvalidInput(f"The pack is of version {version}; 2 and 3 are known.")
    if count > limits.objects:
        raise TooLarge(f"The pack holds {count:,} objects; the limit is {limits.objects:,}.")
    scan = _Scan(raw[: len(raw) - PACK_TRAILER], external, visit, limits, table if table is not None else PackTable())
    end = scan.entries(count)
    if end != len(raw) - PACK_TRAILER:
        raise InvalidInput(f"The pack has {len(raw) - PACK_TRAILER - end} bytes behind its last object.")
    digest = hashlib.sha1()  # noqa: S324 - a pack's trailer
    for start in range(0, end, 1 << 20):
        digest.update(raw[start : min(end, start + (1 << 20))])
    if digest.digest() != bytes(raw[end:]):
        raise InvalidInput("The pack's checksum is not that of its bytes.", hint="Push again.")
    scan.deltas()
    return scan.table
