"""Reading landed sessions and contents, whole or chunked. Every byte is verified against the hash it was asked for."""

from __future__ import annotations

from mic.core import epoch as stored
from mic.core.blob import Chunk, decode_chunk_list
from mic.core.errors import Corrupt, TooLarge
from mic.core.ids import content_hash
from mic.core.session import Session, decode_session
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects, read_place
from mic.ledger.small import read_small


def read_session(objects: Objects, object_hash: bytes) -> Protocol[Session]:
    """A landed session by the hash of its encoded bytes."""
    place = objects.require(object_hash, "session object")
    raw = yield from read_place(objects, place, "a session object")
    name = f"session object {object_hash.hex()} in {place.key}"
    if content_hash(raw) != object_hash:
        raise Corrupt(f"{name} is damaged: its bytes have another hash", object=place.key)
    return decode_session(raw, name)


def blob_chunks(objects: Objects, object_hash: bytes) -> Protocol[list[Chunk] | None]:
    """The chunk list of a large content, None when it is stored whole."""
    place = objects.require(object_hash, "content")
    if place.kind != stored.CHUNK_LIST:
        return None
    raw = yield from read_place(objects, place, "a chunk list")
    return decode_chunk_list(raw, f"chunk list {object_hash.hex()} in {place.key}")


def read_blob(objects: Objects, object_hash: bytes, limit: int) -> Protocol[bytes]:
    """A whole content of at most `limit` bytes, verified; raises TooLarge before reading more."""
    chunks = yield from blob_chunks(objects, object_hash)
    if chunks is None:
        return (yield from read_small(objects, [object_hash], limit))[object_hash]
    _check_limit(sum(chunk.length for chunk in chunks), limit, object_hash)
    parts = []
    for chunk in chunks:
        parts.append((yield from read_blob(objects, chunk.hash, chunk.length)))
    data = b"".join(parts)
    if content_hash(data) != object_hash:
        raise Corrupt(f"content {object_hash.hex()} is damaged: its chunks make other bytes", object=object_hash.hex())
    return data


def _check_limit(size: int, limit: int, object_hash: bytes) -> None:
    if size > limit:
        raise TooLarge(f"content {object_hash.hex()} has {size} bytes; the limit here is {limit}", size=size)
