"""Content-defined chunks of large contents: FastCDC, with boundaries that are written down here.

The rule (FastCDC, Xia et al., IEEE TPDS 2020, normalisation level 3), for a chunk that begins at s of a content:

* gear[i] = the first 8 bytes of the MD5 of 64 bytes of value i, as a big-endian integer: the table of the paper's
  authors. MD5 serves as a source of numbers here, not as protection.
* H(n) = sum over k from 16,384 to n of gear[content[s + k]] << (n - k), modulo 2**64.
* left = min(what is left of the content from s on, 131,072). A chunk of at most 16,384 bytes left is all of it.
* The chunk is n bytes long for the least n below left, rounded down to an even number, with
      16,384 <= n <  65,536   and  H(n) & STRICT = 0, or
      65,536 <= n < 131,072   and  H(n) & LOOSE = 0;
  without such an n it is all that is left. The masks have 19 and 13 bits and are those that the authors publish.

A chunk depends on the content from its own beginning on, and on nothing before. A chunk list names every chunk with its
length, so a reader never needs the rule; a writer that cuts otherwise only stores more.

Three cutters give the same boundaries: a compiled one (4 GB/s), numpy (250 MB/s) and plain Python (10 MB/s). The
compiled one is used only where it cuts a fixed content as it is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any, Final

MIN_CHUNK = 16 << 10
NORMAL_CHUNK = 64 << 10
MAX_CHUNK = 128 << 10
STRICT = 0x0000_D917_0753_7000
LOOSE = 0x0000_D903_0353_0000
NORMALISATION: Final = 3

_READ = 1 << 20  # bytes that are looked at in one go
_STEP = 16 << 10  # positions that numpy looks at in one go: 128 KiB of 64-bit sums stay in the processor's cache
_BITS = 64  # what is further back than this has been shifted out of a sum
_ALL = (1 << 64) - 1

GEAR = tuple(
    int.from_bytes(hashlib.md5(bytes([i]) * 64, usedforsecurity=False).digest()[:8], "big") for i in range(256)
)

# The lengths of the chunks of a content, in order.
Cutter = Callable[[bytes], Iterator[int]]
# (data, first, stop, mask) -> the least n in [first, stop) with H(n) & mask = 0, or None.
Finder = Callable[[bytes, int, int, int], int | None]

# What the self-check cuts: an odd number of bytes without a pattern, behind them zeros up to the greatest length.
CHECK_LENGTHS = (65874, 97786, 76560, 73123, 75380, 75067, 51810, 131072, 77617)


def check_content() -> bytes:
    """The content that every cutter must cut into CHECK_LENGTHS."""
    return hashlib.shake_128(b"mic.chunks.v2").digest((512 << 10) + 1) + bytes(200_000)


def chunk_stream(read: Callable[[int], bytes], cut: Cutter | None = None) -> Iterator[bytes]:
    """The chunks of what `read(n)` gives (at most n bytes a call, b"" at the end), in order.

    Joined they are the content; an empty content has none. About 3 MiB are held. `cut` replaces the fastest cutter.
    """
    cutter = cut or default_cutter()
    rest, ended = b"", False
    while not ended:
        rest, ended = _filled(read, rest)
        lengths, start = cutter(rest), 0
        # The end of what was read is no boundary, and a chunk looks 128 KiB ahead.
        while (left := len(rest) - start) >= MAX_CHUNK or (ended and left):
            stop = start + next(lengths)
            yield rest[start:stop]
            start = stop
        rest = rest[start:]


def _filled(read: Callable[[int], bytes], rest: bytes) -> tuple[bytes, bool]:
    """`rest` and what follows, at least _READ bytes together; whether the content ends there."""
    parts, size = [rest], len(rest)
    while size < _READ:
        piece = read(_READ)
        if not piece:
            return b"".join(parts), True
        parts.append(piece)
        size += len(piece)
    return b"".join(parts), False


@cache
def default_cutter() -> Cutter:
    """The fastest cutter that is installed and follows the rule."""
    try:
        compiled = compiled_cutter()
    except ImportError:
        compiled = None
    if compiled is not None and tuple(compiled(check_content())) == CHECK_LENGTHS:
        return compiled
    try:
        return cutter_with(numpy_finder())
    except ImportError:
        return cutter_with(find_plain)


def compiled_cutter() -> Cutter | None:
    """The cutter of the package pyfastcdc, None where it is not compiled. Raises ImportError where it is missing."""
    from pyfastcdc import FastCDC

    if isinstance(FastCDC.cut_buf, FunctionType):
        return None  # its own plain Python, slower than numpy

    def cut(data: bytes) -> Iterator[int]:
        # An object of its own for each call: it must not be shared between threads.
        cdc = FastCDC(NORMAL_CHUNK, min_size=MIN_CHUNK, max_size=MAX_CHUNK, normalized_chunking=NORMALISATION)
        return (chunk.length for chunk in cdc.cut_buf(data))

    return cut


def cutter_with(find: Finder) -> Cutter:
    """A cutter from a search for the next boundary."""

    def cut(data: bytes) -> Iterator[int]:
        start = 0
        while start < len(data):
            length = _length(data[start : start + MAX_CHUNK], find)
            yield length
            start += length

    return cut


def _length(head: bytes, find: Finder) -> int:
    """The length of the chunk that begins `head`, which holds 128 KiB or all that is left."""
    size = len(head)
    if size <= MIN_CHUNK:
        return size
    end = size & ~1
    found = find(head, MIN_CHUNK, min(end, NORMAL_CHUNK), STRICT)
    if found is None and end > NORMAL_CHUNK:
        found = find(head, NORMAL_CHUNK, end, LOOSE)
    return found or size


def find_plain(data: bytes, first: int, stop: int, mask: int) -> int | None:
    """The search in plain Python: the sum rolls on, since what is older than 64 bytes shifts out."""
    gear = GEAR
    value = 0
    for byte in data[max(MIN_CHUNK, first - _BITS) : first]:
        value = (value << 1) + gear[byte] & _ALL
    for size, byte in enumerate(data[first:stop], first):
        value = (value << 1) + gear[byte] & _ALL
        if not value & mask:
            return size
    return None


def numpy_finder() -> Finder:
    """The search over whole arrays. Raises ImportError where numpy is missing.

    After the step of width k each position holds the sum over its last 2k bytes; six steps give 64.
    """
    import numpy

    table = numpy.array(GEAR, dtype=numpy.uint64)

    def find(data: bytes, first: int, stop: int, mask: int) -> int | None:
        content = numpy.frombuffer(data, dtype=numpy.uint8)
        for start in range(first, stop, _STEP):
            end, before = min(start + _STEP, stop), max(MIN_CHUNK, start - _BITS)
            sums: Any = table[content[before:end]]
            width = 1
            while width < _BITS:
                sums[width:] += sums[:-width] << numpy.uint64(width)
                width *= 2
            hits = sums[start - before :] & numpy.uint64(mask) == 0
            at = int(hits.argmax())
            if hits[at]:
                return start + at
        return None

    return find
