"""Where a fork begins: the project that it was forked from and the head that it shares with it.

    'MICF' u8 version u8 state u16 length | project | 48B head at the fork point | u32 crc32c of everything before

A fork that reads through finds everything up to that head in its origin. An independent one has it all
below its own prefix. A void one was never finished, and never will be: its origin was deleted meanwhile.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.head import HEAD_BYTES, Head, decode_head

MAGIC = b"MICF"
VERSION = 1
# One part of a store key.
_PROJECT = re.compile(rb"[A-Za-z0-9_@=+-][A-Za-z0-9._@=+-]{0,254}")


class Tie(IntEnum):
    """How a fork holds on to its origin."""

    READS_THROUGH = 0
    INDEPENDENT = 1
    VOID = 2


class Origin(NamedTuple):
    """The origin of a fork; `head` is the last one that both share."""

    project: str
    head: Head
    tie: Tie = Tie.READS_THROUGH


def encode_origin(origin: Origin) -> bytes:
    """The object. `project` is one part of a store key, at most 255 characters."""
    name = origin.project.encode("ascii")
    assert _PROJECT.fullmatch(name)
    header = MAGIC + bytes((VERSION, origin.tie)) + len(name).to_bytes(2, "big")
    body = header + name + origin.head.encode()
    return body + crc32c(body)


def decode_origin(raw: bytes, name: str) -> Origin:
    """The origin from its bytes; raises Corrupt."""
    reader = Reader(raw, name, end=max(len(raw) - 4, 0))
    reader.expect(MAGIC)
    if crc32c(raw[:-4]) != raw[-4:]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION:
        raise reader.fail("its version is newer than this program knows")
    tie = reader.u8()
    if tie not in set(Tie):
        raise reader.fail(f"{tie} is no state of a fork")
    project = reader.take(reader.u16())
    if not _PROJECT.fullmatch(project):
        raise reader.fail("its origin is not the name of a project")
    head = decode_head(reader.take(HEAD_BYTES), name)
    reader.done()
    return Origin(project.decode("ascii"), head, Tie(tie))
