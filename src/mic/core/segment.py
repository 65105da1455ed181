"""Segments: the records of exactly 1,000 positions, sealed once all of them have landed.

    'MICL' u8 version u8[3] | u64 start | u32 n | 32B SHA-256 over the records' hashes | 48B head at the last position
    n x record | u32 crc32c of everything before

A segment is a function of its records alone, written create-only: any number of front ends may race.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mic.core.codec import Reader, crc32c
from mic.core.head import HEAD_BYTES, Head, decode_head
from mic.core.record import Record, encode_record, read_record

MAGIC = b"MICL"
VERSION = 1
SEGMENT = 1000


def segment_start(position: int) -> int:
    """First position of the segment that holds `position` (1, 1001, 2001, ...)."""
    assert position > 0
    return (position - 1) // SEGMENT * SEGMENT + 1


def encode_segment(records: Sequence[Record]) -> bytes:
    """The object for 1,000 consecutive records."""
    assert len(records) == SEGMENT
    assert segment_start(records[0].position) == records[0].position
    encoded = [encode_record(record) for record in records]
    digest = hashlib.sha256(b"".join(hashlib.sha256(raw).digest() for raw in encoded)).digest()
    last = records[-1]
    body = b"".join(
        (
            MAGIC,
            bytes((VERSION, 0, 0, 0)),
            records[0].position.to_bytes(8, "big"),
            len(records).to_bytes(4, "big"),
            digest,
            Head(last.position, last.root_after, last.hlc).encode(),
            *encoded,
        )
    )
    return body + crc32c(body)


def check_segment(raw: bytes, name: str) -> None:
    """Raises Corrupt unless these are the bytes that were written, as their checksum tells."""
    if len(raw) < 4 or crc32c(raw[:-4]) != raw[-4:]:
        raise Reader(raw, name).fail("its checksum does not match")


def decode_segment(raw: bytes, name: str) -> tuple[Record, ...]:
    """The records; raises Corrupt."""
    check_segment(raw, name)
    reader = Reader(raw, name, end=len(raw) - 4)
    reader.expect(MAGIC)
    if reader.take(4)[0] != VERSION:
        raise reader.fail("its version is newer than this program knows")
    start, count = reader.u64(), reader.u32()
    reader.take(32)
    last = decode_head(reader.take(HEAD_BYTES), name)
    if count != SEGMENT:
        raise reader.fail(f"{count} records where {SEGMENT} belong")
    records = tuple(read_record(reader) for _ in range(count))
    reader.done()
    if [record.position for record in records] != list(range(start, start + count)):
        raise reader.fail("its positions are not consecutive")
    if (last.position, last.tree) != (records[-1].position, records[-1].root_after):
        raise reader.fail("its last record is not what its head says")
    return records
