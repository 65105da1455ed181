"""Rollups: which landings of a range touched a path, or anything below it.

    'MICU' u8 version=1 u8 level u8 bits u8 0 | u64 start | 32B digest | u32 keys | u32 touches | u32 blocks
    2**bits x u32 length of a bucket | blocks x 32B of the bloom | u32 crc32c of everything before      (the head)
    the buckets, one after the other: zstd frame | u32 crc32c of it
    a bucket: u32 n | n x 16B key, sorted | n x u32 touches | for each key its touches x u32 step

A rollup of level 1 covers the 1,000 positions of a segment, one of level 2 ten of these, and so on. A key is the
first half of the SHA-256 of a path, or of a directory above it; its first `bits` bits tell its bucket. A touch is
`(position - start) << 2 | what`: 0 added, 1 modified, 2 deleted, 3 something below it was. The steps of a key are the
differences of its touches, which grow.

The bloom is split into blocks of 32 bytes (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters",
2007; the salts are those of Apache Parquet). It says for certain that a key is not there. It is sized by the number of
keys, at 12 bits for each: about one absent key in 200 costs the reading of a bucket.

A rollup is a function of the records alone, written create-only. `digest` names the records: for level 1 the SHA-256
over the hashes of the records, as in the segment; above it that over the digests of the parts. Needs numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mic.core.blob import compress, frame_size, inflate
from mic.core.codec import Reader, crc32c
from mic.core.errors import Corrupt
from mic.core.record import Record, encode_record
from mic.core.segment import SEGMENT

MAGIC = b"MICU"
VERSION = 1
FIXED_BYTES = 4 + 4 + 8 + 32 + 12
PARTS = 10  # rollups of a level that make one of the next
LEVELS = 4  # a thousand, ten thousand, a hundred thousand, a million positions
KEY_BYTES = 16
BELOW = 3

_BITS_A_KEY = 12
_BLOCK = 32
_KEYS_A_BUCKET = 256
_MAX_BITS = 20
_MAX_BLOCKS = 1 << 21  # 64 MiB
_MAX_BUCKET = 256 << 20
_SALTS = np.array(
    [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31], np.uint32
)

Words = NDArray[np.uint64]
Marks = NDArray[np.uint32]


def span(level: int) -> int:
    """Positions that a rollup of a level covers."""
    return SEGMENT * PARTS ** (level - 1)  # type: ignore[no-any-return]


def rollup_start(level: int, position: int) -> int:
    """First position of the rollup of a level that covers `position`."""
    assert position > 0
    return (position - 1) // span(level) * span(level) + 1


def path_key(path: bytes) -> bytes:
    """What stands for a path, 16 bytes: nobody finds two paths with the same."""
    return hashlib.sha256(path).digest()[:KEY_BYTES]


class Touches(NamedTuple):
    """Keys in their order, as two machine words each; how often each was touched; the touches of all, key by key."""

    words: Words  # (keys, 2)
    counts: Marks
    marks: Marks


class Head(NamedTuple):
    """What stands before the buckets of a rollup."""

    level: int
    start: int
    digest: bytes
    bits: int
    keys: int
    touches: int
    lengths: tuple[int, ...]
    bloom: bytes
    size: int  # bytes of the head

    def may_hold(self, key: bytes) -> bool:
        """False only when the range did not touch it."""
        blocks = len(self.bloom) // _BLOCK
        if not blocks:
            return False
        at = (int.from_bytes(key[4:8], "big") * blocks >> 32) * _BLOCK
        low = int.from_bytes(key[8:12], "big")
        for lane, salt in enumerate(_SALTS.tolist()):
            bit = (low * salt & 0xFFFFFFFF) >> 27
            byte = self.bloom[at + 4 * lane + 3 - (bit >> 3)]
            if not byte >> (bit & 7) & 1:
                return False
        return True

    def place(self, key: bytes) -> tuple[int, int]:
        """Where the bucket begins that a key would be in, in the object, and how long it is."""
        bucket = int.from_bytes(key[:4], "big") >> (32 - self.bits)
        return self.size + sum(self.lengths[:bucket]), self.lengths[bucket]


# ---------------------------------------------------------------- making


def roll_records(records: Sequence[Record]) -> bytes:
    """The rollup of level 1 over the records of one segment."""
    assert len(records) == SEGMENT
    start = records[0].position
    assert start == rollup_start(1, start)
    rows: list[bytes] = []
    marks: list[int] = []
    keys: dict[bytes, bytes] = {}
    for record in records:
        shift = record.position - start << 2
        for path, what in touched(record).items():
            key = keys.get(path)
            if key is None:
                key = keys[path] = path_key(path)
            rows.append(key)
            marks.append(shift | what)
    words = np.frombuffer(b"".join(rows), ">u8").astype(np.uint64).reshape(-1, 2)
    digest = hashlib.sha256(b"".join(hashlib.sha256(encode_record(record)).digest() for record in records)).digest()
    return _encode(1, start, digest, [_sorted(words, np.array(marks, np.uint32))])


def touched(record: Record) -> dict[bytes, int]:
    """Every path that a record changed, with what it did, and every directory above one."""
    found: dict[bytes, int] = {}
    for change in record.changes:
        above = change.path
        while (cut := above.rfind(b"/")) > 0:
            above = above[:cut]
            if above in found:
                break
            found[above] = BELOW
    for change in record.changes:
        found[change.path] = change.op
    return found


def roll_parts(parts: Sequence[tuple[Head, bytes]], name: str) -> bytes:
    """The rollup over ten of the level below: each is its head and all of its bytes. Raises Corrupt."""
    heads = [head for head, _ in parts]
    below, start = heads[0].level, heads[0].start
    assert [head.start for head in heads] == [start + span(below) * at for at in range(PARTS)]
    assert all(head.level == below for head in heads)
    digest = hashlib.sha256(b"".join(head.digest for head in heads)).digest()
    # The coarsest cut of the keys that all parts share: so much is held unpacked at a time.
    bits = min(head.bits for head in heads)
    ends = [head.size for head in heads]
    made = []
    for at in range(1 << bits):
        words, marks = [], []
        for number, (head, raw) in enumerate(parts):
            first, last = at << head.bits - bits, at + 1 << head.bits - bits
            for bucket in range(first, last):
                length = head.lengths[bucket]
                found = decode_bucket(raw[ends[number] : ends[number] + length], f"{name}, part {number}")
                ends[number] += length
                words.append(np.repeat(found.words, found.counts, axis=0))
                marks.append(found.marks + np.uint32((head.start - start) << 2))
        made.append(_sorted(np.concatenate(words), np.concatenate(marks)))
    return _encode(below + 1, start, digest, made)


def _sorted(words: Words, marks: Marks) -> Touches:
    """Touches of keys in any order, each row a touch."""
    order = np.lexsort((marks, words[:, 1], words[:, 0]))
    words, marks = words[order], marks[order]
    first = np.ones(len(words), bool)
    first[1:] = (words[1:] != words[:-1]).any(axis=1)
    at = np.flatnonzero(first)
    counts = np.diff(np.append(at, len(words))).astype(np.uint32)
    return Touches(words[at], counts, marks)


def _encode(level: int, start: int, digest: bytes, made: Sequence[Touches]) -> bytes:
    """The bytes; what is in `made` comes in the order of keys."""
    words = np.concatenate([each.words for each in made])
    counts = np.concatenate([each.counts for each in made])
    marks = np.concatenate([each.marks for each in made])
    keys = len(words)
    bits = 0
    while keys >> bits > _KEYS_A_BUCKET and bits < _MAX_BITS:
        bits += 1
    steps = _steps(counts, marks)
    # Where each bucket's keys and touches begin.
    prefixes = (words[:, 0] >> np.uint64(32)) >> np.uint64(32 - bits)
    cuts = np.searchsorted(prefixes, np.arange((1 << bits) + 1, dtype=np.uint64))
    ends = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    buckets = []
    for bucket in range(1 << bits):
        low, high = int(cuts[bucket]), int(cuts[bucket + 1])
        body = b"".join(
            (
                (high - low).to_bytes(4, "big"),
                words[low:high].astype(">u8").tobytes(),
                counts[low:high].astype(">u4").tobytes(),
                steps[ends[low] : ends[high]].astype(">u4").tobytes(),
            )
        )
        frame = compress(body)
        buckets.append(frame + crc32c(frame))
    bloom = _bloom(words)
    head = b"".join(
        (
            MAGIC,
            bytes((VERSION, level, bits, 0)),
            start.to_bytes(8, "big"),
            digest,
            keys.to_bytes(4, "big"),
            len(marks).to_bytes(4, "big"),
            (len(bloom) // _BLOCK).to_bytes(4, "big"),
            *(len(bucket).to_bytes(4, "big") for bucket in buckets),
            bloom,
        )
    )
    return b"".join((head, crc32c(head), *buckets))


def _steps(counts: Marks, marks: Marks) -> Marks:
    steps = np.diff(marks, prepend=np.uint32(0))
    starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)[:-1])) if len(counts) else np.zeros(0, np.int64)
    steps[starts] = marks[starts]
    return steps


def _bloom(words: Words) -> bytes:
    """The filter over keys; empty without any."""
    keys = len(words)
    if not keys:
        return b""
    blocks = min(-(-keys * _BITS_A_KEY // (8 * _BLOCK)), _MAX_BLOCKS)
    second = words[:, 0] & np.uint64(0xFFFFFFFF)
    at = (second * np.uint64(blocks) >> np.uint64(32)).astype(np.int64)
    low = (words[:, 1] >> np.uint64(32)).astype(np.uint32)
    lanes = np.zeros((blocks, len(_SALTS)), np.uint32)
    for lane, salt in enumerate(_SALTS):
        np.bitwise_or.at(lanes[:, lane], at, np.uint32(1) << (low * salt >> np.uint32(27)))
    return lanes.astype(">u4").tobytes()


# ---------------------------------------------------------------- reading


def head_bytes(raw: bytes, name: str) -> int:
    """How long the head is that begins with these bytes; Corrupt when it is none, or too short to tell."""
    reader = Reader(raw, name)
    reader.take(FIXED_BYTES)
    reader.pos = 0
    reader.expect(MAGIC)
    version, _, bits, _ = reader.take(4)
    if version != VERSION:
        raise reader.fail("its version is newer than this program knows")
    reader.pos = FIXED_BYTES - 4
    blocks = reader.u32()
    if bits > _MAX_BITS or blocks > _MAX_BLOCKS:
        raise reader.fail(f"{1 << min(bits, 64)} buckets and {blocks} blocks are more than a rollup has")
    return FIXED_BYTES + (4 << bits) + _BLOCK * blocks + 4


def decode_head(raw: bytes, name: str) -> Head:
    """The head, which must be all of `raw`; raises Corrupt."""
    if len(raw) < FIXED_BYTES or head_bytes(raw, name) != len(raw) or crc32c(raw[:-4]) != raw[-4:]:
        raise Corrupt(f"{name} is damaged: the checksum of its head does not match", object=name)
    reader = Reader(raw, name, end=len(raw) - 4)
    reader.expect(MAGIC)
    _, level, bits, _ = reader.take(4)
    start, digest = reader.u64(), reader.take(32)
    keys, touches, blocks = reader.u32(), reader.u32(), reader.u32()
    if not 1 <= level <= LEVELS or not start or start != rollup_start(level, start):
        raise reader.fail(f"no rollup of level {level} begins at position {start}")
    lengths = tuple(np.frombuffer(reader.take(4 << bits), ">u4").tolist())
    bloom = reader.take(_BLOCK * blocks)
    reader.done()
    return Head(level, start, digest, bits, keys, touches, lengths, bloom, len(raw))


def decode_bucket(raw: bytes, name: str) -> Touches:
    """A bucket, its checksum included; raises Corrupt."""
    if len(raw) < 4 or crc32c(raw[:-4]) != raw[-4:]:
        raise Corrupt(f"{name} is damaged: the checksum of a bucket does not match", object=name)
    frame = raw[:-4]
    size = frame_size(frame, name)
    if not 4 <= size <= _MAX_BUCKET:
        raise Corrupt(f"{name} is damaged: a bucket of {size} bytes", object=name)
    reader = Reader(inflate(frame, size, name), name)
    keys = reader.count(reader.u32(), KEY_BYTES + 4)
    words = np.frombuffer(reader.take(KEY_BYTES * keys), ">u8").astype(np.uint64).reshape(-1, 2)
    counts = np.frombuffer(reader.take(4 * keys), ">u4").astype(np.uint32)
    total = int(counts.sum(dtype=np.int64))
    if reader.end - reader.pos != 4 * total:
        raise reader.fail(f"{total} touches do not fill the {reader.end - reader.pos} bytes left")
    steps = np.frombuffer(reader.take(4 * total), ">u4").astype(np.uint32)
    return Touches(words, counts, _unstep(counts, steps))


def _unstep(counts: Marks, steps: Marks) -> Marks:
    sums = np.cumsum(steps, dtype=np.uint64)
    if not len(counts):
        return sums.astype(np.uint32)
    ends = np.cumsum(counts, dtype=np.int64)
    starts = ends - counts
    before = np.where(starts > 0, sums[starts - 1], np.uint64(0))
    marks: Marks = (sums - np.repeat(before, counts)).astype(np.uint32)
    return marks


def touches_of(head: Head, found: Touches, key: bytes, after: int, last: int, limit: int) -> list[tuple[int, int]]:
    """(position, what) of a key in its bucket, newest first: at most `limit` behind `after` and up to `last`."""
    first, second = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
    at = int(np.searchsorted(found.words[:, 0], np.uint64(first)))
    while at < len(found.words) and int(found.words[at, 0]) == first:
        if int(found.words[at, 1]) == second:
            break
        at += 1
    else:
        return []
    begin = int(found.counts[:at].sum(dtype=np.int64))
    marks = found.marks[begin : begin + int(found.counts[at])]
    low = np.searchsorted(marks, np.uint32(max(after + 1 - head.start, 0) << 2))
    high = np.searchsorted(marks, np.uint32(min(max(last + 1 - head.start, 0), span(head.level)) << 2))
    newest = marks[max(int(low), int(high) - limit) : int(high)][::-1].tolist()
    return [(head.start + (mark >> 2), mark & 3) for mark in newest]
