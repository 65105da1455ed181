"""The index of a kept Git pack: where each object is, how large, and what each commit names.

    'MICJ' u8 version=1 u8[3]=0 | u64 pack bytes | u32 objects | 256 x u32 objects whose first byte is at most this
    objects x 20B id (sorted) | objects x (u8 type, u64 offset, u32 stored bytes, u32 base, u64 size)
    u32 commits | commits x (u32 object, 20B tree, i64 committed, u8 parents) | u32 parents | parents x 20B
    u32 others | others x (32B SHA-256) | u32 crc32c of everything before

`type` is Git's (1 commit, 2 tree, 3 blob, 4 tag), with 0x10 for an object that is stored elsewhere: its offset is the
number of the SHA-256 under which the project has the content. `base` is the number of the object that a delta leans on,
NO_BASE for none, FAR_BASE for one in another pack, which the entry itself names. `size` is that of the object.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.errors import Corrupt

MAGIC = b"MICJ" + bytes((1, 0, 0, 0))
ELSEWHERE = 0x10
NO_BASE = 0xFFFFFFFF
FAR_BASE = 0xFFFFFFFE
_PLACE = struct.Struct(">BQIIQ")
_COMMIT = struct.Struct(">I20sqB")
_FAN = struct.Struct(">256I")


class Packed(NamedTuple):
    """One object of a pack. `stored` are the bytes of its entry; `other` the SHA-256 of a content that is elsewhere."""

    oid: bytes
    kind: int
    offset: int
    stored: int
    size: int
    base: bytes = b""  # the id of the object that its delta leans on
    other: bytes = b""


class CommitLine(NamedTuple):
    """What a commit names, and when it was committed (Unix seconds)."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    committed: int


class Ends(NamedTuple):
    """Where the commits of a pack end: those that none of it has as a parent, and parents that are not in it."""

    heads: frozenset[bytes]
    outside: frozenset[bytes]


def encode_index(pack_bytes: int, objects: Sequence[Packed], commits: Sequence[CommitLine]) -> bytes:
    """The index of a pack of `pack_bytes` with these objects, in any order."""
    ordered = sorted(objects)
    number = {item.oid: at for at, item in enumerate(ordered)}
    assert len(number) == len(ordered), "an object twice in one pack"
    fan = [0] * 256
    for item in ordered:
        fan[item.oid[0]] += 1
    for byte in range(1, 256):
        fan[byte] += fan[byte - 1]
    others = sorted({item.other for item in ordered if item.other})
    other_number = {name: at for at, name in enumerate(others)}
    places = bytearray()
    for item in ordered:
        base = number.get(item.base, FAR_BASE) if item.base else NO_BASE
        kind, offset = (item.kind | ELSEWHERE, other_number[item.other]) if item.other else (item.kind, item.offset)
        places += _PLACE.pack(kind, offset, item.stored, base, item.size)
    parents = [parent for line in commits for parent in line.parents]
    lines = bytearray()
    for line in commits:
        lines += _COMMIT.pack(number[line.oid], line.tree, line.committed, len(line.parents))
    body = b"".join(
        (
            MAGIC,
            pack_bytes.to_bytes(8, "big"),
            len(ordered).to_bytes(4, "big"),
            _FAN.pack(*fan),
            b"".join(item.oid for item in ordered),
            bytes(places),
            len(commits).to_bytes(4, "big"),
            bytes(lines),
            len(parents).to_bytes(4, "big"),
            b"".join(parents),
            len(others).to_bytes(4, "big"),
            b"".join(others),
        )
    )
    return body + crc32c(body)


class PackIndex:
    """An index, searched in place. Raises Corrupt when the bytes are none or their checksum does not match."""

    def __init__(self, raw: bytes, name: str) -> None:
        self.name, self._raw = name, raw
        if len(raw) < 4 or crc32c(raw[:-4]) != raw[-4:]:
            raise Reader(raw, name).fail("its checksum does not match")
        reader = Reader(raw, name, end=len(raw) - 4)
        reader.expect(MAGIC)
        self.pack_bytes = reader.u64()
        self.count = reader.u32()
        self._fan = _FAN.unpack(reader.take(_FAN.size))
        reader.count(self.count, 20 + _PLACE.size)
        self._oids = reader.pos
        reader.take(20 * self.count)
        self._places = reader.pos
        reader.take(_PLACE.size * self.count)
        self.commit_count = reader.count(reader.u32(), _COMMIT.size)
        self._commits = reader.pos
        reader.take(_COMMIT.size * self.commit_count)
        self._parent_count = reader.count(reader.u32(), 20)
        self._parents = reader.pos
        reader.take(20 * self._parent_count)
        self.others = reader.count(reader.u32(), 32)
        self._others = reader.pos
        reader.take(32 * self.others)
        reader.done()
        if self._fan[255] != self.count or any(a > b for a, b in zip(self._fan, self._fan[1:], strict=False)):
            raise reader.fail("its fan-out does not rise to its number of objects")

    def find(self, oid: bytes) -> int | None:
        """The number of an object, None when it is not in the pack."""
        low = self._fan[oid[0] - 1] if oid[0] else 0
        high = self._fan[oid[0]]
        raw, start = self._raw, self._oids
        while low < high:
            middle = (low + high) // 2
            at = start + 20 * middle
            found = raw[at : at + 20]
            if found == oid:
                return int(middle)
            if found < oid:
                low = middle + 1
            else:
                high = middle
        return None

    def oid(self, number: int) -> bytes:
        """The id of an object by its number."""
        at = self._oids + 20 * number
        return self._raw[at : at + 20]

    def place(self, number: int) -> tuple[int, int, int, int, int]:
        """(type with ELSEWHERE, offset, stored bytes, base, size) of an object."""
        kind, offset, stored, base, size = _PLACE.unpack_from(self._raw, self._places + _PLACE.size * number)
        inside = offset < self.others if kind & ELSEWHERE else offset + stored <= self.pack_bytes
        if not inside or not (base < self.count or base >= FAR_BASE) or not 0 < kind & ~ELSEWHERE <= 4:
            raise Corrupt(f"{self.name} is damaged: object {number} cannot be where it says.", object=self.name)
        return kind, offset, stored, base, size

    def other(self, number: int) -> bytes:
        """The SHA-256 of a content that is stored elsewhere."""
        at = self._others + 32 * number
        return self._raw[at : at + 32]

    def oids(self) -> Iterator[bytes]:
        """All ids, sorted."""
        raw = self._raw
        for at in range(self._oids, self._oids + 20 * self.count, 20):
            yield raw[at : at + 20]

    def objects(self) -> Iterator[Packed]:
        """All objects with their bases by id where these are in this pack (b"" for a base elsewhere), sorted by id."""
        for number, oid in enumerate(self.oids()):
            kind, offset, stored, base, size = self.place(number)
            other = self.other(offset) if kind & ELSEWHERE else b""
            near = self.oid(base) if base < self.count else b""
            yield Packed(oid, kind & ~ELSEWHERE, 0 if other else offset, stored, size, near, other)

    @cached_property
    def ends(self) -> Ends:
        """Where its commits end; a fifth of the time that reading them takes, and remembered."""
        raw, oids = self._raw, self._oids
        lines = memoryview(raw)[self._commits : self._commits + _COMMIT.size * self.commit_count]
        stop = self._parents + 20 * self._parent_count
        parents = {raw[at : at + 20] for at in range(self._parents, stop, 20)}
        places = (oids + 20 * number for number, _, _, _ in _COMMIT.iter_unpack(lines))
        commits = {raw[at : at + 20] for at in places}
        return Ends(frozenset(commits - parents), frozenset(parents - commits))

    def commits(self) -> Iterator[CommitLine]:
        """What each commit of the pack names."""
        raw, parent, oids = self._raw, self._parents, self._oids
        end = self._parents + 20 * self._parent_count
        lines = memoryview(raw)[self._commits : self._commits + _COMMIT.size * self.commit_count]
        for number, tree, committed, count in _COMMIT.iter_unpack(lines):
            stop = parent + 20 * count
            if number >= self.count or stop > end:
                raise Corrupt(f"{self.name} is damaged in its table of commits.", object=self.name)
            at = oids + 20 * number
            # Nearly all have one.
            parents = (raw[parent:stop],) if count == 1 else tuple(raw[p : p + 20] for p in range(parent, stop, 20))
            parent = stop
            yield CommitLine(raw[at : at + 20], tree, parents, committed)

    def commit_numbers(self) -> Iterator[tuple[int, int]]:
        """(number of the object, how many parents it names) of each commit, in the order of `commits`."""
        lines = memoryview(self._raw)[self._commits : self._commits + _COMMIT.size * self.commit_count]
        left = self._parent_count
        for number, _, _, count in _COMMIT.iter_unpack(lines):
            left -= count
            if number >= self.count or left < 0:
                raise Corrupt(f"{self.name} is damaged in its table of commits.", object=self.name)
            yield number, count

    def commit(self, row: int, parent: int) -> CommitLine:
        """The line at a place among those of the pack, whose first parent is at place `parent` among all parents."""
        number, tree, committed, count = _COMMIT.unpack_from(self._raw, self._commits + _COMMIT.size * row)
        raw, at = self._raw, self._parents + 20 * parent
        parents = tuple(raw[start : start + 20] for start in range(at, at + 20 * count, 20))
        return CommitLine(self.oid(number), tree, parents, committed)
