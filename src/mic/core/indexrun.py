"""Index runs: where every object of a range of positions lies, and at which position each session landed.

    'MICX' u8 version u8[3] | u64 first | u64 last | 48B head at last
    u32 containers | containers x (u16 length, key)
    u32 objects | objects x 32B hash (sorted) | objects x (u32 container, u8 kind, u64 offset, u32 length)
    u32 sessions | sessions x 16B id (sorted) | sessions x u64 position
    u32 crc32c of everything before

A run is a function of the epochs it covers, written create-only. It saves a cold reader the walk over
those epochs; without it everything can still be found.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.epoch import MAX_OFFSET
from mic.core.errors import Corrupt
from mic.core.head import HEAD_BYTES, Head, decode_head

MAGIC = b"MICX"
VERSION = 1
_PLACE = struct.Struct(">IBQI")


class Place(NamedTuple):
    """Where a stored object lies: a key, a range of it, and what it is."""

    key: str
    kind: int
    offset: int
    length: int


class IndexRun:
    """A run, searched in place: 32 bytes a hash and 17 a place, no object per entry."""

    def __init__(self, raw: bytes, name: str) -> None:
        if len(raw) < 4 or crc32c(raw[:-4]) != raw[-4:]:
            raise Reader(raw, name).fail("its checksum does not match")
        reader = Reader(raw, name, end=len(raw) - 4)
        reader.expect(MAGIC)
        if reader.take(4)[0] != VERSION:
            raise reader.fail("its version is newer than this program knows")
        self.first, self.last = reader.u64(), reader.u64()
        self.head = decode_head(reader.take(HEAD_BYTES), name)
        self._name = name
        keys = [reader.take(reader.u16()) for _ in range(reader.count(reader.u32(), 2))]
        if not all(map(bytes.isascii, keys)):
            raise reader.fail("a key is not ASCII")
        self._keys = [key.decode("ascii") for key in keys]
        self._count = reader.count(reader.u32(), 32 + _PLACE.size)
        self._hashes = reader.take(32 * self._count)
        self._places = reader.take(_PLACE.size * self._count)
        self._session_count = reader.count(reader.u32(), 24)
        self._sessions = reader.take(16 * self._session_count)
        self._positions = reader.take(8 * self._session_count)
        reader.done()

    def find(self, object_hash: bytes) -> Place | None:
        """Where an object lies, or None; raises Corrupt when it names a container that is not there."""
        at = _search(self._hashes, 32, self._count, object_hash)
        if at is None:
            return None
        container, kind, offset, length = _PLACE.unpack_from(self._places, at * _PLACE.size)
        if container >= len(self._keys) or offset > MAX_OFFSET:
            raise Corrupt(
                f"{self._name} is damaged: it names byte {offset} of container {container}", object=self._name
            )
        return Place(self._keys[container], kind, offset, length)

    def session(self, session_id: bytes) -> int | None:
        """The position at which a session landed, or None."""
        at = _search(self._sessions, 16, self._session_count, session_id)
        return None if at is None else int.from_bytes(self._positions[at * 8 : at * 8 + 8], "big")


def _search(column: bytes, width: int, count: int, wanted: bytes) -> int | None:
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if column[middle * width : middle * width + width] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < count and column[low * width : low * width + width] == wanted else None


def encode_run(first: int, head: Head, places: Mapping[bytes, Place], sessions: Mapping[bytes, int]) -> bytes:
    """The object for positions first..head.position."""
    keys: dict[str, int] = {}
    hashes = sorted(places)
    rows = []
    for object_hash in hashes:
        place = places[object_hash]
        container = keys.setdefault(place.key, len(keys))
        rows.append(_PLACE.pack(container, place.kind, place.offset, place.length))
    ids: Sequence[bytes] = sorted(sessions)
    body = b"".join(
        (
            MAGIC,
            bytes((VERSION, 0, 0, 0)),
            first.to_bytes(8, "big"),
            head.position.to_bytes(8, "big"),
            head.encode(),
            len(keys).to_bytes(4, "big"),
            *(len(key.encode()).to_bytes(2, "big") + key.encode() for key in keys),
            len(hashes).to_bytes(4, "big"),
            *hashes,
            *rows,
            len(ids).to_bytes(4, "big"),
            *ids,
            *(sessions[session_id].to_bytes(8, "big") for session_id in ids),
        )
    )
    return body + crc32c(body)
