"""Stored forms of a content that lean on another content, its base.

    MICD  'MICD' u32 size | u8 depth | 32B base hash | zstd frame                                  one content
    MICG  'MICG' u32 total | u8 depth | 32B base hash | u16 n | n x (32B hash, u32 size) | frame   n contents

The base, uncompressed, is the raw dictionary of the frame (RFC 8878, section 5: a dictionary without header). The
frame of a group holds its contents one behind the other, those asked for most first, so that reading the first
means inflating nothing else. `depth` is how many forms lay below this one, a whole content at the bottom, when
it was written: the writer bounds chains with it. Readers count the steps themselves and believe nothing.

A reader checks every stated size before it inflates, never inflates beyond it, and checks the hash afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import zstandard

from mic.core.blob import MAX_WHOLE, read_size, verify_content
from mic.core.codec import Reader
from mic.core.errors import Corrupt

MAX_DEPTH = 8  # forms that a reader opens above a whole content; each is one dependent read
DELTA_DEPTH = 4  # chain that landings make: what compaction made below may add GROUP_DEPTH
GROUP_DEPTH = 4
MAX_GROUP = 4 << 20  # bytes of all contents of a group; 4 MiB inflate in about 4 ms
DELTA_HEADER = 4 + 4 + 1 + 32
GROUP_HEADER = 4 + 4 + 1 + 32 + 2
MEMBER_BYTES = 32 + 4
_WINDOW_LOG = 23  # a dictionary of 4 MiB and a frame of 4 MiB both stay in reach


class Delta(NamedTuple):
    """One content as a zstd frame over its base."""

    size: int
    depth: int
    base: bytes
    frame: bytes


class Member(NamedTuple):
    """A content of a group: its hash and its size in bytes."""

    hash: bytes
    size: int


class Group(NamedTuple):
    """Several contents in one zstd frame over their base, in the order of `members`."""

    depth: int
    base: bytes
    members: tuple[Member, ...]
    frame: bytes


def encode_delta(base_hash: bytes, base: bytes, depth: int, data: bytes, level: int = 3) -> bytes:
    """The stored form of `data` over `base`; `depth` counts this form: 1 when the base is stored whole."""
    assert len(data) <= MAX_WHOLE
    assert 0 < depth <= MAX_DEPTH
    header = b"".join((b"MICD", len(data).to_bytes(4, "big"), bytes((depth,)), base_hash))
    return header + _squeeze(base, data, level)


def decode_delta(raw: bytes, name: str) -> Delta:
    """The parts of a stored delta; raises Corrupt."""
    reader = Reader(raw, name)
    reader.expect(b"MICD")
    size, depth = read_size(reader), _depth(reader)
    return Delta(size, depth, reader.take(32), raw[reader.pos :])


def open_delta(delta: Delta, base: bytes, expected: bytes, name: str) -> bytes:
    """The content; raises Corrupt when its SHA-256 is not `expected`."""
    data = _inflate(delta.frame, base, delta.size, delta.size, name)
    verify_content(data, expected, name)
    return data


def encode_group(
    base_hash: bytes, base: bytes, depth: int, contents: Sequence[tuple[bytes, bytes]], level: int = 3
) -> bytes:
    """The stored form of several (hash, bytes) over `base`, which is none of them."""
    data = b"".join(content for _, content in contents)
    assert contents
    assert len(data) <= MAX_GROUP
    assert 0 < depth <= MAX_DEPTH
    head = [b"MICG", len(data).to_bytes(4, "big"), bytes((depth,)), base_hash, len(contents).to_bytes(2, "big")]
    table = [object_hash + len(content).to_bytes(4, "big") for object_hash, content in contents]
    return b"".join((*head, *table, _squeeze(base, data, level)))


def table_bytes(header: bytes, name: str) -> int:
    """How many bytes from the start of a group hold header and table; needs the first GROUP_HEADER."""
    reader = Reader(header, name)
    reader.expect(b"MICG")
    reader.take(4 + 1 + 32)
    return GROUP_HEADER + reader.u16() * MEMBER_BYTES


def decode_group(raw: bytes, name: str) -> Group:
    """The parts of a stored group (its table is enough, the frame may be cut off); raises Corrupt."""
    reader = Reader(raw, name)
    reader.expect(b"MICG")
    total = reader.u32()
    if total > MAX_GROUP:
        raise reader.fail(f"{total} bytes in one group; the limit is {MAX_GROUP}")
    depth, base = _depth(reader), reader.take(32)
    count = reader.count(reader.u16(), MEMBER_BYTES)
    members = tuple(Member(reader.take(32), reader.u32()) for _ in range(count))
    if not members or sum(member.size for member in members) != total:
        raise reader.fail(f"its members do not make the {total} bytes that it says")
    return Group(depth, base, members, raw[reader.pos :])


def member_size(group: Group, object_hash: bytes, name: str) -> int:
    """The size of a member; raises Corrupt when it is none."""
    for member in group.members:
        if member.hash == object_hash:
            return member.size
    raise _absent(object_hash, name)


def open_group(group: Group, base: bytes, wanted: Collection[bytes], name: str) -> dict[bytes, bytes]:
    """The wanted members, inflating no further than the last of them; raises Corrupt."""
    spans: dict[bytes, tuple[int, int]] = {}
    at = 0
    for member in group.members:
        if member.hash in wanted:
            spans.setdefault(member.hash, (at, at + member.size))
        at += member.size
    for object_hash in wanted:
        if object_hash not in spans:
            raise _absent(object_hash, name)
    data = _inflate(group.frame, base, at, max((stop for _, stop in spans.values()), default=0), name)
    found = {}
    for object_hash, (start, stop) in spans.items():
        found[object_hash] = data[start:stop]
        verify_content(found[object_hash], object_hash, name)
    return found


def _depth(reader: Reader) -> int:
    depth = reader.u8()
    if not 0 < depth <= MAX_DEPTH:
        raise reader.fail(f"a chain of {depth} forms; the limit is {MAX_DEPTH}")
    return depth


def _squeeze(base: bytes, data: bytes, level: int) -> bytes:
    """One zstd frame that states its content size, with `base` as raw dictionary all of which stays in reach."""
    window = min(_WINDOW_LOG, max(10, (len(base) + len(data)).bit_length()))
    params = zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=len(data),
        dict_size=len(base),
        window_log=window,
        write_content_size=True,
        write_checksum=False,
        write_dict_id=False,
    )
    return zstandard.ZstdCompressor(compression_params=params, dict_data=_dictionary(base)).compress(data)


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None


def _inflate(frame: bytes, base: bytes, total: int, size: int, name: str) -> bytes:
    """The first `size` bytes of a frame of `total`. Allocates no more than these and a window of at most 8 MiB."""
    opener = zstandard.ZstdDecompressor(dict_data=_dictionary(base), max_window_size=1 << _WINDOW_LOG)
    try:
        claimed = zstandard.frame_content_size(frame)
        if claimed != total:
            raise Corrupt(f"{name} is damaged: it says {total} bytes and its frame says {claimed}", object=name)
        if size == total:
            data = opener.decompress(frame, max_output_size=max(size, 1), allow_extra_data=False)
        else:
            with opener.stream_reader(frame) as stream:
                data = stream.read(size)
    except zstandard.ZstdError as error:
        raise Corrupt(f"{name} is damaged: {error}", object=name) from error
    if len(data) != size:
        raise Corrupt(f"{name} is damaged: it ends after {len(data)} of {size} bytes", object=name)
    return data


def _absent(object_hash: bytes, name: str) -> Corrupt:
    return Corrupt(f"{name} is damaged: content {object_hash.hex()} is no member of the group", object=name)
