"""Rollups: what of records is in them, what a filter lets through, and what damaged bytes give."""

from __future__ import annotations

import hashlib
import random
import struct

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core import rollup
from mic.core.codec import crc32c
from mic.core.errors import Corrupt
from mic.core.record import PathChange, Record
from mic.core.rollup import (
    PARTS,
    Head,
    decode_bucket,
    decode_head,
    head_bytes,
    path_key,
    roll_parts,
    roll_records,
    span,
    touches_of,
)
from mic.core.segment import SEGMENT
from mic.core.session import Op
from mic.core.tree import BLOB, Entry

Naive = dict[bytes, list[tuple[int, int]]]


def _record(position: int, changes: dict[bytes, int]) -> Record:
    made = [
        PathChange(path, op, None if op == Op.DELETED else Entry(path, 0o100644, BLOB, 1, bytes(32)))
        for path, op in sorted(changes.items())
    ]
    return Record(position, position.to_bytes(16, "big"), bytes(32), position - 1, position, bytes(32), tuple(made))


def _segment(start: int, touches: dict[int, dict[bytes, int]]) -> list[Record]:
    return [_record(position, touches.get(position, {})) for position in range(start, start + SEGMENT)]


def _naive(records: list[Record]) -> Naive:
    """Who touched what, by splitting each path at its slashes."""
    found: Naive = {}
    for record in records:
        own = {change.path: change.op for change in record.changes}
        above = set()
        for path in own:
            parts = path.split(b"/")
            above |= {b"/".join(parts[:count]) for count in range(1, len(parts))}
        for path in above - own.keys():
            found.setdefault(path, []).append((record.position, 3))
        for path, op in own.items():
            found.setdefault(path, []).append((record.position, op))
    return found


def _open(raw: bytes) -> Head:
    return decode_head(raw[: head_bytes(raw, "r")], "r")


def _ask(raw: bytes, path: bytes, after: int = 0, last: int = 1 << 40, limit: int = 1 << 30) -> list[tuple[int, int]]:
    head, key = _open(raw), path_key(path)
    offset, length = head.place(key)
    return touches_of(head, decode_bucket(raw[offset : offset + length], "r"), key, after, last, limit)


def test_what_one_segment_says() -> None:
    """By hand: files, the directories above them, a file that became a directory."""
    raw = roll_records(
        _segment(
            1001,
            {
                1001: {b"a/b/c": 0, b"a/d": 0},
                1500: {b"a/b/c": 1},
                1501: {b"a/d": 2, b"a/d/e": 0},
                2000: {b"a-b": 0},
            },
        )
    )
    assert _ask(raw, b"a/b/c") == [(1500, 1), (1001, 0)]
    assert _ask(raw, b"a/b") == [(1500, 3), (1001, 3)]
    assert _ask(raw, b"a/d") == [(1501, 2), (1001, 0)]
    assert _ask(raw, b"a/d/e") == [(1501, 0)]
    assert _ask(raw, b"a") == [(1501, 3), (1500, 3), (1001, 3)]
    assert _ask(raw, b"a-b") == [(2000, 0)]
    assert _ask(raw, b"a/b/") == _ask(raw, b"") == _ask(raw, b"b") == []
    assert _ask(raw, b"a", after=1001, last=1500) == [(1500, 3)]
    assert _ask(raw, b"a", limit=1) == [(1501, 3)]
    assert _ask(raw, b"a", last=1000) == []


def test_nothing_was_touched() -> None:
    raw = roll_records(_segment(1, {}))
    assert _ask(raw, b"a") == []
    assert not _open(raw).may_hold(path_key(b"a"))


_PATHS = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=3).map(b"/".join)
_TOUCHES = st.dictionaries(
    st.integers(1, PARTS * SEGMENT),
    st.dictionaries(_PATHS | st.integers(0, 5000).map(lambda n: b"x/%d" % n), st.integers(0, 2), max_size=4),
    max_size=30,
)


@settings(deadline=None, max_examples=25)  # ten thousand records are encoded for each
@given(_TOUCHES)
def test_the_naive_reading_of_ten_segments(touches: dict[int, dict[bytes, int]]) -> None:
    """Ten rollups and the one over them say what the records say, path by path; the filter hides nothing."""
    segments = [_segment(start, touches) for start in range(1, PARTS * SEGMENT, SEGMENT)]
    parts = [roll_records(records) for records in segments]
    whole = roll_parts([(_open(raw), raw) for raw in parts], "r")
    everything = [record for records in segments for record in records]
    for raw, records in [*zip(parts, segments, strict=True), (whole, everything)]:
        naive, head = _naive(records), _open(raw)
        assert (head.keys, head.touches) == (len(naive), sum(map(len, naive.values())))
        for path, expected in naive.items():
            assert head.may_hold(path_key(path))
            assert _ask(raw, path) == expected[::-1]
        assert _ask(raw, b"nowhere") == []


def test_many_paths_have_many_buckets_and_the_filter_is_sharp() -> None:
    """20,000 keys: buckets of at most 512, none lost, and less than one in a hundred of the absent let through."""
    rnd = random.Random(1)
    touches = {at: {b"f/%d" % rnd.randrange(10**9): 0 for _ in range(20)} for at in range(1, SEGMENT + 1)}
    records = _segment(1, touches)
    raw = roll_records(records)
    head, naive = _open(raw), _naive(records)
    assert head.keys == len(naive) > 19_900
    assert head.bits == 7
    assert all(head.may_hold(path_key(path)) for path in naive)
    for path in list(naive)[:300]:
        assert _ask(raw, path) == naive[path][::-1]
    passed = sum(head.may_hold(path_key(b"g/%d" % at)) for at in range(10_000))
    assert passed < 100


def test_the_layout() -> None:
    """Read with struct and the published algorithms alone, none of our own decoders."""
    raw = roll_records(_segment(1, {7: {b"p": 1}, 9: {b"p": 2}}))
    magic, version, level, bits, _, start = struct.unpack_from(">4sBBBBQ", raw)
    keys, touched, blocks, length = struct.unpack_from(">IIII", raw, 48)
    assert (magic, version, level, bits, start, keys, touched, blocks) == (b"MICU", 1, 1, 0, 1, 1, 2, 1)
    key = hashlib.sha256(b"p").digest()[:16]
    words = struct.unpack_from(">8I", raw, 64)
    low = int.from_bytes(key[8:12], "big")
    salts = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
    assert words == tuple(1 << ((low * salt & 0xFFFFFFFF) >> 27) for salt in salts)
    assert crc32c(raw[:96]) == raw[96:100]
    bucket = raw[100:]
    assert len(bucket) == length
    body = zstandard.ZstdDecompressor().decompress(bucket[:-4])
    assert body == struct.pack(">I16sIII", 1, key, 2, 6 << 2 | 1, (8 << 2 | 2) - (6 << 2 | 1))
    assert len(raw) == 100 + length


def test_damage_is_noticed() -> None:
    """Any changed byte, and any bytes missing."""
    raw = roll_records(_segment(1, {7: {b"p": 1, b"q/r": 0}}))
    size = head_bytes(raw, "r")
    for at in range(len(raw)):
        spoilt = bytearray(raw)
        spoilt[at] ^= 0x10
        with pytest.raises(Corrupt):
            _read_all(bytes(spoilt))
    for at in range(size):
        with pytest.raises(Corrupt):
            decode_head(raw[:at], "r")
    with pytest.raises(Corrupt):
        decode_bucket(raw[size:-1], "r")


def _read_all(raw: bytes) -> None:
    head = _open(raw)
    at = head.size
    for length in head.lengths:
        decode_bucket(raw[at : at + length], "r")
        at += length


def test_another_version_is_refused() -> None:
    raw = bytearray(roll_records(_segment(1, {})))
    raw[4] = 2
    with pytest.raises(Corrupt, match="newer than this program"):
        head_bytes(bytes(raw), "r")


@given(st.binary(max_size=200))
def test_any_bytes_are_no_rollup(raw: bytes) -> None:
    for data in (raw, b"MICU\x01\x01\x00\x00" + raw):
        with pytest.raises(Corrupt):
            decode_head(data, "r")
    with pytest.raises(Corrupt):
        decode_bucket(raw, "r")


def test_a_bucket_that_would_not_fit_is_not_unpacked() -> None:
    frame = zstandard.ZstdCompressor().compress(bytes(rollup._MAX_BUCKET + 1))
    with pytest.raises(Corrupt, match="a bucket of"):
        decode_bucket(frame + crc32c(frame), "r")


def test_levels() -> None:
    assert [span(level) for level in range(1, 5)] == [1000, 10_000, 100_000, 1_000_000]
    assert rollup.rollup_start(2, 10_000) == 1
    assert rollup.rollup_start(2, 10_001) == 10_001
