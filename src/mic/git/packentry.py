"""Entries of Git packs: headers, bases, deltas. Layout: gitformat-pack.

header  bits 7: more, 6-4: type, 3-0: size; then 7 bits of the size a byte
base    OFS_DELTA: distance back, 7 bits a byte, most significant first, each further byte adds one; REF_DELTA: 20 bytes
data    one zlib stream
"""

from __future__ import annotations

import hashlib
import zlib
from typing import NamedTuple

from mic.core.errors import Corrupt

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
OFS_DELTA, REF_DELTA = 6, 7
NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
PACK_HEADER = 12
PACK_TRAILER = 20
# An entry's header and base take no more: ten bytes of size, twenty of a base.
MAX_HEADER = 30
# zlib's own bound on what incompressible data grows by, with room.
_GROWS = 64
# Versions of trees and texts differ in one place; what is larger is not searched for it.
MAX_DELTA_SOURCE = 1 << 20
_COPY = 0x10000
# Of a copy: the bit that says that a byte follows, whether it is of the offset or of the length, and its place there.
_OPERANDS = ((0x01, 0, 0), (0x02, 0, 8), (0x04, 0, 16), (0x08, 0, 24), (0x10, 1, 0), (0x20, 1, 8), (0x40, 1, 16))
# Git reads no shorter one (delta.h: DELTA_SIZE_MIN); it would be sent on as it came, and break every clone.
_SHORTEST_DELTA = 4


def object_id(kind: int, data: bytes) -> bytes:
    """The SHA-1 name of an object, 20 bytes."""
    digest = hashlib.sha1(b"%s %d\x00" % (NAMES[kind], len(data)))  # noqa: S324 - Git's own names
    digest.update(data)
    return digest.digest()


def entry_header(kind: int, size: int) -> bytes:
    """Type and size as an entry begins with them."""
    byte = kind << 4 | size & 15
    size >>= 4
    out = bytearray()
    while size:
        out.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    out.append(byte)
    return bytes(out)


def ofs_base(distance: int) -> bytes:
    """How far before its own start the base of an OFS_DELTA begins."""
    out = [distance & 0x7F]
    distance >>= 7
    while distance:
        distance -= 1
        out.append(0x80 | distance & 0x7F)
        distance >>= 7
    return bytes(reversed(out))


class Header(NamedTuple):
    """How an entry begins: `kind` as in the pack, `size` of what is inflated (of a delta, its own)."""

    kind: int
    size: int
    distance: int  # of OFS_DELTA, else 0
    base: bytes  # of REF_DELTA, else b""
    data: int  # offset of the zlib stream from the start of the entry


def read_header(raw: bytes | memoryview, at: int, name: str) -> Header:
    """The header of the entry at `at`. Raises Corrupt."""
    start = at
    try:
        byte = raw[at]
        at += 1
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            byte = raw[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 60:
                raise _damaged(name, start, "a size of more than 60 bits")
        if kind in NAMES:
            return Header(kind, size, 0, b"", at - start)
        if kind == REF_DELTA:
            base = bytes(raw[at : at + 20])
            if len(base) < 20:
                raise IndexError
            return Header(kind, size, 0, base, at + 20 - start)
        if kind != OFS_DELTA:
            raise _damaged(name, start, f"an object of type {kind}")
        byte = raw[at]
        at += 1
        distance = byte & 0x7F
        while byte & 0x80:
            byte = raw[at]
            at += 1
            distance = (distance + 1) << 7 | byte & 0x7F
            if distance >> 60:
                raise _damaged(name, start, "a base too far away")
    except IndexError:
        raise _damaged(name, start, "the pack ends in the middle of an object") from None
    return Header(kind, size, distance, b"", at - start)


def inflate(raw: memoryview, at: int, size: int, name: str) -> tuple[bytes, int]:
    """(data, offset behind the zlib stream) of exactly `size` bytes that begin at `at`, never more. Raises Corrupt."""
    inflater = zlib.decompressobj()
    stop = min(len(raw), at + size + (size >> 10) + _GROWS)
    try:
        data = inflater.decompress(raw[at:stop], size + 1)
        while not inflater.eof and len(data) <= size and stop < len(raw):
            # Fed in full and not at its end: stored blocks of a stream that was flushed now and then.
            more = min(len(raw), stop + 4096)
            data += inflater.decompress(inflater.unconsumed_tail + bytes(raw[stop:more]), size + 1 - len(data))
            stop = more
        if not inflater.eof and inflater.unconsumed_tail and len(data) == size:
            data += inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise _damaged(name, at, f"its data cannot be inflated ({error})") from error
    if len(data) != size or not inflater.eof:
        raise _damaged(name, at, f"it says {size} bytes and holds {'more' if len(data) > size else 'others'}")
    return data, stop - len(inflater.unused_data)


def delta_sizes(delta: bytes) -> tuple[int, int, int]:
    """(size of the base, size of the result, offset of the first instruction) of a delta. Raises Corrupt."""
    if len(delta) < _SHORTEST_DELTA:
        raise Corrupt(f"A Git delta of {len(delta)} bytes is shorter than any.")
    sizes, at = [], 0
    for _ in range(2):
        size = shift = 0
        while True:
            if at >= len(delta) or shift > 60:
                raise Corrupt("A Git delta ends in its header.")
            byte = delta[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        sizes.append(size)
    return sizes[0], sizes[1], at


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """What a delta makes of its base; the result is never larger than it says. Raises Corrupt."""
    base_size, size, at = delta_sizes(delta)
    if base_size != len(base):
        raise Corrupt(f"A Git delta is for a base of {base_size} bytes, not of {len(base)}.")
    out: list[bytes] = []
    made, end = 0, len(delta)
    try:
        while at < end:
            op = delta[at]
            at += 1
            if op & 0x80:
                start = length = 0
                if op & 0x01:
                    start = delta[at]
                    at += 1
                if op & 0x02:
                    start |= delta[at] << 8
                    at += 1
                if op & 0x04:
                    start |= delta[at] << 16
                    at += 1
                if op & 0x08:
                    start |= delta[at] << 24
                    at += 1
                if op & 0x10:
                    length = delta[at]
                    at += 1
                if op & 0x20:
                    length |= delta[at] << 8
                    at += 1
                if op & 0x40:
                    length |= delta[at] << 16
                    at += 1
                length = length or _COPY
                part = base[start : start + length]
                if len(part) != length:
                    raise Corrupt("A Git delta copies from beyond its base.")
            elif op:
                part = delta[at : at + op]
                at += op
                length = op
                if len(part) != op:
                    raise IndexError
            else:
                raise Corrupt("A Git delta holds an instruction that is reserved.")
            made += length
            if made > size:
                raise Corrupt(f"A Git delta makes more than the {size} bytes that it says.")
            out.append(part)
    except IndexError:
        raise Corrupt("A Git delta ends in the middle of an instruction.") from None
    if made != size:
        raise Corrupt(f"A Git delta makes {made} bytes, not {size}.")
    return b"".join(out)


def copies(delta: bytes) -> list[tuple[int, int, int]]:
    """(where in the result, where in the base, bytes) of what a delta copies; it must be one that was applied."""
    found = []
    made, at, end = 0, delta_sizes(delta)[2], len(delta)
    while at < end:
        op = delta[at]
        at += 1
        if op & 0x80:
            values = [0, 0]
            for bit, place, shift in _OPERANDS:
                if op & bit:
                    values[place] |= delta[at] << shift
                    at += 1
            length = values[1] or _COPY
            found.append((made, values[0], length))
            made += length
        else:
            at += op
            made += op
    return found


def make_delta(base: bytes, data: bytes) -> bytes | None:
    """A delta that copies the beginning and the end that both share; None when it would save less than half.

    One edit in one place is what a landing does to a tree and, mostly, to a file. Searching for more is Git's own art.
    """
    if not base or not data or max(len(base), len(data)) > MAX_DELTA_SOURCE:
        return None
    head = _common_prefix(base, data)
    room = min(len(base), len(data)) - head
    tail = _common_suffix(base, data, room)
    middle = data[head : len(data) - tail]
    if 2 * len(middle) > len(data):
        return None
    parts = [_size(len(base)), _size(len(data))]
    parts += _copies(0, head)
    parts += [bytes((len(part),)) + part for part in (middle[i : i + 127] for i in range(0, len(middle), 127))]
    parts += _copies(len(base) - tail, tail)
    return b"".join(parts)


def _common_prefix(one: bytes, other: bytes) -> int:
    """How many first bytes are the same: by halving, each step one comparison of slices."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(one: bytes, other: bytes, limit: int) -> int:
    """How many last bytes are the same, at most `limit`."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _size(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _copies(start: int, length: int) -> list[bytes]:
    out = []
    while length:
        part = min(length, 0xFFFF)
        op, operands = 0x80, bytearray()
        for bit, value in ((0x01, start), (0x02, start >> 8), (0x04, start >> 16), (0x08, start >> 24)):
            if value & 0xFF:
                op |= bit
                operands.append(value & 0xFF)
        for bit, value in ((0x10, part), (0x20, part >> 8)):
            if value & 0xFF:
                op |= bit
                operands.append(value & 0xFF)
        out.append(bytes((op,)) + bytes(operands))
        start += part
        length -= part
    return out


def _damaged(name: str, at: int, why: str) -> Corrupt:
    return Corrupt(f"{name} is damaged at byte {at}: {why}.", object=name, offset=at)
