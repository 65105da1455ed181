"""Chunk boundaries: a golden vector, the written rule, and one answer from every cutter."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
from collections.abc import Iterator

import pytest

from mic.core import chunking
from mic.core.chunking import (
    CHECK_LENGTHS,
    GEAR,
    LOOSE,
    MAX_CHUNK,
    STRICT,
    Cutter,
    check_content,
    chunk_stream,
    compiled_cutter,
    cutter_with,
    default_cutter,
    find_plain,
    numpy_finder,
)


def deterministic(size: int) -> bytes:
    """SHA-256 of the block number (4 bytes, big-endian), block after block."""
    return b"".join(hashlib.sha256(block.to_bytes(4, "big")).digest() for block in range(size // 32))


def _compiled() -> Cutter:
    cutter = compiled_cutter()
    assert cutter is not None
    return cutter


CUTTERS = [
    pytest.param(_compiled(), id="compiled"),
    pytest.param(cutter_with(numpy_finder()), id="numpy"),
    pytest.param(cutter_with(find_plain), id="plain"),
]
EIGHT_MIB = deterministic(8 << 20)
GOLDEN_COUNT = 119
GOLDEN_FIRST = [80990, 70518, 83997, 67635, 45751, 82270]
GOLDEN_LAST = [69500, 36108]
GOLDEN_HASH = "90ff80d6c8874bd1cc2743800beadfb61775328afc52d9a7322a377fa8270fb0"


def test_the_constants_of_the_rule() -> None:
    """The table is made of MD5 digests; the masks have 19 and 13 bits, the loose ones among the strict ones."""
    assert len(GEAR) == 256
    assert f"{GEAR[0]:016x}" == hashlib.md5(b"\x00" * 64).hexdigest()[:16]
    assert f"{GEAR[255]:016x}" == hashlib.md5(b"\xff" * 64).hexdigest()[:16]
    assert (STRICT.bit_count(), LOOSE.bit_count(), STRICT & LOOSE) == (19, 13, LOOSE)


@pytest.mark.parametrize("cut", CUTTERS)
def test_golden_boundaries(cut: Cutter) -> None:
    """Boundaries of a fixed 8 MiB never change: what was stored before is found again by them."""
    lengths = [len(chunk) for chunk in chunk_stream(io.BytesIO(EIGHT_MIB).read, cut)]
    assert len(lengths) == GOLDEN_COUNT
    assert lengths[:6] == GOLDEN_FIRST
    assert lengths[-2:] == GOLDEN_LAST
    packed = b"".join(length.to_bytes(4, "big") for length in lengths)
    assert hashlib.sha256(packed).hexdigest() == GOLDEN_HASH


def test_boundaries_follow_the_written_rule() -> None:
    """Each chunk ends at the first place where the sum over the bytes behind its 16,384th says so."""
    content = EIGHT_MIB[: 1 << 20]
    chunks = list(chunk_stream(io.BytesIO(content).read))
    assert b"".join(chunks) == content
    start = 0
    for chunk in chunks[:-1]:
        cuts = []
        for size in (len(chunk), len(chunk) - 1, (16_384 + len(chunk)) // 2):
            value = sum(GEAR[content[start + k]] << (size - k) for k in range(max(16_384, size - 64), size + 1)) % 2**64
            cuts.append(value & (STRICT if size < 65_536 else LOOSE) == 0)
        assert 16_384 <= len(chunk) <= 131_072
        assert cuts == [True, False, False] or len(chunk) == 131_072
        start += len(chunk)


@pytest.mark.parametrize(
    "size", [0, 1, 16_384, 16_385, 16_386, 65_535, 65_536, 65_537, 65_538, 131_071, 131_072, 131_073, 131_074, 300_001]
)
def test_all_cutters_agree_at_every_edge(size: int) -> None:
    """Random contents around each limit of the rule are cut alike, and nothing is lost."""
    for seed in range(5):
        content = random.Random(size + seed).randbytes(size)
        plain, numpy, compiled = (
            list(chunk_stream(io.BytesIO(content).read, cut))
            for cut in (cutter_with(find_plain), cutter_with(numpy_finder()), _compiled())
        )
        assert plain == numpy == compiled
        assert b"".join(plain) == content


@pytest.mark.parametrize("cut", CUTTERS)
def test_contents_without_a_boundary_are_cut_at_the_greatest_length(cut: Cutter) -> None:
    """A run of zeros has one hash throughout."""
    content = io.BytesIO(bytes(300_000))
    assert [len(chunk) for chunk in chunk_stream(content.read, cut)] == [MAX_CHUNK, MAX_CHUNK, 37_856]


def test_the_fixed_content_of_the_self_check() -> None:
    """The plain cutter, which is the rule spelled out, cuts it as the constant says."""
    assert tuple(cutter_with(find_plain)(check_content())) == CHECK_LENGTHS


def test_the_compiled_cutter_is_used_while_it_follows_the_rule() -> None:
    """Here it is installed: the default is not one of ours."""
    default_cutter.cache_clear()
    assert default_cutter().__qualname__.startswith("compiled_cutter")


@pytest.mark.parametrize("fault", ["other boundaries", "not compiled", "missing"])
def test_a_compiled_cutter_that_is_not_right_is_left_alone(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the package, its slow form or none at all: the boundaries stay what they are."""

    def other(data: bytes) -> Iterator[int]:
        return iter([len(data)])

    def found() -> Cutter | None:
        if fault == "missing":
            raise ImportError(fault)
        return other if fault == "other boundaries" else None

    monkeypatch.setattr(chunking, "compiled_cutter", found)
    default_cutter.cache_clear()
    try:
        assert default_cutter().__qualname__.startswith("cutter_with")
        lengths = [len(chunk) for chunk in chunk_stream(io.BytesIO(check_content()).read)]
        assert tuple(lengths) == CHECK_LENGTHS
    finally:
        default_cutter.cache_clear()


def test_short_reads_change_nothing() -> None:
    """Boundaries depend on the content, not on how it arrives."""
    content = EIGHT_MIB[: 3 << 20]
    source = io.BytesIO(content)
    sizes = itertools.cycle([1, 5_000, 77_777])
    pieces = chunk_stream(lambda wanted: source.read(min(wanted, next(sizes))))
    assert list(pieces) == list(chunk_stream(io.BytesIO(content).read, cutter_with(numpy_finder())))


def test_an_insertion_changes_only_the_chunks_around_it() -> None:
    """Boundaries find each other again: an edit at the front keeps nearly all chunks."""
    before = set(chunk_stream(io.BytesIO(EIGHT_MIB).read))
    after = set(chunk_stream(io.BytesIO(EIGHT_MIB[:100_000] + b"inserted" + EIGHT_MIB[100_000:]).read))
    assert len(after - before) <= 3
