"""What is left of a content that was erased: that it was there, what class of thing it was, who removed it and when.

    tombstone  'MICR' u8 version=1 u8 class u8[2]=0 | 32B content | u64 size | u64 at (Unix ms)
               | u16 length, by | u32 crc32c of everything before
    displaced  'MICM' u8 version=1 u8[3]=0 | 32B content
               | u32 ranges | ranges x (u16 length, name | u64 offset | u32 length)
               | u32 moved | moved x (32B hash | u8 kind | u16 length, name | u64 offset | u32 length)
               | u32 shared | shared x 32B hash | u32 crc32c of everything before

A `displaced` says which ranges of the project's objects hold zeros since, and where what lay or leaned there lies now.
Names are keys behind the project's prefix. See ADR 69.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.epoch import GROUP, MAX_OFFSET
from mic.core.erased_text import erased_text
from mic.core.errors import Erased

TOMBSTONE, DISPLACED = b"MICR", b"MICM"
VERSION = 1
MAX_BY = 200


class Reason(IntEnum):
    """What class of thing was erased."""

    SECRET = 0
    TAKEDOWN = 1
    PERSON = 2


_WORDS = {Reason.SECRET: "a leaked secret", Reason.TAKEDOWN: "a takedown", Reason.PERSON: "a person's request"}


def day_of(at: int) -> str:
    """A time in Unix milliseconds, as tombstones say it."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def said(what: str, reason: Reason, by: str, at: int) -> str:
    """One line that stands in the place of something other than a content: `what` begins in lower case."""
    return f"Erased: {what} ({_WORDS[reason]}), by {by} on {day_of(at)}."


class Tombstone(NamedTuple):
    """One erased content: its hash and its size in bytes; `at` in Unix milliseconds, `by` whoever removed it."""

    content: bytes
    size: int
    reason: Reason
    at: int
    by: str

    @property
    def words(self) -> str:
        """What was removed, in words: `a leaked secret`."""
        return _WORDS[self.reason]

    @property
    def text(self) -> str:
        """What stands in the place of the content, for whoever reads or clones it; ends with a line end."""
        return erased_text(self.words, self.by, day_of(self.at), self.size, self.content.hex())

    def error(self) -> Erased:
        """What is raised instead of handing the content out, or taking it in again."""
        return Erased(
            f"the content {self.content.hex()[:12]} was erased ({self.words})",
            hint="it may not be stored in this project again; what is left of it says who removed it, and when",
            text=self.text,
            document={"content": self.content.hex(), "class": self.reason.name.lower(), "text": self.text},
        )


class Range(NamedTuple):
    """Bytes of an object that hold zeros."""

    name: str
    offset: int
    length: int


class Moved(NamedTuple):
    """Where a living content lies now: an object of kind `kind` in the container `name`."""

    hash: bytes
    kind: int
    name: str
    offset: int
    length: int


class Displaced(NamedTuple):
    """What the erasure of `content` did to one project's objects.

    `shared` are parts of it that stay, since other contents consist of them too.
    """

    content: bytes
    ranges: tuple[Range, ...]
    moved: tuple[Moved, ...]
    shared: tuple[bytes, ...] = ()


def encode_tombstone(tombstone: Tombstone) -> bytes:
    """Its bytes; `by` is cut at 200 bytes of UTF-8."""
    by = tombstone.by.encode()[:MAX_BY].decode("utf-8", "ignore").encode()
    body = b"".join(
        (
            TOMBSTONE,
            bytes((VERSION, tombstone.reason, 0, 0)),
            tombstone.content,
            tombstone.size.to_bytes(8, "big"),
            tombstone.at.to_bytes(8, "big"),
            len(by).to_bytes(2, "big"),
            by,
        )
    )
    return body + crc32c(body)


def decode_tombstone(raw: bytes, name: str) -> Tombstone:
    """A tombstone; raises Corrupt."""
    reader = _opened(raw, name, TOMBSTONE)
    reason = reader.u8()
    if reason > max(Reason) or any(reader.take(2)):
        raise reader.fail("it says something that this program does not know")
    content, size = reader.take(32), reader.u64()
    at, by = read_act(reader)
    reader.done()
    return Tombstone(content, size, Reason(reason), at, by)


def read_act(reader: Reader) -> tuple[int, str]:
    """When something was erased, in Unix ms, and by whom; raises Corrupt."""
    at = reader.u64()
    if at > 1 << 47:  # beyond the year 6000: no calendar has to show it
        raise reader.fail("its time is none")
    length = reader.u16()
    if length > MAX_BY:
        raise reader.fail(f"a name of {length} bytes; the limit is {MAX_BY}")
    try:
        return at, reader.take(length).decode()
    except UnicodeDecodeError as error:
        raise reader.fail("a name that is no text") from error


def encode_displaced(displaced: Displaced) -> bytes:
    """Its bytes."""
    parts = [DISPLACED, bytes((VERSION, 0, 0, 0)), displaced.content, len(displaced.ranges).to_bytes(4, "big")]
    for item in displaced.ranges:
        parts += [_text(item.name), item.offset.to_bytes(8, "big"), item.length.to_bytes(4, "big")]
    parts.append(len(displaced.moved).to_bytes(4, "big"))
    for moved in displaced.moved:
        parts += [moved.hash, bytes((moved.kind,)), _text(moved.name)]
        parts += [moved.offset.to_bytes(8, "big"), moved.length.to_bytes(4, "big")]
    parts += [len(displaced.shared).to_bytes(4, "big"), *displaced.shared]
    body = b"".join(parts)
    return body + crc32c(body)


def decode_displaced(raw: bytes, name: str) -> Displaced:
    """What was displaced; raises Corrupt."""
    reader = _opened(raw, name, DISPLACED)
    if any(reader.take(3)):
        raise reader.fail("its reserved bytes are not zero")
    content = reader.take(32)
    ranges = tuple(Range(_name(reader), _offset(reader), reader.u32()) for _ in range(reader.count(reader.u32(), 14)))
    moved = []
    for _ in range(reader.count(reader.u32(), 47)):
        object_hash, kind = reader.take(32), reader.u8()
        if kind > GROUP:
            raise reader.fail("an object of a kind that this program does not know")
        moved.append(Moved(object_hash, kind, _name(reader), _offset(reader), reader.u32()))
    shared = tuple(reader.take(32) for _ in range(reader.count(reader.u32(), 32)))
    reader.done()
    return Displaced(content, ranges, tuple(moved), shared)


def _opened(raw: bytes, name: str, magic: bytes) -> Reader:
    reader = Reader(raw, name, end=max(len(raw) - 4, 0))
    reader.expect(magic)
    if crc32c(raw[:-4]) != raw[-4:]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION:
        raise reader.fail("its version is newer than this program knows")
    return reader


def _text(name: str) -> bytes:
    raw = name.encode("ascii")
    return len(raw).to_bytes(2, "big") + raw


def _name(reader: Reader) -> str:
    raw = reader.take(reader.u16())
    if not raw.isascii():
        raise reader.fail("a name that is none")
    return raw.decode("ascii")


def _offset(reader: Reader) -> int:
    offset = reader.u64()
    if offset > MAX_OFFSET:
        raise reader.fail("a place beyond the end of any container")
    return offset
