"""An index run in which some objects lie elsewhere than before."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Mapping

from mic.core.indexrun import PLACE, Columns, IndexRun, Place, assemble, fan_bits


def repoint(run: IndexRun, moved: Mapping[bytes, Place]) -> bytes:
    """The run over the same positions with the places of `moved`, each of which it must know already.

    Only the column of places is made anew: no object per entry that stays.
    """
    columns = run.columns()
    hashes, rows = bytes(columns.hashes), bytearray(columns.places)
    keys = list(columns.keys)
    numbers = {key: number for number, key in enumerate(keys)}
    listed = _Hashes(hashes)
    for object_hash, place in moved.items():
        at = bisect_left(listed, object_hash)
        assert listed[at] == object_hash
        key = place.key.encode("ascii")
        if key not in numbers:
            numbers[key] = len(keys)
            keys.append(key)
        PLACE.pack_into(rows, at * PLACE.size, numbers[key], place.kind, place.offset, place.length)
    made = Columns(keys, hashes, bytes(rows), bytes(columns.ids), bytes(columns.positions))
    return assemble(run.first, run.head, made, _fan_out(listed))


class _Hashes:
    """A column of 32-byte hashes as a sequence to search in."""

    def __init__(self, column: bytes) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column) // 32

    def __getitem__(self, at: int) -> bytes:
        return self._column[at * 32 : at * 32 + 32]


def _fan_out(hashes: _Hashes) -> bytes:
    """How many hashes begin with each prefix or a smaller one."""
    bits = fan_bits(len(hashes))
    ends = [
        bisect_left(hashes, ((prefix + 1) << (32 - bits)).to_bytes(5, "big")[1:]) for prefix in range((1 << bits) - 1)
    ]
    return struct.pack(f">{1 << bits}I", *ends, len(hashes))
