"""Epoch objects: the commit record of one compare-and-swap, holding one or more landings.

    'MICE' u8 version u8 flags u16 n | u64 first_position | 48B prev_head | 48B new_head | 8B lander
    u32 meta_bytes
    n x record | u16 packs | packs x (32B pack, u32 bytes) | u32 objects | objects x toc entry     (meta_bytes of these)
    u32 crc32c of everything before
    object data

    toc entry: 32B hash | u8 kind | u64 offset | u32 length        sorted by hash, offsets from the start of the data

`lander` names the front end that made it, zeros for none; version 1 had a number there that nobody read.
The name of the object is a function of `new_head`, so a head names its own record; losers of a race and
crashed attempts are unreachable. The contents list stands before the data so that one ranged read brings
everything but the data; each object is verified by its own hash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from mic.core.codec import Reader, crc32c
from mic.core.head import HEAD_BYTES, Head, decode_head
from mic.core.record import Record, encode_record, packed, read_record

MAGIC = b"MICE"
VERSION = 2
LANDER_BYTES = 8
NOBODY = bytes(LANDER_BYTES)
HEADER_BYTES = 4 + 4 + 8 + 2 * HEAD_BYTES + LANDER_BYTES + 4
MAX_LANDINGS = 1024

NODE, BLOB, CHUNK_LIST, SESSION, DELTA, GROUP = 0, 1, 2, 3, 4, 5
# Contents in one piece, as opposed to chunked ones. One identity names one sequence of bytes, so a file that has the
# bytes of a tree node is stored where the node is, and a node where the file is: readers take either for the other.
SMALL = frozenset((BLOB, DELTA, GROUP, NODE))
CONTENTS = SMALL | {CHUNK_LIST}  # what the entry of a file can name
_TOC = struct.Struct(">32sBQI")
ENTRY_BYTES = _TOC.size  # of an object in a contents list
MAX_OFFSET = 1 << 40  # no container is larger; beyond it a file system's own offsets end


class Stored(NamedTuple):
    """An object inside a container: its identity, what it is, where it lies."""

    hash: bytes
    kind: int
    offset: int
    length: int


class PackRef(NamedTuple):
    """A pack that an epoch brought in: its name and its size in bytes. 36 bytes when encoded."""

    hash: bytes
    size: int


class Epoch(NamedTuple):
    """Everything of an epoch but the data. `data_start` is where offsets count from.

    `lander` are the first bytes of the name of the front end that landed it, NOBODY when it did not say.
    """

    prev: Head
    new: Head
    lander: bytes
    records: tuple[Record, ...]
    packs: tuple[PackRef, ...]
    objects: tuple[Stored, ...]
    data_start: int


def epoch_name(head: Head) -> str:
    """The last part of the key of the epoch that made this head."""
    return f"{head.position:016x}-{head.hlc:016x}-{head.tree[:8].hex()}"


def lay_out(objects: Iterable[tuple[bytes, int, bytes]], offset: int = 0) -> tuple[list[Stored], bytes]:
    """Contents list and data for (hash, kind, stored bytes); one entry a hash. Offsets count from `offset` on.

    The list is sorted by hash. The data lies in the order given, so that what is read together can lie together.
    The members of a group come with the same bytes, which are laid down once.
    """
    unique = {item[0]: item for item in objects}
    groups: dict[bytes, int] = {}
    toc, parts = [], []
    for object_hash, kind, data in unique.values():
        start = groups.setdefault(data, offset) if kind == GROUP else offset
        toc.append(Stored(object_hash, kind, start, len(data)))
        if start == offset:
            parts.append(data)
            offset += len(data)
    toc.sort()
    return toc, b"".join(parts)


def encode_toc(objects: Sequence[Stored]) -> bytes:
    """u32 count and the entries."""
    return len(objects).to_bytes(4, "big") + b"".join(_TOC.pack(*item) for item in objects)


def read_toc(reader: Reader) -> tuple[Stored, ...]:
    """A contents list; raises Corrupt when it is unsorted or names what no container can hold.

    Two objects share bytes only as members of a group, which have the same range.
    """
    count = reader.count(reader.u32(), _TOC.size)
    objects = tuple(map(Stored._make, _TOC.iter_unpack(reader.take(count * _TOC.size))))
    if any(left.hash >= right.hash for left, right in pairwise(objects)):
        raise reader.fail("its contents list is not sorted")
    if any(item.offset > MAX_OFFSET for item in objects):
        raise reader.fail("an object lies beyond the end of any container")
    if any(item.kind > GROUP for item in objects):
        raise reader.fail("its contents list names an object of a kind that this program does not know")
    for before, behind in pairwise(sorted((item.offset, item.length, item.kind) for item in objects)):
        if behind[0] < before[0] + before[1] and (before != behind or before[2] != GROUP):
            raise reader.fail(f"two objects lie at byte {behind[0]} of the container")
    return objects


def encode_pack_ref(pack: PackRef) -> bytes:
    """32B name, u32 size."""
    return pack.hash + pack.size.to_bytes(4, "big")


def read_pack_ref(reader: Reader) -> PackRef:
    """The next 36 bytes as a reference to a pack."""
    return PackRef(reader.take(32), reader.u32())


def make_epoch(
    prev: Head,
    new: Head,
    lander: bytes,
    records: Sequence[Record],
    packs: Sequence[PackRef],
    objects: Iterable[tuple[bytes, int, bytes]],
) -> tuple[Epoch, bytes]:
    """An epoch as `decode_epoch` gives it, and its bytes; `objects` are (hash, kind, stored bytes)."""
    assert 0 < len(records) <= MAX_LANDINGS
    assert len(lander) == LANDER_BYTES
    assert records[0].position == prev.position + 1
    assert records[-1].position == new.position
    assert records[-1].root_after == new.tree
    assert prev.hlc < records[0].hlc
    assert records[-1].hlc == new.hlc
    toc, data = lay_out(objects)
    encoded = list(map(encode_record, records))
    meta = b"".join(
        (*encoded, len(packs).to_bytes(2, "big"), *map(encode_pack_ref, packs), encode_toc(toc)),
    )
    head = b"".join(
        (
            MAGIC,
            struct.pack(">BBHQ", VERSION, 0, len(records), records[0].position),
            prev.encode(),
            new.encode(),
            lander,
            len(meta).to_bytes(4, "big"),
            meta,
        )
    )
    epoch = Epoch(prev, new, lander, tuple(map(packed, records, encoded)), tuple(packs), tuple(toc), len(head) + 4)
    return epoch, b"".join((head, crc32c(head), data))


def meta_bytes(raw: bytes, name: str) -> int:
    """How many bytes from the start hold header, meta and checksum; needs the first HEADER_BYTES."""
    reader = Reader(raw, name, HEADER_BYTES - 4)
    return HEADER_BYTES + reader.u32() + 4


class Links(NamedTuple):
    """What an epoch leads to: the head before it, and packs beside it."""

    prev: Head
    new: Head
    packs: tuple[PackRef, ...]


def decode_links(raw: bytes, name: str) -> Links:
    """What an epoch leads to, from its first `meta_bytes`; raises Corrupt. Records are passed over, and not judged."""
    opened = _open(raw, name)
    for _ in range(opened.landings):
        opened.reader.take(opened.reader.u32())
    packs = tuple(read_pack_ref(opened.reader) for _ in range(opened.reader.u16()))
    return Links(opened.prev, opened.new, packs)


class _Opened(NamedTuple):
    """An epoch whose checksum is right, read up to its records."""

    reader: Reader
    version: int
    landings: int
    first: int
    prev: Head
    new: Head
    lander: bytes


def _open(raw: bytes, name: str) -> _Opened:
    reader = Reader(raw, name)
    reader.expect(MAGIC)
    version, _, count, first = reader.u8(), reader.u8(), reader.u16(), reader.u64()
    if not 1 <= version <= VERSION:
        raise reader.fail(f"version {version} is newer than this program knows")
    prev, new = decode_head(reader.take(HEAD_BYTES), name), decode_head(reader.take(HEAD_BYTES), name)
    lander = reader.take(LANDER_BYTES)
    stop = reader.u32() + HEADER_BYTES
    if stop + 4 > len(raw):
        raise reader.fail(f"it ends after {len(raw)} bytes of at least {stop + 4}")
    if crc32c(raw[:stop]) != raw[stop : stop + 4]:
        raise reader.fail("its checksum does not match")
    reader.end = stop
    return _Opened(reader, version, count, first, prev, new, lander)


def decode_epoch(raw: bytes, name: str) -> Epoch:
    """An epoch from its first `meta_bytes` (more may follow); raises Corrupt."""
    reader, version, count, first, prev, new, lander = _open(raw, name)
    records = tuple(read_record(reader) for _ in range(count))
    packs = tuple(read_pack_ref(reader) for _ in range(reader.u16()))
    objects = read_toc(reader)
    reader.done()
    consecutive = all(record.position == at for at, record in enumerate(records, first))
    if not records or not consecutive or first != prev.position + 1:
        raise reader.fail("its positions do not follow on the head before it")
    if records[-1].position != new.position or records[-1].root_after != new.tree:
        raise reader.fail("its last record is not what its head says")
    return Epoch(prev, new, lander if version > 1 else NOBODY, records, packs, objects, reader.end + 4)
