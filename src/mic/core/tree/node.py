"""Tree nodes: columns in memory, columns in storage.

    leaf   'MICT' u8 version u8 0     u16 n | u32 key_bytes | u16 key_length[n] | keys
           | u8 mode[n] | u8 kind[n] | varint size[n] | 32B hash[n] | u16 raw_mode[k]
    inner  'MICT' u8 version u8 level u16 n | u32 key_bytes | u16 key_length[n] | last_key[n]
           | u64 files[n] | u64 bytes[n] | 32B child[n]

`raw_mode` holds one value for each entry whose mode code is 4, in order. The identity of a node is the
SHA-256 of these bytes. A node object is immutable; no Python object is made per entry.
"""

from __future__ import annotations

import hashlib
import struct
from itertools import accumulate, pairwise
from typing import NamedTuple

from mic.core.codec import Reader, varint

MAGIC = b"MICT"
VERSION = 1
MAX_KEY = 16_384
# A node ends at 700 entries; a decoder refuses anything beyond what a writer can make.
MAX_NODE_ENTRIES = 700

BLOB, CHUNKED, CONFLICT = 0, 1, 2
DIRECTORY = 255  # only in listings, never stored

MODE_CODES = {0o100644: 0, 0o100755: 1, 0o120000: 2, 0o160000: 3}
MODES = (0o100644, 0o100755, 0o120000, 0o160000)
OTHER_MODE = 4


class Entry(NamedTuple):
    """One file of a tree. `mode` is Git's, `kind` one of BLOB, CHUNKED, CONFLICT (DIRECTORY in listings)."""

    path: bytes
    mode: int
    kind: int
    size: int
    hash: bytes


class Leaf:
    """Files, sorted by path. Columns: `keys`, `modes` (codes), `kinds`, `sizes`, `hashes` (32 bytes each, joined)."""

    __slots__ = ("_marks", "hash", "hashes", "keys", "kinds", "modes", "others", "raw", "sizes")
    level = 0

    def __init__(
        self,
        keys: list[bytes],
        modes: bytes,
        kinds: bytes,
        sizes: list[int],
        hashes: bytes,
        others: dict[bytes, int],
        raw: bytes = b"",
    ) -> None:
        self.keys = keys
        self.modes = modes
        self.kinds = kinds
        self.sizes = sizes
        self.hashes = hashes
        self.others = others
        self._marks: list[int] | None = None
        self.raw = raw or self._encode()
        self.hash = hashlib.sha256(self.raw).digest()

    def _encode(self) -> bytes:
        keys = self.keys
        joined = b"".join(keys)
        parts = [
            MAGIC,
            struct.pack(f">BBHI{len(keys)}H", VERSION, 0, len(keys), len(joined), *map(len, keys)),
            joined,
            self.modes,
            self.kinds,
            b"".join(map(varint, self.sizes)),
            self.hashes,
        ]
        if OTHER_MODE in self.modes:
            raw_modes = [self.others[key] for key, code in zip(keys, self.modes, strict=True) if code == OTHER_MODE]
            parts.append(struct.pack(f">{len(raw_modes)}H", *raw_modes))
        return b"".join(parts)

    def entry(self, index: int) -> Entry:
        """Entry number `index`."""
        key = self.keys[index]
        code = self.modes[index]
        mode = self.others[key] if code == OTHER_MODE else MODES[code]
        return Entry(key, mode, self.kinds[index], self.sizes[index], self.hashes[index * 32 : index * 32 + 32])

    @property
    def files(self) -> int:
        return len(self.keys)

    @property
    def bytes(self) -> int:
        return sum(self.sizes)


class Inner:
    """Nodes of the level below, by their last key. Columns: `keys`, `files`, `sizes`, `children`."""

    __slots__ = ("_marks", "children", "counts", "hash", "keys", "level", "raw", "sizes")

    def __init__(
        self,
        level: int,
        keys: list[bytes],
        counts: list[int],
        sizes: list[int],
        children: list[bytes],
        raw: bytes = b"",
    ) -> None:
        self.level = level
        self.keys = keys
        self.counts = counts
        self.sizes = sizes
        self.children = children
        self._marks: list[int] | None = None
        self.raw = raw or self._encode()
        self.hash = hashlib.sha256(self.raw).digest()

    def _encode(self) -> bytes:
        keys = self.keys
        n = len(keys)
        joined = b"".join(keys)
        return b"".join(
            (
                MAGIC,
                struct.pack(f">BBHI{n}H", VERSION, self.level, n, len(joined), *map(len, keys)),
                joined,
                struct.pack(f">{n}Q{n}Q", *self.counts, *self.sizes),
                *self.children,
            )
        )

    @property
    def files(self) -> int:
        return sum(self.counts)

    @property
    def bytes(self) -> int:
        return sum(self.sizes)


Node = Leaf | Inner

EMPTY_LEAF = Leaf([], b"", b"", [], b"", {})
EMPTY_TREE = EMPTY_LEAF.hash


def decode_node(raw: bytes, name: str) -> Node:
    """A node from its bytes. Raises Corrupt on anything a writer would not have written."""
    reader = Reader(raw, name)
    reader.expect(MAGIC)
    version, level, n, key_bytes = reader.u8(), reader.u8(), reader.u16(), reader.u32()
    if version != VERSION:
        raise reader.fail(f"version {version} is newer than this program knows")
    if n > MAX_NODE_ENTRIES or (n == 0 and level > 0):
        raise reader.fail(f"{n} entries in one node")
    lengths = struct.unpack(f">{n}H", reader.take(2 * n))
    if sum(lengths) != key_bytes or any(not 0 < length <= MAX_KEY for length in lengths):
        raise reader.fail("key lengths do not add up")
    joined = reader.take(key_bytes)
    keys = [joined[end - length : end] for end, length in zip(accumulate(lengths), lengths, strict=True)]
    if any(left >= right for left, right in pairwise(keys)):
        raise reader.fail("keys are not sorted")
    if level:
        counts = list(struct.unpack(f">{n}Q", reader.take(8 * n)))
        sizes = list(struct.unpack(f">{n}Q", reader.take(8 * n)))
        column = reader.take(32 * n)
        reader.done()
        return Inner(level, keys, counts, sizes, [column[at : at + 32] for at in range(0, 32 * n, 32)], raw)
    modes, kinds = reader.take(n), reader.take(n)
    if n and max(modes) > OTHER_MODE:
        raise reader.fail(f"mode code {max(modes)} is unknown")
    sizes = [reader.varint() for _ in range(n)]
    hashes = reader.take(32 * n)
    others: dict[bytes, int] = {}
    if OTHER_MODE in modes:
        others = {key: reader.u16() for key, code in zip(keys, modes, strict=True) if code == OTHER_MODE}
    reader.done()
    return Leaf(keys, modes, kinds, sizes, hashes, others, raw)
