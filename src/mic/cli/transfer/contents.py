"""Contents from a forge: single frames for most, pieces for large ones, verified by whoever takes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from mic.cli.transfer.batches import BATCH_BYTES
from mic.cli.transfer.content_cache import LARGEST, content_cache
from mic.core.blob import MAX_WHOLE, inflate, inflate_each
from mic.core.errors import Corrupt, Erased
from mic.core.ids import content_hash
from mic.core.tree import Entry, entries_of
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

# Contents that a command holds in memory to compare or print; larger ones are streamed or only named.
MAX_HELD = 32 << 20
_ZSTD = pb.BlobFrame.ZSTD
# Bytes of contents that are inflated at once.
_AT_ONCE = 16 << 20

# The hash and the bytes of a content.
Whole = tuple[bytes, bytes]


class Source(Protocol):
    """Where contents come from: a `Client`, or a process that has one."""

    def chunks(self, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b"") -> Iterator[pb.BlobChunk]:
        """As `Client.chunks`."""


class Content(NamedTuple):
    """A content as it arrives. `pieces` is used up once; with `whole` it is one piece that may be used again.

    Of one that was `erased` they are the words that stand in its place.
    """

    hash: bytes
    size: int
    whole: bytes | None
    pieces: Iterable[bytes]
    erased: bool = False


def stream_contents(
    client: Source, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b""
) -> Iterator[Content]:
    """The contents with these hashes: those that this machine has, then the others in the forge's order, not verified.
    With a session also what was pushed of it.

    The pieces of one content end before the next is asked for; what is left of them is skipped. Whoever goes on
    has verified what came before, which is then kept. Raises Corrupt, Unavailable, InvalidInput.
    """
    for some in stream_batches(client, project, hashes, session_id):
        if isinstance(some, Content):
            yield some
        else:
            for name, data in some:
                yield Content(name, len(data), data, (data,))


def stream_batches(
    client: Source, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b""
) -> Iterator[list[Whole] | Content]:
    """As `stream_contents`, with those that came whole in lists: a generator less for each of 100,000."""
    cache = content_cache()
    absent = []
    alone = cache.alone(hashes)
    if cache.nothing(alone):
        absent, hashes = hashes, []
    for wanted in hashes:
        data = cache.content(wanted, alone)
        if data is None:
            absent.append(wanted)
        else:
            yield [(wanted, data)]
    fresh: list[Whole] = []
    waiting = 0
    erased: dict[bytes, str] = {}
    arriving = _arriving(client.chunks(project, absent, session_id), erased)
    for some in arriving:
        if isinstance(some, pb.BlobFrame):
            pieces = _pieces(some, arriving)
            yield Content(some.hash, some.size, None, pieces)
            for _ in pieces:
                pass
            continue
        yield some
        for content in some:
            length = len(content[1])
            if length <= LARGEST:
                fresh.append(content)
                waiting += length
        if waiting >= BATCH_BYTES:
            cache.keep_contents(fresh)
            fresh, waiting = [], 0
    cache.keep_contents(fresh)
    for name, text in erased.items():
        if name in absent:
            yield Content(name, len(text), text.encode(), (text.encode(),), erased=True)


def _arriving(chunks: Iterator[pb.BlobChunk], erased: dict[bytes, str]) -> Iterator[list[Whole] | pb.BlobFrame]:
    """Hash and bytes of the contents that came whole, and the frames of large ones; what was erased is noted."""
    for chunk in chunks:
        erased.update((stone.hash, stone.text) for stone in chunk.tombstones)
        if chunk.HasField("columns"):
            yield from column_contents(chunk.columns)
        for frame in chunk.frames:
            if frame.offset or frame.length != frame.size:
                yield frame
            else:
                yield [(frame.hash, frame_bytes(frame))]


def column_contents(columns: pb.BlobColumns) -> Iterator[list[Whole]]:
    """Hash and bytes of each content, in lists of at most `_AT_ONCE` bytes or of one content.

    Raises Corrupt when they are not what is said of them.
    """
    hashes, sizes, lengths, data = columns.hashes, list(columns.sizes), list(columns.lengths), columns.data
    if len(hashes) != 32 * len(lengths) or len(lengths) != len(sizes) or sum(lengths) != len(data):
        raise Corrupt("The contents that the forge sent have other numbers than they say.", hint="Try again.")
    names = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    if max(sizes, default=0) > MAX_WHOLE:
        raise next(_too_large(name, size) for name, size in zip(names, sizes, strict=True) if size > MAX_WHOLE)
    first = at = 0
    while first < len(names):
        stop, together, end = first, 0, at
        while stop < len(names) and (stop == first or together + sizes[stop] <= _AT_ONCE):
            together, end, stop = together + sizes[stop], end + lengths[stop], stop + 1
        some = names[first:stop]
        contents = inflate_each(data[at:end], lengths[first:stop], sizes[first:stop], some, _named)
        yield list(zip(some, contents, strict=True))
        first, at = stop, end


def page_entries(page: pb.TreeResponse) -> list[Entry]:
    """The entries of one page of a listing."""
    hashes = page.hashes
    return entries_of(
        page.paths, page.modes, page.kinds, page.sizes,
        [hashes[at : at + 32] for at in range(0, len(hashes), 32)],
    )  # fmt: skip


def fetch(
    client: Client, project: pb.ProjectRef, hashes: Iterable[bytes], session_id: bytes = b"", *, shown: bool = False
) -> dict[bytes, bytes]:
    """Contents of at most MAX_HELD bytes each, verified, by hash. The empty hash stands for no content: b"".

    Where they are only `shown`, what stands in the place of an erased one will do; else that raises Erased.
    """
    wanted = list(dict.fromkeys(item for item in hashes if item))
    found = {b"": b""}
    for content in stream_contents(client, project, wanted, session_id):
        data = b"".join(content.pieces)
        if content.erased:
            if not shown:
                raise Erased(f"The content {content.hash.hex()[:12]} was erased.", hint=data.decode().strip())
        elif content_hash(data) != content.hash:
            raise _wrong(content.hash)
        found[content.hash] = data
    for item in wanted:
        if item not in found:
            raise Corrupt(f"The forge did not send the content {item.hex()}.", hint="Try again.")
    return found


def verified(content: Content) -> Iterator[bytes]:
    """The pieces of a content; raises Corrupt behind the last one when the hash is wrong."""
    digest = hashlib.sha256()
    for piece in content.pieces:
        digest.update(piece)
        yield piece
    if content.erased:
        return
    if digest.digest() != content.hash:
        raise _wrong(content.hash)


def frame_bytes(frame: pb.BlobFrame) -> bytes:
    """The bytes of one frame; raises Corrupt when they are not what it says."""
    length, data = frame.length, frame.data
    if length > MAX_WHOLE:
        raise _too_large(frame.hash, length)
    if frame.encoding == _ZSTD:
        return inflate(data, length, _named(frame.hash))
    if len(data) != length:
        raise Corrupt(f"{_named(frame.hash)} has {len(data)} bytes, not {length}", hint="Try again.")
    return data


def _named(content: bytes) -> str:
    return f"the content {content.hex()[:12]} that the forge sent"


def _too_large(content: bytes, length: int) -> Corrupt:
    return Corrupt(f"{_named(content)} has a part of {length} bytes; the limit is {MAX_WHOLE}", hint="Try again.")


def _pieces(first: pb.BlobFrame, arriving: Iterator[list[Whole] | pb.BlobFrame]) -> Iterator[bytes]:
    name = f"the content {first.hash.hex()[:12]}"
    frame, have = first, 0
    while True:
        if (frame.hash, frame.size, frame.offset) != (first.hash, first.size, have) or not frame.length:
            raise Corrupt(f"the parts of {name} came out of order", hint="Try again.")
        yield frame_bytes(frame)
        have += frame.length
        if have >= first.size:
            return
        following = next(arriving, None)
        if not isinstance(following, pb.BlobFrame):
            raise Corrupt(f"{name} ended after {have} bytes", hint="Try again.")
        frame = following


def _wrong(expected: bytes) -> Corrupt:
    return Corrupt(f"the forge sent other bytes than the content {expected.hex()}", hint="Tell whoever runs the forge.")
