"""A content by its hash, whichever way it is stored: whole in memory, a range of it, or its size alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from mic.core import epoch as stored
from mic.core.chunklist import ChunkList
from mic.core.errors import Corrupt, TooLarge
from mic.ledger.chunked import Runner, batches, chunk_spans, read_chunks, read_list, read_page
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects
from mic.ledger.small import expected_size, read_small


def read_blob(objects: Objects, object_hash: bytes, limit: int) -> Protocol[bytes]:
    """A whole content of at most `limit` bytes, verified; raises TooLarge before reading more."""
    listed = yield from read_list(objects, object_hash)
    if listed is None:
        return (yield from read_small(objects, [object_hash], limit))[object_hash]
    if listed.size > limit:
        raise TooLarge(
            f"content {object_hash.hex()} has {listed.size} bytes; the limit here is {limit}", size=listed.size
        )
    parts: list[bytes] = []
    digest = yield from digest_of(objects, listed, parts)
    if digest != object_hash:
        raise Corrupt(f"content {object_hash.hex()} is damaged: its chunks make other bytes", object=object_hash.hex())
    return b"".join(parts)


def digest_of(objects: Objects, listed: ChunkList, parts: list[bytes] | None = None) -> Protocol[bytes]:
    """SHA-256 of what a list makes, a few chunks in memory at a time; with `parts` the chunks are kept there."""
    digest = hashlib.sha256()
    for group in [[page] for page in listed.entries] if listed.paged else [listed.entries]:
        chunks = (yield from read_page(objects, group[0])) if listed.paged else group
        for batch in batches(chunks):
            for data in (yield from read_chunks(objects, batch)):
                digest.update(data)
                if parts is not None:
                    parts.append(data)
    return digest.digest()


def read_range(objects: Objects, object_hash: bytes, start: int, stop: int, run: Runner) -> Iterator[bytes]:
    """Bytes `start` up to `stop` of a content, or up to its end, in pieces of at most 4 MiB.

    Only the chunks that hold them are read, each verified by its own hash. `run` drives a protocol to its result.
    """
    listed: ChunkList | None = run(read_list(objects, object_hash))
    if listed is None:
        data: bytes = run(read_small(objects, [object_hash]))[object_hash]
        if part := data[start:stop]:
            yield part
        return
    for span in chunk_spans(objects, listed, start, stop, run):
        (data,) = run(read_chunks(objects, [span.entry]))
        yield data[span.first : span.stop]


def stored_size(objects: Objects, object_hash: bytes, expected: int) -> Protocol[tuple[int, int] | None]:
    """Size in bytes and kind (mic.core.epoch) of a content that is in the store, None when there is none.

    A size that is not the expected one is settled by the content itself: damage is Corrupt.
    """
    place = objects.find(object_hash)
    if place is None or place.kind not in stored.CONTENTS:
        return None
    listed = yield from read_list(objects, object_hash)
    if listed is not None:
        return listed.size, place.kind
    return (yield from expected_size(objects, place, object_hash, expected)), place.kind
