"""From changed files to a landing's changes and contents; nothing large is held whole."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import zstandard

from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.large_files import LargeFiles, Outlined, changed, outline_file
from mic.cli.transfer.parts import require_inside
from mic.core.blob import MAX_WHOLE
from mic.core.paths import parse_path
from mic.rpc.client import HASHES_PER_CALL, STREAM_SECONDS, Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import hash_file, open_content, read_small
from mic.workspace.folders import Folders
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

# A landing of this much or less is one call; more goes ahead in a stream of its own.
_INLINE_FILE = 100_000
_INLINE = 8 << 20
# So much is sent whether or not the forge has it: to ask takes longer than to send.
_UNASKED = 16 << 10
_PART = 1 << 20
_MESSAGE = 1 << 20
# The forge is asked what it lacks of so much at a time.
_BATCH = 8 << 20
_OPS = (pb.Change.ADDED, pb.Change.MODIFIED, pb.Change.DELETED)
_DELETED = int(pb.Change.DELETED)


class Sent(NamedTuple):
    """What goes to the forge. `stats` is how each file stood just before it was read; `large` are files by hash."""

    changes: list[pb.Change]
    stats: dict[bytes, os.stat_result]
    large: dict[bytes, Outlined]


class _Read(NamedTuple):
    """A change, and its content when that is small enough to be kept in memory until it is sent."""

    change: pb.Change
    data: bytes | None


def send(
    client: Client, ws: Workspace, project: pb.ProjectRef, changes: list[LocalChange], session_id: bytes = b""
) -> tuple[Sent, list[pb.BlobFrame], list[bytes]]:
    """Read what changed, and bring the contents that the forge lacks there; what was pushed of the session is there.

    Returns what was read, frames that go with the landing itself, and receipts of what went ahead. Each small file
    is read once; while some are sent, the next are read. Raises InvalidPath, NotFound when a file goes away meanwhile.
    """
    require_inside(ws, [change.path for change in changes], "You changed")
    sent = Sent([], {}, {})
    batches = _batches(_read(ws, changes, sent))
    held: list[list[_Read]] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += sum(len(item.data) for item in batch if item.data is not None)
        if size > _INLINE:
            break
    everything = list(itertools.chain.from_iterable(held))
    if size <= _UNASKED and all(item.data is not None or item.change.op == _DELETED for item in everything):
        wanted = iter([list({item.change.hash: item for item in everything if item.data is not None}.values())])
    else:
        wanted = _wanted(client, project, itertools.chain(held, batches), session_id)
    inline: list[pb.BlobFrame] = []
    if size <= _INLINE:
        # They are what the next differences are made to, with a network or without.
        content_cache().keep_contents([(item.change.hash, item.data) for item in everything if item.data])
        # Small contents go with the landing when all of them fit; else in packs.
        lacking = list(itertools.chain.from_iterable(wanted))
        inline = [_frame(item.change, 0, item.data) for item in lacking if item.data is not None]
        wanted = iter([[item for item in lacking if item.data is None]])
    messages = _messages(client, ws, project, wanted, sent.large)
    first = next(messages, None)
    if first is None:
        return sent, inline, []
    requests = itertools.chain([first], messages)
    answer = client.call(client.projects.UploadBlobs, requests, seconds=STREAM_SECONDS)
    return sent, inline, list(answer.packs)


def _read(ws: Workspace, changes: list[LocalChange], sent: Sent) -> Iterator[_Read]:
    """Hash what changed, in the order of paths; `sent` grows by each."""
    with Folders(os.fsencode(ws.root)) as folders:
        for change in changes:
            parse_path(change.path)
            data = None
            message = pb.Change(path=change.path, op=_OPS[change.op], mode=change.mode)
            if change.old is not None:
                message.base_hash, message.base_mode = change.old.hash, change.old.mode
            if change.op != _DELETED:
                stat, data = read_small(ws, change.path, change.mode, folders, _INLINE_FILE)
                sent.stats[change.path] = stat
                if data is not None:
                    message.hash, message.size = hashlib.sha256(data).digest(), len(data)
                elif stat.st_size > MAX_WHOLE:
                    file = outline_file(ws, change.path)
                    message.hash, message.size = file.hash, file.size
                    if file.size > MAX_WHOLE:  # it may have been cut short meanwhile
                        sent.large[file.hash] = file
                else:
                    message.hash, message.size = hash_file(ws, change.path, change.mode, folders)
            sent.changes.append(message)
            yield _Read(message, data)


def _batches(found: Iterator[_Read]) -> Iterator[list[_Read]]:
    batch: list[_Read] = []
    size = 0
    for item in found:
        batch.append(item)
        size += len(item.data or b"")
        if size >= _BATCH or len(batch) >= HASHES_PER_CALL:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _wanted(
    client: Client, project: pb.ProjectRef, batches: Iterable[list[_Read]], session_id: bytes
) -> Iterator[list[_Read]]:
    """Of each batch what the forge lacks, each content once."""
    seen: set[bytes] = set()
    for batch in batches:
        fresh = {item.change.hash: item for item in batch if item.change.op != _DELETED}
        for content in seen.intersection(fresh):
            del fresh[content]
        seen.update(fresh)
        missing = client.missing(project, list(fresh), session_id) if fresh else set()
        yield [item for content, item in fresh.items() if content in missing]


def _messages(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    wanted: Iterable[list[_Read]],
    large: dict[bytes, Outlined],
) -> Iterator[pb.UploadBlobsRequest]:
    message, size = pb.UploadBlobsRequest(project=project), 0
    for frame in _frames(client, ws, project, wanted, large):
        message.frames.append(frame)
        size += len(frame.data) + 64
        if size >= _MESSAGE:
            yield message
            message, size = pb.UploadBlobsRequest(), 0
    if message.frames:
        yield message


def _frames(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    wanted: Iterable[list[_Read]],
    large: dict[bytes, Outlined],
) -> Iterator[pb.BlobFrame]:
    files = LargeFiles(client, ws, project)
    with Folders(os.fsencode(ws.root)) as folders:
        for change, data in itertools.chain.from_iterable(wanted):
            if data is not None:
                yield _frame(change, 0, data)
                continue
            if change.hash in large:
                yield from files.frames(change.path, large[change.hash])
                continue
            offset = 0
            for part in _parts(ws, change, folders):
                yield _frame(change, offset, part)
                offset += len(part)


def _parts(ws: Workspace, change: pb.Change, folders: Folders) -> Iterator[bytes]:
    """The content in parts. The forge checks its hash, so a file that changes meanwhile is refused."""
    left = change.size
    with open_content(ws, change.path, folders) as file:
        while left:
            part = file.read(min(_PART, left))
            if not part:
                raise changed(change.path)
            left -= len(part)
            yield part


def _frame(change: pb.Change, offset: int, part: bytes) -> pb.BlobFrame:
    return pb.BlobFrame(
        hash=change.hash,
        size=change.size,
        offset=offset,
        length=len(part),
        data=_compressor.compress(part),
        encoding=_ZSTD,
    )


_ZSTD = pb.BlobFrame.ZSTD
_compressor = zstandard.ZstdCompressor(level=3, write_checksum=False)
