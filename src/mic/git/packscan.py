"""Reading a pack that somebody sent: every object inflated, named and looked at once, within limits."""

from __future__ import annotations

import hashlib
import time
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
from mic.git.packindex import Packed

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


# Called for each object: id, type, bytes.
Visit = Callable[[bytes, int, bytes], None]
# Gives (type, bytes) of an object that is not in the pack, None when there is none.
External = Callable[[bytes], tuple[int, bytes] | None]


class _Delta(NamedTuple):
    offset: int
    data: int  # where its zlib stream begins
    size: int  # of the delta
    stored: int  # bytes of the entry


class _Scan:
    def __init__(self, raw: memoryview, external: External, visit: Visit, limits: Limits) -> None:
        self.raw, self.external, self.visit, self.limits = raw, external, visit, limits
        self.found: dict[bytes, Packed] = {}
        self.inflated = 0
        self._started = time.thread_time()
        self._timed = _BETWEEN_LOOKS  # bytes since the clock was looked at, which takes as long as reading an object
        self._by_offset: dict[int, list[_Delta]] = {}
        self._by_oid: dict[bytes, list[_Delta]] = {}
        self._plain: dict[int, tuple[bytes, int, int, int]] = {}  # offset -> id, type, data, size
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

    def _object(self, kind: int, data: bytes, offset: int, stored: int, base: bytes) -> bytes:
        oid = object_id(kind, data)
        if oid not in self.found:
            self.found[oid] = Packed(oid, kind, offset, stored, len(data), base)
            self.visit(oid, kind, data)
        return oid

    def entries(self, count: int) -> int:
        """Read all entries; objects that are no deltas are done. Where the last one ends."""
        at, raw = PACK_HEADER, self.raw
        work = self.limits.made + self.limits.each * count + _INFLATES * len(raw)
        for _ in range(count):
            start = at
            header = read_header(raw, at, NAME)
            self._whole(header.size)
            data, at = inflate(raw, at + header.data, header.size, NAME)
            self._count(header.size)
            if header.kind in NAMES:
                oid = self._object(header.kind, data, start, at - start, b"")
                self._plain[start] = oid, header.kind, start + header.data, header.size
                continue
            made = delta_sizes(data)[1]
            self._whole(made)
            work -= made + _INSTRUCTION * header.size
            if work < 0:
                raise TooLarge(
                    f"The pack's deltas ask for work out of proportion to its {len(raw):,} bytes.",
                    hint="Push fewer commits at once, or land large files that change often with mic.",
                )
            delta = _Delta(start, start + header.data, header.size, at - start)
            self._waiting += 1
            if header.kind == OFS_DELTA:
                self._by_offset.setdefault(start - header.distance, []).append(delta)
            else:
                self._by_oid.setdefault(header.base, []).append(delta)
        return at

    def deltas(self) -> None:
        """Make what leans on others: from each base down, so that few are in memory at once."""
        for offset, (oid, kind, data, size) in self._plain.items():
            if offset in self._by_offset or oid in self._by_oid:
                self._below(oid, kind, offset, inflate(self.raw, data, size, NAME)[0])
        for oid in list(self._by_oid):
            if oid not in self._by_oid:
                continue
            got = self.external(oid)
            if got is not None:
                self._below(oid, got[0], -1, got[1])
        if self._waiting:
            missing = next(iter(self._by_oid), b"")
            what = f"on {missing.hex()}, which is neither in it nor here" if missing else "on each other"
            raise InvalidInput(
                f"The pack holds deltas that lean {what}.", hint="Push again; `git fsck` checks your side."
            )

    def _below(self, oid: bytes, kind: int, offset: int, data: bytes) -> None:
        stack: list[tuple[bytes, bytes, int, Iterator[_Delta]]] = []

        def descend(base: bytes, at: int, data: bytes, before: int) -> None:
            children = self._by_offset.pop(at, []) + self._by_oid.pop(base, [])
            if children:
                stack.append((base, data, before + len(data), iter(children)))
                if len(stack) > self.limits.depth:
                    raise TooLarge(f"The pack holds a chain of more than {self.limits.depth} deltas.")
                if stack[-1][2] > self.limits.chain:
                    raise TooLarge(
                        f"The pack holds a chain of deltas that makes more than {self.limits.chain:,} bytes.",
                        hint="`git repack -adf --depth=10` makes shorter ones.",
                    )

        descend(oid, offset, data, 0)
        while stack:
            base, data, so_far, children = stack[-1]
            delta = next(children, None)
            if delta is None:
                stack.pop()
                continue
            change, _ = inflate(self.raw, delta.data, delta.size, NAME)
            made = apply_delta(data, change)
            self._count(len(made))
            self._waiting -= 1
            descend(self._object(kind, made, delta.offset, delta.stored, base), delta.offset, made, so_far)


def scan_pack(raw: memoryview, external: External, visit: Visit, limits: Limits = Limits()) -> dict[bytes, Packed]:  # noqa: B008 - a value
    """The objects of a pack by id, each visited once; those that are there twice count once.

    Raises Corrupt or InvalidInput for what is no pack, TooLarge beyond a limit.
    """
    if len(raw) < PACK_HEADER + PACK_TRAILER or bytes(raw[:4]) != b"PACK":
        raise InvalidInput("What was sent is no Git pack.", hint="Push again with git.")
    version, count = int.from_bytes(raw[4:8], "big"), int.from_bytes(raw[8:12], "big")
    if version not in (2, 3):
        raise InvalidInput(f"The pack is of version {version}; 2 and 3 are known.")
    if count > limits.objects:
        raise TooLarge(f"The pack holds {count:,} objects; the limit is {limits.objects:,}.")
    scan = _Scan(raw[: len(raw) - PACK_TRAILER], external, visit, limits)
    end = scan.entries(count)
    if end != len(raw) - PACK_TRAILER:
        raise InvalidInput(f"The pack has {len(raw) - PACK_TRAILER - end} bytes behind its last object.")
    digest = hashlib.sha1()  # noqa: S324 - a pack's trailer
    for start in range(0, end, 1 << 20):
        digest.update(raw[start : min(end, start + (1 << 20))])
    if digest.digest() != bytes(raw[end:]):
        raise InvalidInput("The pack's checksum is not that of its bytes.", hint="Push again.")
    scan.deltas()
    return scan.found
