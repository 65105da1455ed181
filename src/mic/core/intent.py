"""Intents: a landing that was promised and not carried out yet, whole, in one object.

    'MICW' u8 version u8[3]=0 | u32 session bytes | u16 packs | u32 contents
    session object | packs x (32B pack, u32 bytes) | contents x (32B hash, u32 length) | u32 crc32c of everything before
    the contents, one behind the other

The contents are stored forms (MICB), sorted by hash, each verified by its own hash when it lands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mic.core.blob import decode_blob
from mic.core.codec import Reader, crc32c
from mic.core.epoch import PackRef, read_pack_ref
from mic.core.session import HEADER_BYTES as SESSION_HEADER
from mic.core.session import Session, decode_session

MAGIC = b"MICW"
VERSION = 1
HEADER_BYTES = 8 + 4 + 2 + 4
PACK_BYTES = 36
ENTRY_BYTES = 36
CRC_BYTES = 4
# Of the whole object: a reader holds it in memory, and several are read at once.
MAX_INTENT = 32 << 20
MAX_PACKS = (1 << 16) - 1


class Intent(NamedTuple):
    """What is to land: the session as it was accepted, receipts of what went ahead, contents that came along."""

    session: Session
    packs: tuple[PackRef, ...]
    contents: Mapping[bytes, bytes]


def encode_intent(session: bytes, packs: Sequence[PackRef], contents: Mapping[bytes, bytes]) -> bytes:
    """The stored bytes; equal wishes give equal bytes. `session` is encoded; the caller looks at MAX_INTENT."""
    assert len(packs) <= MAX_PACKS
    parts = [
        MAGIC,
        bytes((VERSION, 0, 0, 0)),
        len(session).to_bytes(4, "big"),
        len(packs).to_bytes(2, "big"),
        len(contents).to_bytes(4, "big"),
        session,
    ]
    parts += [pack.hash + pack.size.to_bytes(4, "big") for pack in packs]
    parts += [content + len(contents[content]).to_bytes(4, "big") for content in sorted(contents)]
    head = b"".join(parts)
    return b"".join((head, crc32c(head), *(contents[content] for content in sorted(contents))))


def decode_intent(raw: bytes, name: str) -> Intent:
    """An intent from its stored bytes, every content held to its hash; raises Corrupt."""
    reader = Reader(raw, name)
    if len(raw) > MAX_INTENT:
        raise reader.fail(f"{len(raw)} bytes; the limit is {MAX_INTENT}")
    reader.expect(MAGIC)
    version = reader.u8()
    if version != VERSION:
        raise reader.fail(f"version {version} is newer than this program knows")
    if reader.take(3) != bytes(3):
        raise reader.fail("reserved bytes are not zero")
    session_bytes, packs, contents = reader.u32(), reader.u16(), reader.u32()
    data_start = HEADER_BYTES + session_bytes + packs * PACK_BYTES + contents * ENTRY_BYTES + CRC_BYTES
    if session_bytes < SESSION_HEADER or data_start > len(raw):
        raise reader.fail(f"its list of {contents} contents and {packs} packs does not fit")
    if crc32c(raw[: data_start - CRC_BYTES]) != raw[data_start - CRC_BYTES : data_start]:
        raise reader.fail("the checksum is wrong")
    session = decode_session(reader.take(session_bytes), name)
    receipts = tuple(read_pack_ref(reader) for _ in range(packs))
    entries = [(reader.take(32), reader.u32()) for _ in range(contents)]
    if any(left[0] >= right[0] for left, right in pairwise(entries)):
        raise reader.fail("its contents are not in order")
    reader.take(CRC_BYTES)
    found = {}
    for content, length in entries:
        found[content] = reader.take(length)
        decode_blob(found[content], content, name)
    reader.done()
    return Intent(session, receipts, found)
