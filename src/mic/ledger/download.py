"""Contents on their way out: ranges of packs to frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mic.core import epoch as stored
from mic.core.blob import MAX_WHOLE, blob_size, compress
from mic.core.chunklist import ChunkList
from mic.core.errors import Corrupt
from mic.core.indexrun import Place
from mic.ledger.chunked import Runner, chunk_spans, read_list
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.frame import Frame
from mic.ledger.objects import Objects
from mic.ledger.small import GAP, READ_BYTES, read_small

# Deltas and groups that are opened at once: each is at most 4 MiB, and as much again for its base.
OPENED = 8


def read_frames(
    objects: Objects, hashes: Sequence[bytes], run: Runner, located: Mapping[bytes, Place] | None = None
) -> Iterator[Frame]:
    """Contents as frames, in the order in which they lie in the store, neighbours read at once.

    `run` drives a protocol to its result; `located` says where the contents lie when that is known. Whole contents are
    passed on as they are stored: whoever receives them verifies the hash. Deltas and members of groups are opened,
    verified, and travel as whole contents too.
    """
    whole: list[tuple[Place, bytes]] = []
    leaning: dict[Place, list[bytes]] = {}
    for object_hash in dict.fromkeys(hashes):
        place = located[object_hash] if located is not None else objects.require(object_hash, "content")
        if place.kind == stored.CHUNK_LIST:
            yield from _large_frames(objects, object_hash, run(read_list(objects, object_hash)), run)
        elif place.kind == stored.BLOB:
            whole.append((place, object_hash))
        else:
            leaning.setdefault(place, []).append(object_hash)
    yield from _whole_frames(objects, sorted(whole), run)
    places = sorted(leaning)
    for at in range(0, len(places), OPENED):
        wanted = [object_hash for place in places[at : at + OPENED] for object_hash in leaning[place]]
        for object_hash, data in run(read_small(objects, wanted)).items():
            yield Frame(object_hash, len(data), 0, len(data), True, compress(data))


def _whole_frames(objects: Objects, wanted: Sequence[tuple[Place, bytes]], run: Runner) -> Iterator[Frame]:
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
        objects.reads += 1
        raw = run(_range(first.key, first.offset, end - first.offset))
        for place, object_hash in wanted[at:stop]:
            start = place.offset - first.offset
            piece = raw[start : start + place.length]
            yield _frame(object_hash, piece, place)
        at = stop


def _large_frames(objects: Objects, object_hash: bytes, listed: ChunkList, run: Runner) -> Iterator[Frame]:
    """The chunks of a large content as its parts, one list page in memory at a time."""
    size, offset = listed.size, 0
    for chunk, _, _ in chunk_spans(objects, listed, 0, size, run):
        place = objects.require(chunk.hash, "chunk")
        if place.kind == stored.BLOB:
            objects.reads += 1
            frame = _frame(chunk.hash, run(_range(place.key, place.offset, place.length)), place)
            length, squeezed = frame.length, frame.data
        else:  # the chunk is also a file of its own, whose versions lean on each other
            data = run(read_small(objects, [chunk.hash]))[chunk.hash]
            length, squeezed = len(data), compress(data)
        if length != chunk.length:
            raise Corrupt(f"chunk {chunk.hash.hex()} has {length} bytes, not {chunk.length}", object=place.key)
        yield Frame(object_hash, size, offset, length, True, squeezed)
        offset += length


def _frame(object_hash: bytes, raw: bytes, place: Place) -> Frame:
    size = int.from_bytes(raw[4:8], "big")
    if len(raw) == place.length and raw[:4] == b"MICB" and size <= MAX_WHOLE:
        return Frame(object_hash, size, 0, size, True, raw[8:])
    name = f"content {object_hash.hex()} in {place.key}"
    if len(raw) != place.length:
        raise Corrupt(f"{name} is cut short", hint="restore the object from a backup", object=place.key)
    size = blob_size(raw, name)
    return Frame(object_hash, size, 0, size, True, raw[8:])


def _range(key: str, start: int, length: int) -> Protocol[bytes]:
    return (yield GetRange(key, start, length))  # type: ignore[no-any-return]
