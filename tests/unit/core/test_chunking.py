"""Chunk boundaries: a golden vector, the written rule, and one answer from both searches."""

from __future__ import annotations

import hashlib
import io
import itertools
import random

import pytest

from mic.core.chunking import GEAR, MAX_CHUNK, Finder, chunk_stream, find_plain, numpy_finder


def deterministic(size: int) -> bytes:
    """SHA-256 of the block number (4 bytes, big-endian), block after block."""
    return b"".join(hashlib.sha256(block.to_bytes(4, "big")).digest() for block in range(size // 32))


FINDERS = [pytest.param(numpy_finder(), id="numpy"), pytest.param(find_plain, id="plain")]
EIGHT_MIB = deterministic(8 << 20)


def test_gear_table() -> None:
    """The table is the first 8 bytes of SHA-256 over its label and index."""
    assert len(GEAR) == 256
    assert f"{GEAR[0]:016x}" == hashlib.sha256(b"mic.gear.v1\x00").hexdigest()[:16]
    assert f"{GEAR[255]:016x}" == hashlib.sha256(b"mic.gear.v1\xff").hexdigest()[:16]


@pytest.mark.parametrize("find", FINDERS)
def test_golden_boundaries(find: Finder) -> None:
    """Boundaries of a fixed 8 MiB never change: stored projects depend on them."""
    lengths = [len(chunk) for chunk in chunk_stream(io.BytesIO(EIGHT_MIB).read, find)]
    assert len(lengths) == 119
    assert lengths[:6] == [40493, 39274, 72246, 66297, 17715, 71548]
    assert lengths[-2:] == [100550, 22536]
    packed = b"".join(length.to_bytes(4, "big") for length in lengths)
    assert hashlib.sha256(packed).hexdigest() == "a4d99fe8c74e4f7cef2679016ef4c02253a1a2fdb3f7f9877176e481dfc62122"


def test_boundaries_follow_the_written_rule() -> None:
    """Each chunk ends where the hash of its last 64 bytes, summed as the rule has it, says so."""
    chunks = list(chunk_stream(io.BytesIO(EIGHT_MIB[: 1 << 20]).read))
    assert b"".join(chunks) == EIGHT_MIB[: 1 << 20]
    for chunk in chunks[:-1]:
        value = sum(GEAR[byte] << back for back, byte in enumerate(reversed(chunk[-64:]))) % 2**64
        zero_bits = 18 if len(chunk) < 65_536 else 14
        assert 16_384 <= len(chunk) <= 131_072
        assert len(chunk) == 131_072 or value >> (64 - zero_bits) == 0


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 65_536, 65_537, 131_072, 131_073, 300_000])
def test_both_searches_agree_at_every_edge(size: int) -> None:
    """Random contents around each limit of the rule are cut alike, and nothing is lost."""
    content = random.Random(size).randbytes(size)
    expected = list(chunk_stream(io.BytesIO(content).read, find_plain))
    assert list(chunk_stream(io.BytesIO(content).read, numpy_finder())) == expected
    assert b"".join(expected) == content


def test_contents_without_a_boundary_are_cut_at_the_greatest_length() -> None:
    """A run of zeros has one hash throughout."""
    assert [len(chunk) for chunk in chunk_stream(io.BytesIO(bytes(300_000)).read)] == [MAX_CHUNK, MAX_CHUNK, 37_856]


def test_short_reads_change_nothing() -> None:
    """Boundaries depend on the content, not on how it arrives."""
    content = EIGHT_MIB[: 1 << 19]
    source = io.BytesIO(content)
    sizes = itertools.cycle([1, 5_000, 77_777])
    pieces = chunk_stream(lambda wanted: source.read(min(wanted, next(sizes))))
    assert list(pieces) == list(chunk_stream(io.BytesIO(content).read))


def test_an_insertion_changes_only_the_chunks_around_it() -> None:
    """Boundaries find each other again: an edit at the front keeps nearly all chunks."""
    before = set(chunk_stream(io.BytesIO(EIGHT_MIB).read))
    after = set(chunk_stream(io.BytesIO(EIGHT_MIB[:100_000] + b"inserted" + EIGHT_MIB[100_000:]).read))
    assert len(after - before) <= 8
