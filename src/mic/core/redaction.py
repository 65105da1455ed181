"""What is left of sessions whose words were erased: for each, a session that stands in its place.

    redaction  'MICZ' u8 version=1 u8 class u8 parts u8 0 | u32 header | 32B name | u64 at (Unix ms) | u16 length, by
               | u32 count | count x (16B session | 32B session object | 32B stand-in | u64 offset | u32 length)
               | u32 crc32c of everything before | stand-ins, encoded as sessions are

`header` is the number of bytes up to and with the checksum; offsets count from the beginning of the object. `name` is
that of the request, so that whoever takes it up again finds it. Parts: 1 the words, 2 a person. See ADR 73.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.epoch import MAX_OFFSET
from mic.core.ids import content_hash
from mic.core.tombstone import MAX_BY, Reason, read_act, said

MAGIC = b"MICZ"
VERSION = 1
# A first read of this size brings most headers.
BEGINNING = 4 + 4 + 4


class Parts(IntFlag):
    """What was erased of a session."""

    WORDS = 1
    PERSON = 2


_WORDS = {
    Parts.WORDS: "the words of a session",
    Parts.PERSON: "the name of a person",
    Parts.WORDS | Parts.PERSON: "the words of a session and the name of a person",
}


class StandIn(NamedTuple):
    """The session object that its landing names, and where what stands in its place lies: that has the hash `hash`."""

    session: bytes
    session_object: bytes
    hash: bytes
    offset: int
    length: int


class Redaction(NamedTuple):
    """Who erased what of which sessions, and when. `name` has 32 bytes, `at` is in Unix milliseconds."""

    name: bytes
    reason: Reason
    parts: Parts
    at: int
    by: str
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def what(self) -> str:
        """What is gone: `the words of a session`."""
        return _WORDS[self.parts]

    @property
    def text(self) -> str:
        """What stands in the place of the words."""
        return said(self.what, self.reason, self.by, self.at)


def encode_redaction(redaction: Redaction, encoded: Sequence[tuple[bytes, bytes, bytes]]) -> bytes:
    """Its bytes; `encoded` are (session, session object, bytes of what stands in), instead of its own `stand_ins`."""
    by = redaction.by.encode()[:MAX_BY].decode("utf-8", "ignore").encode()
    header = 4 + 4 + 4 + 32 + 8 + 2 + len(by) + 4 + len(encoded) * 92 + 4
    parts = [
        MAGIC,
        bytes((VERSION, redaction.reason, redaction.parts, 0)),
        header.to_bytes(4, "big"),
        redaction.name,
        redaction.at.to_bytes(8, "big"),
        len(by).to_bytes(2, "big"),
        by,
        len(encoded).to_bytes(4, "big"),
    ]
    at = header
    for session, session_object, raw in encoded:
        parts += [session, session_object, content_hash(raw), at.to_bytes(8, "big"), len(raw).to_bytes(4, "big")]
        at += len(raw)
    body = b"".join(parts)
    assert len(body) + 4 == header
    return b"".join((body, crc32c(body), *(raw for _, _, raw in encoded)))


def header_bytes(raw: bytes, name: str) -> int:
    """How long the header is, by its beginning; raises Corrupt."""
    reader = Reader(raw, name)
    reader.expect(MAGIC)
    reader.take(4)
    return reader.u32()


def decode_redaction(raw: bytes, name: str) -> Redaction:
    """A redaction from its header, the stand-ins need not be there; raises Corrupt."""
    header = header_bytes(raw, name)
    reader = Reader(raw, name, pos=4, end=max(min(header, len(raw)) - 4, 0))
    if len(raw) < header or header < 4 or crc32c(raw[: header - 4]) != raw[header - 4 : header]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION:
        raise reader.fail("its version is newer than this program knows")
    reason, parts = reader.u8(), reader.u8()
    if reason > max(Reason) or parts not in _WORDS or reader.u8():
        raise reader.fail("it says something that this program does not know")
    reader.u32()
    redaction = reader.take(32)
    at, by = read_act(reader)
    stand_ins = []
    for _ in range(reader.count(reader.u32(), 92)):
        item = StandIn(reader.take(16), reader.take(32), reader.take(32), reader.u64(), reader.u32())
        if not header <= item.offset <= MAX_OFFSET:
            raise reader.fail("a place beyond the end of any container")
        stand_ins.append(item)
    reader.done()
    return Redaction(redaction, Reason(reason), Parts(parts), at, by, tuple(stand_ins))
