"""Node bytes from outside: checked once, then read in place."""

from __future__ import annotations

import struct
from itertools import accumulate, islice, pairwise
from operator import ge

from mic.core.codec import Reader
from mic.core.tree.node import (
    HEADER,
    MAGIC,
    MAX_KEY,
    MAX_NODE_ENTRIES,
    MODE_CODES,
    OTHER_MODE,
    VARINT_CLASSES,
    VERSION,
    Inner,
    Leaf,
    Node,
    offsets_array,
    varint_ends,
)

_LONGEST_VARINT = 10


def decode_node(raw: bytes, name: str, node_hash: bytes | None = None) -> Node:
    """A node from its bytes; `node_hash` is its SHA-256 when that has been checked already.

    Raises Corrupt, naming the object and the offset, on anything a writer would not have written.
    """
    reader = Reader(raw, name)
    reader.expect(MAGIC)
    version, level, n, key_bytes = reader.u8(), reader.u8(), reader.u16(), reader.u32()
    if version != VERSION:
        raise reader.fail(f"version {version} is newer than this program knows")
    if n > MAX_NODE_ENTRIES or (n == 0 and level > 0):
        raise reader.fail(f"{n} entries in one node")
    lengths = struct.unpack(f">{n}H", reader.take(2 * n))
    if sum(lengths) != key_bytes or (n and not 0 < min(lengths) <= max(lengths) <= MAX_KEY):
        raise reader.fail("key lengths do not add up")
    reader.take(key_bytes)
    at = list(accumulate(lengths, initial=HEADER.size + 2 * n))
    keys = [raw[start:end] for start, end in pairwise(at)]  # for this check alone, and gone behind it
    if any(map(ge, keys, islice(keys, 1, None))):
        raise reader.fail("keys are not sorted")
    offsets = offsets_array(at, at[-1])
    if level:
        reader.take(48 * n)
        reader.done()
        return Inner(raw, node_hash, offsets)
    modes = reader.take(n)
    reader.take(n)
    if n and max(modes) > OTHER_MODE:
        raise reader.fail(f"mode code {max(modes)} is unknown")
    size_offsets = [reader.pos, *_read_sizes(reader, n)]
    reader.take(32 * n)
    for _ in range(modes.count(OTHER_MODE)):
        if (mode := reader.u16()) in MODE_CODES:
            raise reader.fail(f"mode {mode:o} is written out, and has a code")
    reader.done()
    return Leaf(raw, node_hash, offsets, offsets_array(size_offsets, size_offsets[-1]))


def _read_sizes(reader: Reader, count: int) -> list[int]:
    """Where each of the next `count` varints ends; moves the reader behind them."""
    start = reader.pos
    stop = min(start + _LONGEST_VARINT * count, reader.end)
    ends = varint_ends(reader.data, start, stop, count)
    flags = reader.data[start : ends[-1] if ends else start].translate(VARINT_CLASSES)
    # Three searches decide the common case; a reader that names the offset looks closer at the others.
    if len(ends) < count or b"\x00\x02" in flags or bytes(_LONGEST_VARINT - 1) in flags:
        for _ in range(count):
            reader.varint()
        reader.pos = start
    reader.pos = ends[-1] if ends else start
    return ends
