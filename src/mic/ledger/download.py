"""Contents on their way out: ranges of packs to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from typing import Protocol as TypingProtocol

from mic.core import epoch as stored
from mic.core.blob import Chunk, blob_size
from mic.core.errors import Corrupt
from mic.core.indexrun import Place
from mic.ledger.blobs import blob_chunks
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.frame import Frame
from mic.ledger.line import Line

# Neighbouring contents are read in one range of at most this size, across gaps of at most GAP.
READ_BYTES = 4 << 20
GAP = 64 << 10


def read_frames(line: Line, hashes: Sequence[bytes], run: Runner) -> Iterator[Frame]:
    """Contents as frames, in the order in which they lie in the store, neighbours read at once.

    `run` drives a protocol to its result. Frames are passed on as they are stored: whoever receives them
    verifies the hash of the whole content.
    """
    wanted: list[tuple[Place, bytes]] = []
    for object_hash in dict.fromkeys(hashes):
        place = line.objects.require(object_hash, "content")
        if place.kind == stored.CHUNK_LIST:
            chunks = run(blob_chunks(line.objects, object_hash)) or []
            yield from _large_frames(line, object_hash, chunks, run)
        else:
            wanted.append((place, object_hash))
    wanted.sort()
    at = 0
    while at < len(wanted):
        first = wanted[at][0]
        stop, end = at + 1, first.offset + first.length
        while stop < len(wanted):
            place = wanted[stop][0]
            beyond = place.offset + place.length
            if place.key != first.key or place.offset > end + GAP or beyond - first.offset > READ_BYTES:
                break
            end, stop = max(end, beyond), stop + 1
        line.objects.reads += 1
        raw = run(_range(first.key, first.offset, end - first.offset))
        for place, object_hash in wanted[at:stop]:
            start = place.offset - first.offset
            piece = raw[start : start + place.length]
            yield _frame(object_hash, piece, place)
        at = stop


def _large_frames(line: Line, object_hash: bytes, chunks: Sequence[Chunk], run: Runner) -> Iterator[Frame]:
    size, offset = sum(chunk.length for chunk in chunks), 0
    for chunk in chunks:
        place = line.objects.require(chunk.hash, "chunk")
        raw = run(_range(place.key, place.offset, place.length))
        frame = _frame(chunk.hash, raw, place)
        yield Frame(object_hash, size, offset, chunk.length, True, frame.data)
        offset += chunk.length


def _frame(object_hash: bytes, raw: bytes, place: Place) -> Frame:
    name = f"content {object_hash.hex()} in {place.key}"
    if len(raw) != place.length:
        raise Corrupt(f"{name} is cut short", hint="restore the object from a backup", object=place.key)
    size = blob_size(raw, name)
    return Frame(object_hash, size, 0, size, True, raw[8:])


def _range(key: str, start: int, length: int) -> Protocol[bytes]:
    return (yield GetRange(key, start, length))  # type: ignore[no-any-return]


class Runner(TypingProtocol):
    """The shape of `Driver.run`, for functions that stream between protocols."""

    def __call__(self, protocol: Protocol[Any], /) -> Any: ...
