"""The Git objects of a project: several packs read as one. Every object read is verified by its id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mic.core.errors import Corrupt, NotFound
from mic.git.packentry import (
    MAX_HEADER,
    NAMES,
    OFS_DELTA,
    REF_DELTA,
    TREE,
    Header,
    apply_delta,
    inflate,
    object_id,
    read_header,
)
from mic.git.packindex import ELSEWHERE, FAR_BASE, NO_BASE, PackIndex
from mic.git.packtable import PackTable

# Trees and commits are read again and again while versions are compared; contents are not.
_CACHE_BYTES = 48 << 20
_CACHED = 1 << 20
# Git itself makes chains of 50; more than this is a trap.
MAX_CHAIN = 4096
# What a delta may make: larger contents are kept whole, outside of packs.
MAX_WHOLE = 256 << 20


# A pack that is kept has the first, one that was sent the second.
Index = PackIndex | PackTable


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack with its index; `read(offset, length)` gives bytes of it, `name` is for messages."""

    name: str
    index: Index
    read: Callable[[int, int], bytes | memoryview]


class Found(NamedTuple):
    """Where an object is: a pack and its number there, its type, its size, and whether it is a content elsewhere."""

    pack: Pack
    number: int
    kind: int
    size: int
    elsewhere: bool


class Packs:
    """Objects by id. `content(sha256)` gives the pieces of a content that the project has outside of its packs.

    Not thread-safe: the cache of read objects is not guarded.
    """

    def __init__(self, packs: Sequence[Pack], content: Callable[[bytes], Iterator[bytes]]) -> None:
        self.packs = list(packs)
        self.content = content
        self._cache: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()
        self._cached = 0
        # What was met on the way to another object: versions of one file or tree are asked for one after the other.
        self._unverified: set[bytes] = set()

    def find(self, oid: bytes) -> Found | None:
        """Where an object is, None when it is not here."""
        for pack in self.packs:
            number = pack.index.find(oid)
            if number is not None:
                kind, _, _, _, size = pack.index.place(number)
                return Found(pack, number, kind & ~ELSEWHERE, size, bool(kind & ELSEWHERE))
        return None

    def require(self, oid: bytes) -> Found:
        """Where an object is; NotFound."""
        found = self.find(oid)
        if found is None:
            raise NotFound(f"There is no Git object {oid.hex()} here.", hint="Fetch again.")
        return found

    def has(self, oid: bytes) -> bool:
        return any(pack.index.find(oid) is not None for pack in self.packs)

    def entry(self, found: Found) -> tuple[Header, memoryview]:
        """The header and all bytes of an entry that is in a pack."""
        _, offset, stored, _, _ = found.pack.index.place(found.number)
        raw = memoryview(found.pack.read(offset, stored))
        if len(raw) != stored:
            raise Corrupt(f"{found.pack.name} ends before its object {found.number}.", object=found.pack.name)
        return read_header(raw, 0, found.pack.name), raw

    def base_of(self, found: Found) -> bytes | None:
        """The id of the object that this one's delta leans on, None when it is no delta."""
        _, offset, stored, base, _ = found.pack.index.place(found.number)
        if found.elsewhere or base == NO_BASE:
            return None
        if base != FAR_BASE:
            return found.pack.index.oid(base)
        header = read_header(bytes(found.pack.read(offset, min(stored, MAX_HEADER))), 0, found.pack.name)
        if header.kind != REF_DELTA:
            raise Corrupt(f"{found.pack.name} and its index do not fit together.", object=found.pack.name)
        return header.base

    def read(self, oid: bytes, kind: int = 0) -> tuple[int, bytes]:
        """(type, bytes) of an object. NotFound when absent, Corrupt when damaged or not of the `kind` that is asked."""
        cached = self._cache.get(oid)
        if cached is not None:
            self._cache.move_to_end(oid)
            if oid in self._unverified:
                self._verify(oid, cached, self.require(oid))
                self._unverified.discard(oid)
            return self._typed(oid, cached, kind)
        found = self.require(oid)
        if found.size > MAX_WHOLE:
            raise Corrupt(f"Git object {oid.hex()} has {found.size} bytes, too many to be read whole.")
        if found.elsewhere:
            place = found.pack.index.place(found.number)
            got = found.kind, b"".join(self.content(found.pack.index.other(place[1])))
        else:
            got = found.kind, self._resolve(oid, found)
        self._verify(oid, got, found)
        self._keep(oid, got)
        return self._typed(oid, got, kind)

    def _verify(self, oid: bytes, got: tuple[int, bytes], found: Found) -> None:
        if object_id(*got) != oid:
            raise Corrupt(f"Git object {oid.hex()} in {found.pack.name} is damaged.", object=found.pack.name)

    def _typed(self, oid: bytes, got: tuple[int, bytes], kind: int) -> tuple[int, bytes]:
        if kind and got[0] != kind:
            raise Corrupt(f"Git object {oid.hex()} is a {NAMES[got[0]].decode()}, not a {NAMES[kind].decode()}.")
        return got

    def _resolve(self, oid: bytes, found: Found) -> bytes:
        """The bytes of an object, not verified; what its chain of deltas makes on the way is kept for others."""
        kind, at = found.kind, oid
        deltas: list[tuple[bytes, bytes]] = []
        while True:
            header, raw = self.entry(found)
            data, _ = inflate(raw, header.data, header.size, found.pack.name)
            if header.kind not in (OFS_DELTA, REF_DELTA):
                self._met(at, oid, kind, data)
                break
            deltas.append((at, data))
            if len(deltas) > MAX_CHAIN:
                raise Corrupt(f"{found.pack.name} holds a chain of more than {MAX_CHAIN} deltas.")
            base = self.base_of(found)
            if base is None:
                raise Corrupt(f"{found.pack.name} and its index do not fit together.", object=found.pack.name)
            known = self._cache.get(base)
            if known is not None:
                self._cache.move_to_end(base)
                data = known[1]
                break
            below = self.find(base)
            if below is None:
                raise Corrupt(f"{found.pack.name} leans on an object that is missing: {base.hex()}.")
            if below.elsewhere:
                data = self.read(base)[1]
                break
            at, found = base, below
        for at, delta in reversed(deltas):
            data = apply_delta(data, delta)
            self._met(at, oid, kind, data)
        return data

    def _met(self, at: bytes, oid: bytes, kind: int, data: bytes) -> None:
        """Keep what was made on the way to `oid`, to be verified when it is read for its own sake."""
        if at != oid and len(data) <= _CACHED and at not in self._cache:
            self._unverified.add(at)
            self._keep(at, (kind, data))

    def _keep(self, oid: bytes, got: tuple[int, bytes]) -> None:
        if len(got[1]) > _CACHED:
            return
        self._cache[oid] = got
        self._cached += len(got[1]) + 200
        while self._cached > _CACHE_BYTES:
            gone, (_, old) = self._cache.popitem(last=False)
            self._unverified.discard(gone)
            self._cached -= len(old) + 200

    def tree(self, oid: bytes) -> bytes:
        """The bytes of a tree."""
        return self.read(oid, TREE)[1]
