"""Contents on their way in and out: verified frames to packs, ranges of packs to frames.

A frame is a content or a part of one as it travels: hash and size of the whole content, offset and
length of this part, and the part's bytes, plain or as one zstd frame.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, NamedTuple
from typing import Protocol as TypingProtocol

from mic.core import epoch as stored
from mic.core.blob import (
    MAX_WHOLE,
    Chunk,
    blob_size,
    compress,
    encode_blob,
    encode_chunk_list,
    frame_blob,
    frame_size,
    inflate,
)
from mic.core.epoch import PackRef, Stored
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, TooLarge
from mic.core.indexrun import Place
from mic.core.pack import decode_toc, encode_pack, toc_bytes
from mic.ledger.effects import GetRange, Protocol, PutNew
from mic.ledger.line import Line
from mic.ledger.objects import blob_chunks

# Small contents wait in memory until a pack of this size is written.
PACK_BYTES = 32 << 20
# Neighbouring contents are read in one range of at most this size, across gaps of at most GAP.
READ_BYTES = 4 << 20
GAP = 64 << 10
MAX_CONTENT = 64 << 30


class Frame(NamedTuple):
    """A content or a part of one. `zstd` tells how `data` holds the `length` bytes from `offset` on."""

    hash: bytes
    size: int
    offset: int
    length: int
    zstd: bool
    data: bytes


def plain(frame: Frame) -> bytes:
    """The bytes of a frame that came from outside; raises InvalidInput when they are not what it says."""
    if frame.length > MAX_WHOLE or frame.offset + frame.length > frame.size or frame.size > MAX_CONTENT:
        raise TooLarge(f"a frame of {frame.length} bytes; the limit is {MAX_WHOLE}")
    name = f"the content {frame.hash.hex()[:12]} that was sent"
    if not frame.zstd:
        if len(frame.data) != frame.length:
            raise InvalidInput(f"{name} has {len(frame.data)} bytes, not {frame.length}")
        return frame.data
    try:
        if frame_size(frame.data, name) != frame.length:
            raise InvalidInput(f"{name} does not inflate to {frame.length} bytes")
        return inflate(frame.data, frame.length, name)
    except Corrupt as error:
        raise InvalidInput(error.message) from error


def whole(frame: Frame) -> bytes:
    """The stored form of a content that came as one verified frame; raises InvalidInput."""
    if frame.offset or frame.length != frame.size:
        raise InvalidInput("a content in several frames belongs in UploadBlobs")
    data = plain(frame)
    check_hash(hashlib.sha256(data).digest(), frame.hash)
    return frame_blob(frame.size, frame.data) if frame.zstd else encode_blob(data)


def check_hash(found: bytes, expected: bytes) -> None:
    """Raises InvalidInput when the bytes that were sent have another hash than was said."""
    if found != expected:
        raise InvalidInput(
            f"a content was sent as {expected.hex()} and has SHA-256 {found.hex()}",
            hint="it changed while it was sent, or was damaged on the way; send it again",
        )


class Upload:
    """Contents received one frame after the other, put into packs. Memory stays below two packs."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.packs: list[PackRef] = []
        self.placed: list[tuple[PackRef, tuple[Stored, ...]]] = []
        self.blobs = 0
        self.bytes = 0
        self._waiting: dict[bytes, tuple[int, bytes]] = {}
        self._waiting_bytes = 0
        self._large: _Large | None = None

    def receive(self, frame: Frame) -> Protocol[None]:
        """Take the next frame; parts of a large content come in order, one content at a time."""
        if self._large is None and frame.length == frame.size:
            yield from self._store(frame.hash, stored.BLOB, whole(frame))
            self.blobs += 1
            self.bytes += frame.size
            return
        if self._large is None:
            self._large = _Large(frame.hash, frame.size)
        self._large.append(frame)
        if self._large.complete:
            large, self._large = self._large, None
            with large:
                yield from self._store_large(large)
            self.blobs += 1
            self.bytes += large.size

    def _store_large(self, large: _Large) -> Protocol[None]:
        large.verify()
        if large.size <= MAX_WHOLE:
            yield from self._store(large.hash, stored.BLOB, encode_blob(large.file.read()))
            return
        from mic.core.chunking import chunk_stream  # brings numpy, which only large contents need

        chunks = []
        for piece in chunk_stream(large.file.read):
            chunk = Chunk(hashlib.sha256(piece).digest(), len(piece))
            chunks.append(chunk)
            if self.line.objects.find(chunk.hash) is None:
                yield from self._store(chunk.hash, stored.BLOB, frame_blob(len(piece), compress(piece)))
        yield from self._store(large.hash, stored.CHUNK_LIST, encode_chunk_list(chunks))

    def _store(self, object_hash: bytes, kind: int, raw: bytes) -> Protocol[None]:
        if object_hash in self._waiting:
            return
        self._waiting[object_hash] = (kind, raw)
        self._waiting_bytes += len(raw)
        if self._waiting_bytes >= PACK_BYTES:
            yield from self.flush()

    def flush(self) -> Protocol[None]:
        """Write what waits as one pack."""
        if not self._waiting:
            return
        name, raw = encode_pack((h, kind, data) for h, (kind, data) in self._waiting.items())
        key = self.line.pack_key(name)
        with contextlib.suppress(AlreadyExists):  # named by its content: the same pack
            yield PutNew(key, raw)
        pack = PackRef(name, len(raw))
        tail = raw[-8 - toc_bytes(raw[-8:], key) :]
        self.packs.append(pack)
        self.placed.append((pack, decode_toc(tail, len(raw), key)))
        self._waiting.clear()
        self._waiting_bytes = 0

    def finish(self) -> Protocol[list[PackRef]]:
        """The receipts; raises InvalidInput when a large content is incomplete."""
        if self._large is not None:
            large, self._large = self._large, None
            with large:
                raise InvalidInput(
                    f"the content {large.hash.hex()[:12]} ended after {large.have} of {large.size} bytes"
                )
        yield from self.flush()
        return self.packs

    def close(self) -> None:
        """Drop what an interrupted upload left."""
        if self._large is not None:
            self._large.file.close()


class _Large:
    """A content in several frames, spooled to a file that has no name."""

    def __init__(self, object_hash: bytes, size: int) -> None:
        self.hash, self.size, self.have = object_hash, size, 0
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__ or Upload.close
        self._digest = hashlib.sha256()

    def append(self, frame: Frame) -> None:
        if (frame.hash, frame.size, frame.offset) != (self.hash, self.size, self.have):
            raise InvalidInput("parts of a large content must come in order, one content at a time")
        data = plain(frame)
        self._digest.update(data)
        self.file.write(data)
        self.have += len(data)

    @property
    def complete(self) -> bool:
        return self.have == self.size

    def verify(self) -> None:
        check_hash(self._digest.digest(), self.hash)
        self.file.seek(0)

    def __enter__(self) -> _Large:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


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
