"""A commit point: which head a line got with which number, where landings are committed by creating objects.

    'MICQ' u8 version u8[3]=0 | u64 number | 48B head | u32 crc32c of everything before

On a store that cannot swap a head often enough, the newest landing is named by the commit point of the highest
number. The object `head` is then a commit point too: a late one, where looking for the newest begins.
"""

from __future__ import annotations

from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.head import HEAD_BYTES, Head, decode_head

MAGIC = b"MICQ"
VERSION = 1


class CommitPoint(NamedTuple):
    """The head that the `number`-th commit of a line made; number 0 is what the line began with."""

    number: int
    head: Head

    def encode(self) -> bytes:
        """The 68 bytes."""
        body = MAGIC + bytes((VERSION, 0, 0, 0)) + self.number.to_bytes(8, "big") + self.head.encode()
        return body + crc32c(body)


def is_commit_point(raw: bytes) -> bool:
    """Whether a head object holds a commit point and not a head: no line has as many landings as the magic says."""
    return raw.startswith(MAGIC)


def decode_commit_point(raw: bytes, name: str) -> CommitPoint:
    """The commit point from its bytes; raises Corrupt."""
    reader = Reader(raw, name, end=max(len(raw) - 4, 0))
    reader.expect(MAGIC)
    if crc32c(raw[:-4]) != raw[-4:]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION:
        raise reader.fail("its version is newer than this program knows")
    if any(reader.take(3)):
        raise reader.fail("its reserved bytes are not zero")
    number = reader.u64()
    head = decode_head(reader.take(HEAD_BYTES), name)
    reader.done()
    return CommitPoint(number, head)


def number_name(number: int) -> str:
    """The last part of a commit point's key: the order of names is that of the numbers."""
    return f"{number:016x}"


def parse_number(name: str) -> int | None:
    """The number that a key's last part says, None when it is no commit point's."""
    if len(name) != 16 or name.strip("0123456789abcdef"):
        return None
    return int(name, 16)
