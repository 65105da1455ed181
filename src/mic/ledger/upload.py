"""Contents on their way in: verified frames to packs."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable
from typing import IO

from mic.core import epoch as stored
from mic.core.blob import MAX_WHOLE, compress, encode_blob, frame_blob
from mic.core.chunklist import Chunk, ChunkList, outline
from mic.core.epoch import PackRef, Stored
from mic.core.errors import AlreadyExists, InvalidInput, TooLarge
from mic.core.pack import decode_toc, encode_pack, fits, toc_bytes
from mic.ledger.effects import Protocol, PutNew, Random
from mic.ledger.frame import Frame, check_hash, plain, whole
from mic.ledger.leavings import is_leaving
from mic.ledger.line import Line
from mic.ledger.objects import Objects
from mic.ledger.sent_list import parse_list, verify_list

# Chunk lists wait for what they name; at 36 bytes a page these stand for some 4 TiB.
LIST_BYTES = 32 << 20


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
        self._lists: list[tuple[Frame, ChunkList]] = []
        self._list_bytes = 0
        self._objects = Objects(line.project, below=line.objects)  # and what has been placed so far

    def receive(self, frame: Frame) -> Protocol[None]:
        """Take the next frame; parts of a large content come in order, one content at a time.

        A chunk list may come before or behind what it names, which is looked at when all is there. Raises Erased for
        what may not be stored again.
        """
        self.line.objects.refuse_erased([frame.hash])
        if frame.listed:
            self._receive_list(frame)
            return
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

    def receive_all(self, frames: Iterable[Frame]) -> Protocol[None]:
        """Take frame after frame, as `receive`."""
        for frame in frames:
            yield from self.receive(frame)

    def _receive_list(self, frame: Frame) -> None:
        if self._large is not None:
            raise InvalidInput("parts of a large content must come in order, one content at a time")
        self._lists.append((frame, parse_list(frame)))
        self._list_bytes += len(frame.data)
        if self._list_bytes > LIST_BYTES:
            raise TooLarge(f"an upload has chunk lists of {self._list_bytes} bytes; the limit is {LIST_BYTES}")
        self.blobs += 1
        self.bytes += frame.size

    def _store_lists(self) -> Protocol[None]:
        if self._lists:
            yield from self.flush()
        for frame, listed in self._lists:
            yield from verify_list(self._objects, frame.hash, listed)
            yield from self._store(frame.hash, stored.CHUNK_LIST, frame.data)
        self._lists.clear()

    def _store_large(self, large: _Large) -> Protocol[None]:
        large.verify()
        if large.size <= MAX_WHOLE:
            yield from self._store(large.hash, stored.BLOB, encode_blob(large.file.read()))
            return
        from mic.core.chunking import chunk_stream  # brings the cutter, which only large contents need

        chunks = []
        for piece in chunk_stream(large.file.read):
            chunk = Chunk(hashlib.sha256(piece).digest(), len(piece))
            chunks.append(chunk)
            if not self._held(chunk.hash):
                yield from self._store(chunk.hash, stored.BLOB, frame_blob(len(piece), compress(piece)))
        made = outline(chunks)
        for page in made.pages:
            page_hash = hashlib.sha256(page).digest()
            if not self._held(page_hash):
                yield from self._store(page_hash, stored.BLOB, encode_blob(page))
        yield from self._store(large.hash, stored.CHUNK_LIST, made.raw)

    def _held(self, object_hash: bytes) -> bool:
        """Whether the line or this upload holds a content that can be a chunk or a page."""
        place = self._objects.find(object_hash)
        return place is not None and place.kind in stored.SMALL

    def _store(self, object_hash: bytes, kind: int, raw: bytes) -> Protocol[None]:
        if object_hash in self._waiting:
            return
        if not fits(self._waiting_bytes + len(raw), len(self._waiting) + 1):
            yield from self.flush()
        self._waiting[object_hash] = (kind, raw)
        self._waiting_bytes += len(raw)

    def flush(self) -> Protocol[None]:
        """Write what waits as one pack."""
        if not self._waiting:
            return
        name, raw = encode_pack((h, kind, data) for h, (kind, data) in self._waiting.items())
        key = self.line.pack_key(name)
        with contextlib.suppress(AlreadyExists):  # named by its content: the same pack
            yield PutNew(key, raw)
        if (yield from is_leaving(self.line, key)):
            # One of that name is on its way out. With a few bytes of noise among its contents it has another.
            noise = yield Random(16)
            self._waiting[hashlib.sha256(noise).digest()] = (stored.BLOB, encode_blob(noise))
            yield from self.flush()
            return
        pack = PackRef(name, len(raw))
        tail = raw[-8 - toc_bytes(raw[-8:], key) :]
        self.packs.append(pack)
        self.placed.append((pack, decode_toc(tail, len(raw), key)))
        self._objects.add(key, 0, self.placed[-1][1])
        self._waiting.clear()
        self._waiting_bytes = 0

    def finish(self) -> Protocol[list[PackRef]]:
        """The receipts; raises InvalidInput when a large content is incomplete or a chunk list is not true."""
        if self._large is not None:
            large, self._large = self._large, None
            large.file.close()
            raise InvalidInput(f"the content {large.hash.hex()[:12]} ended after {large.have} of {large.size} bytes")
        yield from self._store_lists()
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
