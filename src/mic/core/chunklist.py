"""Chunk lists: the stored form of a content of more than 4 MiB.

    MICC  'MICC' u32 count | count x 32B chunk hash | count x u32 chunk length      up to 1,024 chunks, or one page
    MICI  'MICI' u32 count | count x 32B page hash | count x u32 page length        more: a list of pages

A page is an MICC; its hash is the SHA-256 of those bytes and its length that of the contents it lists. Pages are cut
behind a chunk by that chunk's hash alone, so an edit changes the page it falls into and hardly another, and a reader
finds an offset from the lengths without reading other pages. A page and a chunk are contents like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mic.core.blob import MAX_WHOLE
from mic.core.codec import Reader

FLAT = b"MICC"
PAGED = b"MICI"
MAX_FLAT = 1024  # chunks that a writer lists without pages
MAX_CHUNKS = 1 << 20  # in one MICC that a reader takes: lists were not always paged
MAX_PAGES = 1 << 16
MIN_PAGE = 64  # chunks
MAX_PAGE = 512
MAX_PAGE_BYTES = MAX_PAGE * MAX_WHOLE
# Behind the 64th chunk a page ends at one chunk in 64: 128 in the mean, and 9 pages in 10,000 reach 512.
_PAGE_ENDS = 64


class Chunk(NamedTuple):
    """One piece of a large content, or a page of them: its own identity and the length of the content it stands for."""

    hash: bytes
    length: int


class ChunkList(NamedTuple):
    """A large content's pieces in order: its chunks, or with `paged` the pages that list them."""

    paged: bool
    entries: list[Chunk]

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return sum(entry.length for entry in self.entries)


class Outline(NamedTuple):
    """A content's list as it is stored, and the pages that it names (none when it is flat), 36 bytes a chunk."""

    raw: bytes
    pages: list[bytes]


class Span(NamedTuple):
    """Bytes `first` up to `stop` of one entry of a list."""

    entry: Chunk
    first: int
    stop: int


def encode_chunk_list(chunks: list[Chunk]) -> bytes:
    """A flat list or a page."""
    return FLAT + _columns(chunks)


def encode_page_list(pages: list[Chunk]) -> bytes:
    """A list of pages."""
    return PAGED + _columns(pages)


def _columns(entries: list[Chunk]) -> bytes:
    return b"".join(
        (
            len(entries).to_bytes(4, "big"),
            *(entry.hash for entry in entries),
            *(entry.length.to_bytes(4, "big") for entry in entries),
        )
    )


def decode_chunk_list(raw: bytes, name: str) -> list[Chunk]:
    """The chunks of a flat list; raises Corrupt."""
    return _decode(raw, name, FLAT, MAX_CHUNKS, MAX_WHOLE)


def decode_page(raw: bytes, name: str) -> list[Chunk]:
    """The chunks of a page; raises Corrupt."""
    return _decode(raw, name, FLAT, MAX_PAGE, MAX_WHOLE)


def decode_list(raw: bytes, name: str) -> ChunkList:
    """A content's list of either form; raises Corrupt."""
    if raw[:4] == PAGED:
        return ChunkList(True, _decode(raw, name, PAGED, MAX_PAGES, MAX_PAGE_BYTES))
    return ChunkList(False, decode_chunk_list(raw, name))


def _decode(raw: bytes, name: str, magic: bytes, most: int, longest: int) -> list[Chunk]:
    reader = Reader(raw, name)
    reader.expect(magic)
    count = reader.count(reader.u32(), 36)
    if count > most:
        raise reader.fail(f"{count} entries; the limit is {most}")
    hashes = [reader.take(32) for _ in range(count)]
    entries = [Chunk(entry_hash, reader.u32()) for entry_hash in hashes]
    reader.done()
    if any(not 0 < entry.length <= longest for entry in entries):
        raise reader.fail("a length is out of range")
    return entries


def pages(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """The chunks in pages of 64 to 512: behind the 64th, one ends with a chunk whose hash is a multiple of 64.

    The hash counts as a big-endian integer, so its last six bits decide.
    """
    page: list[Chunk] = []
    for chunk in chunks:
        page.append(chunk)
        if len(page) >= MAX_PAGE or (len(page) >= MIN_PAGE and not chunk.hash[-1] % _PAGE_ENDS):
            yield page
            page = []
    if page:
        yield page


def outline(chunks: Iterable[Chunk]) -> Outline:
    """The list of a content with these chunks, flat up to 1,024 of them."""
    entries, encoded, count = [], [], 0
    for page in pages(chunks):
        raw = encode_chunk_list(page)
        entries.append(Chunk(hashlib.sha256(raw).digest(), sum(chunk.length for chunk in page)))
        encoded.append(raw)
        count += len(page)
    if count > MAX_FLAT:
        return Outline(encode_page_list(entries), encoded)
    return Outline(encode_chunk_list([chunk for raw in encoded for chunk in decode_page(raw, "a page")]), [])


def spans(entries: Iterable[Chunk], start: int, stop: int) -> Iterator[Span]:
    """The entries that hold bytes `start` up to `stop` of what they stand for, each with its own part of that range."""
    offset = 0
    for entry in entries:
        if offset >= stop:
            return
        if start < min(stop, offset + entry.length):
            yield Span(entry, max(start - offset, 0), min(stop - offset, entry.length))
        offset += entry.length
