"""Index runs: where every object of a range of positions lies, and at which position each session landed.

    'MICX' u8 version=2 u8 bits u8[2] | u64 first | u64 last | 48B head at last
    u32 containers | u32 key bytes | containers x u32 end of its key | keys
    u32 objects | 2**bits x u32 objects whose first `bits` bits are at most this
    objects x 32B hash (sorted) | objects x (u32 container, u8 kind, u64 offset, u32 length)
    u32 sessions | sessions x 16B id (sorted) | sessions x u64 position
    u32 crc32c of everything before

Version 1, which is still read, has `containers x (u16 length, key)` and no fan-out. A run is a function of the
epochs or of the runs it covers, written create-only. It saves a cold reader the walk over those epochs; without
it everything can still be found.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Mapping, Sequence
from mmap import mmap
from typing import NamedTuple, cast

import google_crc32c

from mic.core.codec import Reader, crc32c
from mic.core.epoch import MAX_OFFSET
from mic.core.errors import Corrupt
from mic.core.head import HEAD_BYTES, Head, decode_head

MAGIC = b"MICX"
VERSION = 2
PLACE = struct.Struct(">IBQI")
# The fan-out leaves 8 to 15 hashes to search: half a byte an object, and three steps instead of twenty.
_SEARCHED = 4
MAX_BITS = 24
# A checksum is taken over pieces, so that a mapped run is never copied whole.
_PIECE = 1 << 20
_NAME = re.compile(r"(\d{12})-(\d{12})(?:\.(\d{4}))?\.run")

Buffer = bytes | memoryview | mmap


class RunName(NamedTuple):
    """What the name of a run says. Of the runs over the same positions the one of the highest generation counts."""

    first: int
    last: int
    generation: int = 0

    def text(self) -> str:
        """The last part of the key."""
        suffix = f".{self.generation:04d}" if self.generation else ""
        return f"{self.first:012d}-{self.last:012d}{suffix}.run"


def parse_run_name(text: str) -> RunName | None:
    """The name of a run from the last part of its key; None for any other name."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    name = RunName(int(found[1]), int(found[2]), int(found[3] or 0))
    return name if name.text() == text and 0 < name.first <= name.last else None


class Place(NamedTuple):
    """Where a stored object lies: a key, a range of it, and what it is."""

    key: str
    kind: int
    offset: int
    length: int


class IndexRun:
    """A run, searched in place in any buffer: no object per entry, nothing copied but what is looked at.

    Raises Corrupt when the buffer is no run or its checksum, which is taken here and never again, does not match.
    """

    def __init__(self, raw: Buffer, name: str) -> None:
        self.name = name
        self._view = memoryview(raw)
        self.size = len(self._view)
        reader = _Cursor(self._view, name)
        if self.size < 4 or _checksum(self._view[:-4]) != bytes(self._view[-4:]):
            raise reader.fail("its checksum does not match")
        reader.end = self.size - 4
        reader.expect(MAGIC)
        version, self._bits = reader.u8(), reader.u8()
        reader.take(2)
        if not 0 < version <= VERSION:
            raise reader.fail("its version is newer than this program knows")
        if self._bits > MAX_BITS or (version == 1 and self._bits):
            raise reader.fail(f"a fan-out of {self._bits} bits")
        self.first, self.last = reader.u64(), reader.u64()
        self.head = decode_head(reader.take(HEAD_BYTES), name)
        self._read_keys(reader, version)
        self.objects = reader.count(reader.u32(), 32 + PLACE.size)
        self._fan_out = reader.skip(4 << self._bits) if version > 1 else -1
        self._hashes = reader.skip(32 * self.objects)
        self._places = reader.skip(PLACE.size * self.objects)
        self.sessions = reader.count(reader.u32(), 24)
        self._ids = reader.skip(16 * self.sessions)
        self._positions = reader.skip(8 * self.sessions)
        reader.done()

    def _read_keys(self, reader: _Cursor, version: int) -> None:
        self.containers = reader.u32()
        self._ends: array[int] | None = None
        if version > 1:
            key_bytes = reader.u32()
            reader.count(self.containers, 4)
            self._key_ends = reader.skip(4 * self.containers)
            self._keys = reader.skip(key_bytes)
            self._key_bytes = key_bytes
            return
        reader.count(self.containers, 2)
        self._keys = reader.pos
        self._ends = array("Q")  # of each key, counted from the start of the first; two bytes stand before each
        for _ in range(self.containers):
            reader.skip(reader.u16())
            self._ends.append(reader.pos - self._keys)
        self._key_bytes = reader.pos - self._keys

    def key(self, container: int) -> str:
        """The key of a container; raises Corrupt when there is none of that number or it is no key."""
        if container >= self.containers:
            raise self._damage(f"it names container {container} of {self.containers}")
        if self._ends is not None:
            start, end = (self._ends[container - 1] if container else 0) + 2, self._ends[container]
        elif container:
            start, end = struct.unpack_from(">II", self._view, self._key_ends + 4 * container - 4)
        else:
            start, end = 0, struct.unpack_from(">I", self._view, self._key_ends)[0]
        raw = bytes(self._view[self._keys + start : self._keys + end])
        if not start <= end <= self._key_bytes or not raw.isascii():
            raise self._damage(f"container {container} has no key")
        return raw.decode("ascii")

    def find(self, object_hash: bytes) -> Place | None:
        """Where an object lies, or None; raises Corrupt when what it says cannot be."""
        low, high = 0, self.objects
        if self._fan_out >= 0:
            low, high = self._bucket(object_hash)
        at = self._search(self._hashes, 32, low, high, object_hash)
        if at is None:
            return None
        container, kind, offset, length = PLACE.unpack_from(self._view, self._places + at * PLACE.size)
        if offset > MAX_OFFSET:
            raise self._damage(f"it names byte {offset} of container {container}")
        return Place(self.key(container), kind, offset, length)

    def _bucket(self, object_hash: bytes) -> tuple[int, int]:
        """First and behind the last of the hashes that begin as this one."""
        prefix = int.from_bytes(object_hash[:4], "big") >> (32 - self._bits)
        if prefix:
            low, high = struct.unpack_from(">II", self._view, self._fan_out + 4 * prefix - 4)
        else:
            low, high = 0, struct.unpack_from(">I", self._view, self._fan_out)[0]
        if not low <= high <= self.objects:
            raise self._damage(f"its fan-out goes from {low} to {high} of {self.objects} objects")
        return low, high

    def session(self, session_id: bytes) -> int | None:
        """The position at which a session landed, or None."""
        at = self._search(self._ids, 16, 0, self.sessions, session_id)
        if at is None:
            return None
        return int(struct.unpack_from(">Q", self._view, self._positions + 8 * at)[0])

    def _search(self, column: int, width: int, low: int, high: int, wanted: bytes) -> int | None:
        view, stop = self._view, high
        while low < high:
            middle = (low + high) // 2
            start = column + middle * width
            if bytes(view[start : start + width]) < wanted:
                low = middle + 1
            else:
                high = middle
        start = column + low * width
        return low if low < stop and bytes(view[start : start + width]) == wanted else None

    def _damage(self, why: str) -> Corrupt:
        return Corrupt(
            f"{self.name} is damaged: {why}",
            hint="remove it: it is made again from what it covers",
            object=self.name,
        )

    def columns(self) -> Columns:
        """Everything as it lies in the buffer, for merging."""
        keys = [self.key(container).encode() for container in range(self.containers)]
        view = self._view
        return Columns(
            keys,
            view[self._hashes : self._hashes + 32 * self.objects],
            view[self._places : self._places + PLACE.size * self.objects],
            view[self._ids : self._ids + 16 * self.sessions],
            view[self._positions : self._positions + 8 * self.sessions],
        )


class Columns(NamedTuple):
    """The columns of a run: keys of containers, 32B hashes and 17B places, 16B session ids and u64 positions."""

    keys: Sequence[bytes]
    hashes: bytes | memoryview
    places: bytes | memoryview
    ids: bytes | memoryview
    positions: bytes | memoryview


class _Cursor(Reader):
    """A reader over a buffer that copies what it takes and passes over columns without reading them."""

    def __init__(self, view: memoryview, name: str) -> None:
        super().__init__(cast(bytes, view), name)

    def take(self, count: int) -> bytes:
        return bytes(super().take(count))

    def skip(self, count: int) -> int:
        """Where the next `count` bytes begin; they are passed over."""
        start = self.pos
        if count > self.end - start:
            raise self.fail(f"wanted {count} bytes, {self.end - start} are left")
        self.pos = start + count
        return start


def _checksum(view: memoryview) -> bytes:
    value = 0
    for start in range(0, len(view), _PIECE):
        value = google_crc32c.extend(value, bytes(view[start : start + _PIECE]))
    return value.to_bytes(4, "big")


def fan_bits(objects: int) -> int:
    """How many leading bits of a hash the fan-out of a run of so many objects tells apart."""
    return min(max(objects.bit_length() - _SEARCHED, 0), MAX_BITS)


def encode_run(first: int, head: Head, places: Mapping[bytes, Place], sessions: Mapping[bytes, int]) -> bytes:
    """The object for positions first..head.position."""
    keys: dict[str, int] = {}
    hashes = sorted(places)
    rows = []
    bits = fan_bits(len(hashes))
    counts = [0] * (1 << bits)
    for object_hash in hashes:
        place = places[object_hash]
        container = keys.setdefault(place.key, len(keys))
        rows.append(PLACE.pack(container, place.kind, place.offset, place.length))
        counts[int.from_bytes(object_hash[:4], "big") >> (32 - bits)] += 1
    fan_out, total = [], 0
    for count in counts:
        total += count
        fan_out.append(total)
    ids: Sequence[bytes] = sorted(sessions)
    columns = Columns(
        [key.encode("ascii") for key in keys],
        b"".join(hashes),
        b"".join(rows),
        b"".join(ids),
        struct.pack(f">{len(ids)}Q", *(sessions[session_id] for session_id in ids)),
    )
    return assemble(first, head, columns, struct.pack(f">{len(fan_out)}I", *fan_out))


def assemble(first: int, head: Head, columns: Columns, fan_out: bytes) -> bytes:
    """A run of sorted columns. `fan_out` has 2**fan_bits(objects) u32."""
    ends, total = array("I"), 0
    for key in columns.keys:
        total += len(key)
        ends.append(total)
    objects = len(columns.hashes) // 32
    body = b"".join(
        (
            MAGIC,
            bytes((VERSION, fan_bits(objects), 0, 0)),
            first.to_bytes(8, "big"),
            head.position.to_bytes(8, "big"),
            head.encode(),
            len(ends).to_bytes(4, "big"),
            total.to_bytes(4, "big"),
            struct.pack(f">{len(ends)}I", *ends),
            *columns.keys,
            objects.to_bytes(4, "big"),
            fan_out,
            columns.hashes,
            columns.places,
            (len(columns.ids) // 16).to_bytes(4, "big"),
            columns.ids,
            columns.positions,
        )
    )
    return body + crc32c(body)
