"""A chunk list that was sent: held against what is there, byte by byte, before it is taken."""

from __future__ import annotations

import hashlib

from mic.core import epoch as stored
from mic.core.blob import MAX_WHOLE
from mic.core.chunking import MAX_CHUNK, MIN_CHUNK
from mic.core.chunklist import Chunk, ChunkList, decode_list, decode_page
from mic.core.errors import Corrupt, InvalidInput, TooLarge
from mic.ledger.chunked import batches
from mic.ledger.effects import Protocol
from mic.ledger.frame import MAX_CONTENT, Frame, check_hash
from mic.ledger.objects import Objects
from mic.ledger.small import read_small


def parse_list(frame: Frame) -> ChunkList:
    """The list in a frame, as far as it can be judged alone; raises InvalidInput, TooLarge."""
    name = f"the chunk list of {frame.hash.hex()[:12]} that was sent"
    if frame.zstd or frame.offset or len(frame.data) != frame.length:
        raise InvalidInput(f"{name} must come plain and in one frame")
    if frame.size > MAX_CONTENT or frame.length > MAX_WHOLE:
        raise TooLarge(f"{name} has {frame.length} bytes for {frame.size}; at most {MAX_WHOLE} for {MAX_CONTENT}")
    if frame.size <= MAX_WHOLE:
        raise InvalidInput(f"{name} is for {frame.size} bytes; up to {MAX_WHOLE} a content is sent whole")
    try:
        listed = decode_list(frame.data, name)
    except Corrupt as error:
        raise InvalidInput(error.message) from error
    if listed.size != frame.size:
        raise InvalidInput(f"{name} adds up to {listed.size} bytes, not {frame.size}")
    return listed


def verify_list(objects: Objects, object_hash: bytes, listed: ChunkList) -> Protocol[None]:
    """Read all that a list names and compare the hash of the whole; about 2 MiB are in memory at a time.

    Raises InvalidInput when a page or chunk is not among the objects, is itself a list, has another length than is
    said, or when all of them together are another content.
    """
    name = f"the chunk list of {object_hash.hex()[:12]} that was sent"
    digest, done = hashlib.sha256(), 0
    for group in [[page] for page in listed.entries] if listed.paged else [listed.entries]:
        chunks = (yield from _page(objects, name, group[0])) if listed.paged else group
        for batch in batches(chunks):
            done += sum(chunk.length for chunk in batch)
            _check_lengths(name, batch, last=done == listed.size)
            for chunk, data in zip(batch, (yield from _held(objects, name, batch)), strict=True):
                if len(data) != chunk.length:
                    raise InvalidInput(f"{name} gives {chunk.length} bytes to a chunk of {len(data)}")
                digest.update(data)
    check_hash(digest.digest(), object_hash)


def _check_lengths(name: str, batch: list[Chunk], *, last: bool) -> None:
    """Chunks have the lengths that every writer cuts: with tiny ones a short list would cost days to read."""
    for chunk in batch[:-1] if last else batch:
        if not MIN_CHUNK <= chunk.length <= MAX_CHUNK:
            raise InvalidInput(f"{name} has a chunk of {chunk.length} bytes; they have {MIN_CHUNK} to {MAX_CHUNK}")


def _page(objects: Objects, name: str, page: Chunk) -> Protocol[list[Chunk]]:
    (data,) = yield from _held(objects, name, [page])
    try:
        chunks = decode_page(data, f"the page {page.hash.hex()} of {name}")
    except Corrupt as error:
        raise InvalidInput(error.message) from error
    size = sum(chunk.length for chunk in chunks)
    if size != page.length:
        raise InvalidInput(f"{name} gives {page.length} bytes to a page of {size}")
    return chunks


def _held(objects: Objects, name: str, entries: list[Chunk]) -> Protocol[list[bytes]]:
    for entry in entries:
        place = objects.find(entry.hash)
        if place is None or place.kind not in stored.SMALL:
            raise InvalidInput(
                f"{name} names {entry.hash.hex()}, which this project does not hold as a chunk",
                hint="ask for what is missing and send it first",
                object=entry.hash.hex(),
            )
    found = yield from read_small(objects, [entry.hash for entry in entries])
    return [found[entry.hash] for entry in entries]
