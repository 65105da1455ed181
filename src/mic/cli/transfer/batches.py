"""Many small contents in few files of a cache: making a file takes longer than fetching what goes into it.

A batch is an entry of class `batches`: contents one after the other, under a random id. Where each content lies is
said by 16 entries of class `index`, one for each first hex digit of a hash: rows sorted by hash,

    32B hash | 8B batch | u32 offset | u32 length

Two processes that add at once may lose each other's rows; what is not found is fetched again. Every content is
checked against its hash by whoever reads it.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Sequence

from mic.store.disk_cache import DiskCache

BATCH_BYTES = 2 << 20
_ROW = struct.Struct(">32s8sII")
# Contents are asked for in about the order in which they came, so few batches are at work at a time.
_HELD = 4


class Batches:
    """Contents in batches of one cache. Not safe between threads."""

    def __init__(self, disk: DiskCache) -> None:
        self._disk = disk
        self._limit = min(BATCH_BYTES, disk.max_entry - 4096)
        self._index: dict[int, bytes] = {}
        self._held: OrderedDict[bytes, bytes | None] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether there is any content, as far as is known here."""
        return any(map(self._rows, range(16)))

    def get(self, content_hash: bytes) -> bytes | None:
        """What is said to be the content of this hash, or None."""
        rows = self._rows(content_hash[0] >> 4)
        low, high = 0, len(rows) // _ROW.size
        while low < high:
            middle = (low + high) // 2
            if rows[middle * _ROW.size : middle * _ROW.size + 32] < content_hash:
                low = middle + 1
            else:
                high = middle
        row = rows[low * _ROW.size : (low + 1) * _ROW.size]
        if row[:32] != content_hash:
            return None
        _, name, offset, length = _ROW.unpack(row)
        batch = self._batch(name)
        return None if batch is None or offset + length > len(batch) else batch[offset : offset + length]

    def add(self, contents: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep contents, given with their hashes."""
        self.note(self.store(contents))

    def store(self, contents: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Write contents, given with their hashes, into batches; the rows by which `note` makes them known."""
        fresh: list[bytes] = []
        at = 0
        while at < len(contents):
            name, size = os.urandom(8), 0
            parts: list[bytes] = []
            while at < len(contents) and (not parts or size + len(contents[at][1]) <= self._limit):
                content_hash, data = contents[at]
                fresh.append(_ROW.pack(content_hash, name, size, len(data)))
                parts.append(data)
                size, at = size + len(data), at + 1
            self._disk.put("batches", name, b"".join(parts))
        return b"".join(fresh)

    def note(self, rows: bytes) -> None:
        """Make known where contents lie: rows of `store`, here or in other processes."""
        fresh: dict[int, list[bytes]] = {}
        for at in range(0, len(rows), _ROW.size):
            fresh.setdefault(rows[at] >> 4, []).append(rows[at : at + _ROW.size])
        gone: dict[bytes, bool] = {}
        for digit, some in fresh.items():
            self._write_index(digit, some, gone)

    def _write_index(self, digit: int, fresh: list[bytes], gone: dict[bytes, bool]) -> None:
        self._index.pop(digit, None)
        old = self._rows(digit)
        merged = {}
        for at in range(0, len(old), _ROW.size):
            row = old[at : at + _ROW.size]
            name = row[32:40]
            if name not in gone:
                gone[name] = not self._disk.has("batches", name)
            if not gone[name]:
                merged[row[:32]] = row
        merged.update((row[:32], row) for row in fresh)
        rows = b"".join(merged[content_hash] for content_hash in sorted(merged))
        self._disk.put("index", b"%x" % digit, rows)
        self._index[digit] = rows

    def _rows(self, digit: int) -> bytes:
        rows = self._index.get(digit)
        if rows is None:
            rows = self._disk.get("index", b"%x" % digit) or b""
            self._index[digit] = rows = rows if len(rows) % _ROW.size == 0 else b""
        return rows

    def _batch(self, name: bytes) -> bytes | None:
        if name not in self._held:
            self._held[name] = self._disk.get("batches", name)
            if len(self._held) > _HELD:
                self._held.popitem(last=False)
        return self._held[name]
