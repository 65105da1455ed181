"""Reading and writing of the binary formats: big-endian integers, LEB128, bounded lengths.

A `Reader` never allocates for a length it has not checked, names the object and the offset when
something is wrong, and insists that nothing is left over.
"""

from __future__ import annotations

import google_crc32c

from mic.core.errors import Corrupt

MAX_VARINT = (1 << 64) - 1


def _encode_slow(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# Most sizes and lengths are small: a table lookup costs 40 ns where the loop takes 300.
_SMALL = [bytes((low,)) for low in range(128)]
_SMALL += [bytes((low | 0x80, high)) for high in range(1, 128) for low in range(128)]


def varint(value: int) -> bytes:
    """Unsigned LEB128 of 0 <= value < 2**64."""
    if value < 1 << 14:
        return _SMALL[value]
    assert value <= MAX_VARINT, value
    return _encode_slow(value)


def crc32c(data: bytes) -> bytes:
    """CRC-32C (Castagnoli) of the data, 4 bytes."""
    return int(google_crc32c.value(data)).to_bytes(4, "big")


class Reader:
    """A cursor over untrusted bytes; `name` is the object in error messages."""

    __slots__ = ("data", "end", "name", "pos")

    def __init__(self, data: bytes, name: str, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.name = name
        self.pos = pos
        self.end = len(data) if end is None else end

    def fail(self, why: str) -> Corrupt:
        """The error to raise for what stands at the current offset."""
        return Corrupt(
            f"{self.name} is damaged at byte {self.pos}: {why}",
            hint="restore the object from a backup of the data directory",
            object=self.name,
            offset=self.pos,
        )

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        stop = self.pos + count
        if count < 0 or stop > self.end:
            raise self.fail(f"wanted {count} bytes, {self.end - self.pos} are left")
        out = self.data[self.pos : stop]
        self.pos = stop
        return out

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "big")

    def varint(self) -> int:
        """Unsigned LEB128 below 2**64 in its shortest form."""
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise self.fail("a varint is longer than needed")
                if value > MAX_VARINT:
                    raise self.fail("a varint is larger than 64 bits")
                return value
            shift += 7
            if shift > 63:
                raise self.fail("a varint is larger than 64 bits")

    def count(self, value: int, unit: int) -> int:
        """`value` as a number of items of at least `unit` bytes each that must still fit."""
        if value * unit > self.end - self.pos:
            raise self.fail(f"{value} items cannot fit in the {self.end - self.pos} bytes left")
        return value

    def expect(self, magic: bytes) -> None:
        """The next bytes must be `magic`."""
        if self.data[self.pos : self.pos + len(magic)] != magic or self.pos + len(magic) > self.end:
            raise self.fail(f"it does not begin with {magic!r}")
        self.pos += len(magic)

    def done(self) -> None:
        """Nothing may be left."""
        if self.pos != self.end:
            raise self.fail(f"{self.end - self.pos} bytes too many")
