"""Sending large files: cut and hash here, ask what is missing there, send only that.

The forge is asked first about the pages of the chunk list, then about the chunks of the pages that it lacks. What
follows are those chunks, those pages and the list. A file is read in pieces; 3 MB are kept of one of 5 GB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO, NamedTuple

from mic.core.blob import compress
from mic.core.chunklist import Chunk, Outline, decode_chunk_list, decode_list, outline
from mic.core.errors import InvalidInput
from mic.core.paths import display
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import open_content
from mic.workspace.workspace import Workspace

# Pages whose chunks are asked about at once: at most 8,192 hashes in a call.
_PAGES_AT_ONCE = 16


class Outlined(NamedTuple):
    """A file's content as it was when it was cut: hash, size in bytes, chunk list."""

    hash: bytes
    size: int
    outline: Outline


def outline_file(ws: Workspace, path: bytes) -> Outlined:
    """Cut and hash a regular file, once through. Raises as `open_content`."""
    from mic.core.chunking import chunk_stream  # brings the cutter, which only large files need

    digest, size = hashlib.sha256(), 0

    def chunks(stream: BinaryIO) -> Iterator[Chunk]:
        nonlocal size
        for piece in chunk_stream(stream.read):
            digest.update(piece)
            size += len(piece)
            yield Chunk(hashlib.sha256(piece).digest(), len(piece))

    with open_content(ws, path) as stream:
        made = outline(chunks(stream))
    return Outlined(digest.digest(), size, made)


class LargeFiles:
    """The large files of one upload; a chunk that several of them share is sent once."""

    def __init__(self, client: Client, ws: Workspace, project: pb.ProjectRef) -> None:
        self._client, self._ws, self._project = client, ws, project
        self._sent: set[bytes] = set()

    def frames(self, path: bytes, file: Outlined) -> Iterator[pb.BlobFrame]:
        """The chunks and pages of a file that the forge lacks, then the list. Raises InvalidInput when it changed."""
        listed = decode_list(file.outline.raw, "a chunk list")
        # A flat list has the form of a page.
        groups = [(0, file.outline.raw)]
        if listed.paged:
            groups = self._lacking(listed.entries, file.outline.pages)
        with open_content(self._ws, path) as stream:
            for at in range(0, len(groups), _PAGES_AT_ONCE):
                some = groups[at : at + _PAGES_AT_ONCE]
                for data in self._missing(stream, path, some):
                    yield _frame(data)
                if listed.paged:
                    yield from (_frame(raw) for _, raw in some)
        raw = file.outline.raw
        yield pb.BlobFrame(hash=file.hash, size=file.size, length=len(raw), data=raw, chunk_list=True)

    def _lacking(self, entries: list[Chunk], pages: list[bytes]) -> list[tuple[int, bytes]]:
        """The pages that the forge lacks, each with its offset in the content."""
        lacking = self._client.incomplete_pages(self._project, [page.hash for page in entries])
        offsets = accumulate((page.length for page in entries), initial=0)
        return [
            (offset, raw) for offset, page, raw in zip(offsets, entries, pages, strict=False) if page.hash in lacking
        ]

    def _missing(self, stream: BinaryIO, path: bytes, pages: list[tuple[int, bytes]]) -> Iterator[bytes]:
        """The chunks of these pages that the forge lacks."""
        groups = [(start, decode_chunk_list(raw, "a list page")) for start, raw in pages]
        asked = {chunk.hash for _, chunks in groups for chunk in chunks} - self._sent
        missing = self._client.missing(self._project, sorted(asked)) if asked else set()
        for start, chunks in groups:
            for offset, chunk in zip(accumulate((c.length for c in chunks), initial=start), chunks, strict=False):
                if chunk.hash not in missing:
                    continue
                missing.discard(chunk.hash)
                self._sent.add(chunk.hash)
                stream.seek(offset)
                data = stream.read(chunk.length)
                if hashlib.sha256(data).digest() != chunk.hash:
                    raise changed(path)
                yield data


def _frame(data: bytes) -> pb.BlobFrame:
    """A chunk or a page: a content in one frame."""
    return pb.BlobFrame(
        hash=hashlib.sha256(data).digest(),
        size=len(data),
        length=len(data),
        data=compress(data),
        encoding=pb.BlobFrame.ZSTD,
    )


def changed(path: bytes) -> InvalidInput:
    """The error for a file that was edited while it was sent."""
    return InvalidInput(f"{display(path)} changed while it was sent; nothing was landed.", hint="Land again.")
