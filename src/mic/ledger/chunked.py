"""Reading large contents: the list, the pages that are needed, the chunks that are needed.

A list and its pages may lie: a chunk is never taken for a list, so nothing is read in a ring, and each length is held
to what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from typing import Protocol as TypingProtocol

from mic.core import epoch as stored
from mic.core.chunklist import Chunk, ChunkList, Span, decode_list, decode_page, spans
from mic.core.errors import Corrupt, InvalidInput
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects, read_place
from mic.ledger.small import read_small

_BATCH = 2 << 20


class Runner(TypingProtocol):
    """The shape of `Driver.run`, for functions that stream between protocols."""

    def __call__(self, protocol: Protocol[Any], /) -> Any: ...


def read_list(objects: Objects, object_hash: bytes) -> Protocol[ChunkList | None]:
    """The list of a large content as it is stored, None when the content is stored whole."""
    place = objects.require(object_hash, "content")
    if place.kind != stored.CHUNK_LIST:
        return None
    raw = yield from read_place(objects, place, "a chunk list")
    return decode_list(raw, f"chunk list {object_hash.hex()} in {place.key}")


def read_page(objects: Objects, page: Chunk) -> Protocol[list[Chunk]]:
    """The chunks of one page of a list; raises Corrupt when they are not as long as the list says."""
    raw = (yield from read_small(objects, [page.hash]))[page.hash]
    name = f"list page {page.hash.hex()}"
    chunks = decode_page(raw, name)
    size = sum(chunk.length for chunk in chunks)
    if size != page.length:
        raise Corrupt(f"{name} stands for {size} bytes, not {page.length}", object=page.hash.hex())
    return chunks


def batches(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """The chunks in groups of about 2 MiB, to be read at once."""
    batch, size = [], 0
    for chunk in chunks:
        batch.append(chunk)
        size += chunk.length
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_chunks(objects: Objects, chunks: Sequence[Chunk]) -> Protocol[list[bytes]]:
    """Chunks, each verified, all read at once; raises Corrupt when one is not as long as the list says."""
    found = yield from read_small(objects, [chunk.hash for chunk in chunks])
    for chunk in chunks:
        length = len(found[chunk.hash])
        if length != chunk.length:
            raise Corrupt(f"chunk {chunk.hash.hex()} has {length} bytes, not {chunk.length}", object=chunk.hash.hex())
    return [found[chunk.hash] for chunk in chunks]


def require_chunks(objects: Objects, object_hash: bytes) -> Protocol[None]:
    """Raises InvalidInput when a page or a chunk of a large content is not among the objects; reads no chunk."""
    listed = yield from read_list(objects, object_hash)
    for group in listed.entries if listed is not None else []:
        pending = [group]
        if listed is not None and listed.paged and objects.find(group.hash) is not None:
            pending = yield from read_page(objects, group)
        for chunk in pending:
            if objects.find(chunk.hash) is None:
                raise InvalidInput(
                    f"a part of the content {object_hash.hex()[:12]} was not sent: {chunk.hash.hex()}",
                    hint="name every receipt of the upload",
                    object=chunk.hash.hex(),
                )


def chunk_spans(objects: Objects, listed: ChunkList, start: int, stop: int, run: Runner) -> Iterator[Span]:
    """The chunks that hold bytes `start` up to `stop`, each with its part of them. Only their pages are read.

    `run` drives a protocol to its result.
    """
    if not listed.paged:
        yield from spans(listed.entries, start, stop)
        return
    for page in spans(listed.entries, start, stop):
        yield from spans(run(read_page(objects, page.entry)), page.first, page.stop)
