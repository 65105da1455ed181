"""What a project has lying about that nothing names, and how far each of it is on its way out.

    'MICG' u8 version u8[3]=0 | u32 count | count x (u8 stage | u64 since, Unix ms | u16 length, name) | u32 crc32c

`name` is the key behind the project's prefix; names are sorted. See ADR 67 for what the stages mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from mic.core.codec import Reader, crc32c

MAGIC = b"MICG"
VERSION = 1
_LEAST = 11  # bytes of an entry without its name


class Stage(IntEnum):
    """SEEN: nobody names it. CONDEMNED: nobody may name it any more. GONE: it is removed, or is being so."""

    SEEN = 0
    CONDEMNED = 1
    GONE = 2


class Leaving(NamedTuple):
    """`since` when it is in this stage, in Unix milliseconds by the clock of who wrote it down."""

    stage: Stage
    since: int


def encode_leavings(entries: Mapping[str, Leaving]) -> bytes:
    """The object that says so of all of them."""
    parts = [MAGIC, bytes((VERSION, 0, 0, 0)), len(entries).to_bytes(4, "big")]
    for name, (stage, since) in sorted(entries.items()):
        raw = name.encode("ascii")
        parts += [bytes((stage,)), since.to_bytes(8, "big"), len(raw).to_bytes(2, "big"), raw]
    body = b"".join(parts)
    return body + crc32c(body)


def decode_leavings(raw: bytes, name: str) -> dict[str, Leaving]:
    """The entries by name; raises Corrupt."""
    reader = Reader(raw, name, end=max(len(raw) - 4, 0))
    reader.expect(MAGIC)
    if crc32c(raw[:-4]) != raw[-4:]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION:
        raise reader.fail("its version is newer than this program knows")
    if any(reader.take(3)):
        raise reader.fail("its reserved bytes are not zero")
    entries: dict[str, Leaving] = {}
    before = ""
    for _ in range(reader.count(reader.u32(), _LEAST)):
        stage, since = reader.u8(), reader.u64()
        if stage > Stage.GONE:
            raise reader.fail("an entry is in a stage that this program does not know")
        key = reader.take(reader.u16())
        if not key.isascii() or (text := key.decode("ascii")) <= before:
            raise reader.fail("its names are not sorted")
        entries[text], before = Leaving(Stage(stage), since), text
    reader.done()
    return entries
