"""Packs: small objects that travel and rest together, at most 64 MiB.

    'MICP' u8 version u8[3] | object data | contents list (u32 count, entries as in an epoch)
           | u32 list bytes | u32 crc32c of the list

Offsets count from the start of the object. The name of a pack is the SHA-256 of all its bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mic.core.codec import Reader, crc32c
from mic.core.epoch import ENTRY_BYTES, Stored, encode_toc, lay_out, read_toc

MAGIC = b"MICP" + bytes((1, 0, 0, 0))
FOOTER_BYTES = 8
MAX_PACK = 64 << 20
# A pack is written before it grows beyond this: half the limit leaves room for one object of any size.
PACK_BYTES = 32 << 20


def fits(data_bytes: int, objects: int) -> bool:
    """Whether objects of so many stored bytes, together with their entries in the list, are one pack of usual size."""
    return data_bytes + objects * ENTRY_BYTES <= PACK_BYTES


def encode_pack(objects: Iterable[tuple[bytes, int, bytes]]) -> tuple[bytes, bytes]:
    """(name, bytes) of a pack of (hash, kind, stored bytes), together at most MAX_PACK."""
    toc, data = lay_out(objects, len(MAGIC))
    listed = encode_toc(toc)
    footer = len(listed).to_bytes(4, "big") + crc32c(listed)
    raw = b"".join((MAGIC, data, listed, footer))
    assert len(raw) <= MAX_PACK, len(raw)
    return hashlib.sha256(raw).digest(), raw


def toc_bytes(footer: bytes, name: str) -> int:
    """Length of the contents list, from the last FOOTER_BYTES."""
    return Reader(footer, name).u32()


def decode_toc(tail: bytes, pack_bytes: int, name: str) -> tuple[Stored, ...]:
    """The contents list from the last `toc_bytes + FOOTER_BYTES` of a pack of `pack_bytes`; raises Corrupt."""
    listed = tail[:-FOOTER_BYTES]
    if crc32c(listed) != tail[-4:]:
        raise Reader(tail, name).fail("the checksum of its contents list does not match")
    reader = Reader(listed, name)
    objects = read_toc(reader)
    reader.done()
    room = pack_bytes - len(tail)
    if any(item.offset < len(MAGIC) or item.offset + item.length > room for item in objects):
        raise reader.fail("an object lies outside of the pack")
    return objects
