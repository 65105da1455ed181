"""Chunk lists: what a page is, how far an edit reaches, which part of a list holds a range, and what is refused."""

from __future__ import annotations

import hashlib
import itertools
import random

import pytest

from mic.core.blob import MAX_WHOLE
from mic.core.chunklist import (
    Chunk,
    ChunkList,
    Span,
    decode_chunk_list,
    decode_list,
    decode_page,
    encode_chunk_list,
    encode_page_list,
    outline,
    pages,
    spans,
)
from mic.core.errors import Corrupt


def _chunks(count: int, seed: int = 1) -> list[Chunk]:
    source = random.Random(seed)
    return [Chunk(source.randbytes(32), source.randrange(16_384, 131_072)) for _ in range(count)]


def _ending(last: int) -> bytes:
    """A hash whose last byte is this."""
    return bytes(31) + bytes([last])


def test_a_page_ends_where_the_rule_says() -> None:
    """At a hash that is a multiple of 64, from the 64th chunk on; at the 512th in any case."""
    ends, goes_on = Chunk(_ending(0xC0), 16_384), Chunk(_ending(0xC1), 16_384)
    chunks = [ends] * 63 + [goes_on] * 37 + [ends] + [goes_on] * 600 + [ends] * 64
    assert [len(page) for page in pages(chunks)] == [101, 512, 89, 63]
    assert list(itertools.chain.from_iterable(pages(chunks))) == chunks


def test_pages_have_128_chunks_in_the_mean() -> None:
    sizes = [len(page) for page in pages(_chunks(100_000))]
    assert 120 <= sum(sizes) / len(sizes) <= 135
    assert min(sizes[:-1]) >= 64
    assert max(sizes) <= 512


@pytest.mark.parametrize(("count", "paged"), [(1, False), (1024, False), (1025, True), (5000, True)])
def test_an_outline_lists_every_chunk(count: int, paged: bool) -> None:
    """Flat up to 1,024 chunks; beyond, a list of pages whose hashes and lengths are those of the pages."""
    chunks = _chunks(count)
    made = outline(iter(chunks))
    listed = decode_list(made.raw, "list")
    assert (listed.paged, listed.size) == (paged, sum(chunk.length for chunk in chunks))
    if not paged:
        assert (listed.entries, made.pages) == (chunks, [])
        return
    found = []
    for entry, raw in zip(listed.entries, made.pages, strict=True):
        page = decode_page(raw, "page")
        assert entry == (hashlib.sha256(raw).digest(), sum(chunk.length for chunk in page))
        found += page
    assert found == chunks


def test_an_edit_changes_one_page_or_two() -> None:
    """A chunk that is replaced, added or taken away: nearly all pages stay what they were."""
    chunks = _chunks(20_000)
    before = set(outline(chunks).pages)
    for edited in (
        [*chunks[:9_000], *_chunks(1, 2), *chunks[9_001:]],
        [*chunks[:9_000], *_chunks(1, 2), *chunks[9_000:]],
        chunks[:9_000] + chunks[9_001:],
    ):
        after = set(outline(edited).pages)
        assert 1 <= len(after - before) <= 3


def test_the_spans_of_a_range() -> None:
    """Each entry that holds a part of the range, with that part; nothing beyond the end."""
    a, b, c = Chunk(b"a" * 32, 10), Chunk(b"b" * 32, 20), Chunk(b"c" * 32, 30)
    entries = [a, b, c]
    assert list(spans(entries, 0, 60)) == [Span(a, 0, 10), Span(b, 0, 20), Span(c, 0, 30)]
    assert list(spans(entries, 9, 11)) == [Span(a, 9, 10), Span(b, 0, 1)]
    assert list(spans(entries, 10, 30)) == [Span(b, 0, 20)]
    assert list(spans(entries, 31, 1000)) == [Span(c, 1, 30)]
    assert list(spans(entries, 60, 61)) == []
    assert list(spans(entries, 5, 5)) == []


@pytest.mark.parametrize("length", [0, MAX_WHOLE + 1, (1 << 32) - 1])
def test_chunks_have_a_length_that_can_be(length: int) -> None:
    for decode in (decode_chunk_list, decode_page, decode_list):
        with pytest.raises(Corrupt, match="out of range"):
            decode(encode_chunk_list([Chunk(bytes(32), length)]), "list")


@pytest.mark.parametrize("length", [0, 512 * MAX_WHOLE + 1])
def test_pages_have_a_length_that_can_be(length: int) -> None:
    with pytest.raises(Corrupt, match="out of range"):
        decode_list(encode_page_list([Chunk(bytes(32), length)]), "list")


@pytest.mark.parametrize("magic", [b"MICC", b"MICI"])
@pytest.mark.parametrize("count", [2, 1 << 20, (1 << 32) - 1])
def test_a_list_that_claims_more_than_it_holds_is_refused(magic: bytes, count: int) -> None:
    with pytest.raises(Corrupt, match="cannot fit"):
        decode_list(magic + count.to_bytes(4, "big") + bytes(36), "list")


def test_the_limits_of_a_list_and_of_a_page() -> None:
    """512 chunks in a page, 65,536 pages in a list; a long flat list from before there were pages is read."""
    many = [Chunk(bytes(32), 1)] * 65_537
    assert decode_list(encode_chunk_list(many), "list") == ChunkList(False, many)
    assert len(decode_page(encode_chunk_list(many[:512]), "page")) == 512
    with pytest.raises(Corrupt, match="513 entries; the limit is 512"):
        decode_page(encode_chunk_list(many[:513]), "page")
    with pytest.raises(Corrupt, match="65537 entries; the limit is 65536"):
        decode_list(encode_page_list(many), "list")
    with pytest.raises(Corrupt, match="begin with"):
        decode_page(encode_page_list(many[:2]), "page")
