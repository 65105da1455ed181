"""Content-defined chunks of large contents: FastCDC, with boundaries that are part of the stored format.

The rule (FastCDC, Xia et al., USENIX ATC 2016, normalisation level 2; the constants are ours):

* gear[i] = the first 8 bytes of SHA-256(b"mic.gear.v1" + bytes([i])) as a big-endian integer, for i in 0..255.
* H(p) = sum over k in 0..63 of gear[content[p - 1 - k]] << k, modulo 2**64: the hash of the 64 bytes before p.
* A chunk that begins at s ends at the first p with, for its length n = p - s,
      16,384 <= n <  65,536   and the upper 18 bits of H(p) are 0, or
      65,536 <= n < 131,072   and the upper 14 bits of H(p) are 0, or
      n = 131,072, or p = the end of the content.

Since 64 is below the least length, H never looks back past the chunk's own beginning: a chunk depends on its own
bytes alone. With numpy the window is summed in six doubling steps over whole arrays; without it byte by byte, for
the same boundaries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

MIN_CHUNK = 16 << 10
NORMAL_CHUNK = 64 << 10
MAX_CHUNK = 128 << 10
WINDOW = 64
STRICT_BITS = 18
LOOSE_BITS = 14

_READ = 1 << 20  # bytes asked of `read` at once
_STEP = 16 << 10  # positions that numpy looks at in one go: 128 KiB of 64-bit sums stay in the processor's cache
_MASK = (1 << 64) - 1

GEAR = tuple(int.from_bytes(hashlib.sha256(b"mic.gear.v1" + bytes([i])).digest()[:8], "big") for i in range(256))

# (data, first, stop, bits) -> the least n in [first, stop) where the upper `bits` bits of H(n) are 0, or None.
Finder = Callable[[bytes, int, int, int], int | None]


def chunk_stream(read: Callable[[int], bytes], find: Finder | None = None) -> Iterator[bytes]:
    """The chunks of what `read(n)` gives (at most n bytes a call, b"" at the end), in order.

    Joined they are the content; an empty content has none. At most 1.2 MiB are held. `find` replaces the search,
    which numpy does when it is installed.
    """
    finder = find or default_finder()
    buffer = bytearray()
    ended = False
    while True:
        while not ended and len(buffer) < MAX_CHUNK:
            piece = read(_READ)
            buffer += piece
            ended = not piece
        if not buffer:
            return
        head = bytes(buffer[:MAX_CHUNK])
        size = _cut(head, finder)
        yield head[:size]
        del buffer[:size]


def _cut(head: bytes, find: Finder) -> int:
    """The length of the chunk that begins `head`, which holds 128 KiB or all that is left."""
    size = len(head)
    if size <= MIN_CHUNK:
        return size
    found = find(head, MIN_CHUNK, min(size, NORMAL_CHUNK), STRICT_BITS)
    if found is None and size > NORMAL_CHUNK:
        found = find(head, NORMAL_CHUNK, size, LOOSE_BITS)
    return found or size


@cache
def default_finder() -> Finder:
    """The numpy search, or the plain one where numpy is missing."""
    try:
        return numpy_finder()
    except ImportError:
        return find_plain


def find_plain(data: bytes, first: int, stop: int, bits: int) -> int | None:
    """The search in plain Python, about 10 MB/s: the sum rolls on, since what is older than 64 bytes shifts out."""
    gear = GEAR
    below = 1 << (64 - bits)
    value = 0
    for byte in data[first - WINDOW : first]:
        value = (value << 1) + gear[byte] & _MASK
    if value < below:
        return first
    for size, byte in enumerate(data[first : stop - 1], first + 1):
        value = (value << 1) + gear[byte] & _MASK
        if value < below:
            return size
    return None


def numpy_finder() -> Finder:
    """The search over whole arrays. Raises ImportError where numpy is missing.

    After the step of width k each position holds the sum over its last 2k bytes; six steps give 64.
    """
    import numpy

    table = numpy.array(GEAR, dtype=numpy.uint64)

    def find(data: bytes, first: int, stop: int, bits: int) -> int | None:
        content = numpy.frombuffer(data, dtype=numpy.uint8)
        below = numpy.uint64(1 << (64 - bits))
        for start in range(first, stop, _STEP):
            end = min(start + _STEP, stop)
            sums: Any = table[content[start - WINDOW : end - 1]]
            width = 1
            while width < WINDOW:
                sums[width:] += sums[:-width] << numpy.uint64(width)
                width *= 2
            hits = sums[WINDOW - 1 :] < below
            at = int(hits.argmax())
            if hits[at]:
                return start + at
        return None

    return find
