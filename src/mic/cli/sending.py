"""From changed files to a landing's changes and contents; large contents are streamed, never held whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import NamedTuple

import zstandard

from mic.core.errors import InvalidInput
from mic.core.paths import display, parse_path
from mic.rpc.client import STREAM_SECONDS, Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import hash_file, open_content, read_content
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

# A landing of this much or less is one call; more goes ahead in a stream of its own.
_INLINE_FILE = 100_000
_INLINE = 8 << 20
_PART = 1 << 20
_MESSAGE = 1 << 20
_LINK = 0o120000
_OPS = (pb.Change.ADDED, pb.Change.MODIFIED, pb.Change.DELETED)


class Sent(NamedTuple):
    """What goes to the forge. `stats` is how each file stood just before it was read."""

    changes: list[pb.Change]
    stats: dict[bytes, os.stat_result]


def gather(ws: Workspace, changes: list[LocalChange]) -> Sent:
    """Hash what changed. Raises InvalidPath, NotFound when a file goes away meanwhile."""
    found: list[pb.Change] = []
    stats: dict[bytes, os.stat_result] = {}
    for change in changes:
        parse_path(change.path)
        message = pb.Change(path=change.path, op=_OPS[change.op], mode=change.mode)
        if change.old is not None:
            message.base_hash, message.base_mode = change.old.hash, change.old.mode
        if change.op != pb.Change.DELETED:
            stats[change.path] = os.lstat(os.path.join(os.fsencode(ws.root), change.path))
            message.hash, message.size = hash_file(ws, change.path, change.mode)
        found.append(message)
    return Sent(found, stats)


def send_contents(
    client: Client, ws: Workspace, project: pb.ProjectRef, sent: Sent
) -> tuple[list[pb.BlobFrame], list[bytes]]:
    """Bring the contents that the forge lacks there: frames for the landing itself, receipts of what went ahead."""
    by_hash = {change.hash: change for change in sent.changes if change.op != pb.Change.DELETED}
    missing = client.missing(project, list(by_hash)) if by_hash else set()
    inline: list[pb.BlobFrame] = []
    ahead: list[pb.Change] = []
    room = _INLINE
    for content in sorted(missing):
        change = by_hash[content]
        if change.size > _INLINE_FILE or room < change.size:
            ahead.append(change)
            continue
        frame = _frame(change, 0, _small(ws, change))
        room -= change.size  # the forge counts what it inflates to
        inline.append(frame)
    if not ahead:
        return inline, []
    answer = client.call(client.projects.UploadBlobs, _messages(ws, project, ahead), seconds=STREAM_SECONDS)
    return inline, list(answer.packs)


def _messages(ws: Workspace, project: pb.ProjectRef, changes: list[pb.Change]) -> Iterator[pb.UploadBlobsRequest]:
    message, size = pb.UploadBlobsRequest(project=project), 0
    for change in changes:
        offset = 0
        for part in _parts(ws, change):
            frame = _frame(change, offset, part)
            offset += len(part)
            message.frames.append(frame)
            size += len(frame.data) + 64
            if size >= _MESSAGE:
                yield message
                message, size = pb.UploadBlobsRequest(), 0
    if message.frames:
        yield message


def _parts(ws: Workspace, change: pb.Change) -> Iterator[bytes]:
    """The content in parts. The forge checks its hash, so a file that changes meanwhile is refused."""
    if change.mode & 0o170000 == _LINK or not change.size:
        yield _small(ws, change)
        return
    left = change.size
    with open_content(ws, change.path) as file:
        while left:
            part = file.read(min(_PART, left))
            if not part:
                raise _changed(change)
            left -= len(part)
            yield part


def _small(ws: Workspace, change: pb.Change) -> bytes:
    data = read_content(ws, change.path, change.mode)
    if hashlib.sha256(data).digest() != change.hash:
        raise _changed(change)
    return data


def _changed(change: pb.Change) -> InvalidInput:
    return InvalidInput(f"{display(change.path)} changed while it was sent; nothing was landed.", hint="Land again.")


def _frame(change: pb.Change, offset: int, part: bytes) -> pb.BlobFrame:
    return pb.BlobFrame(
        hash=change.hash,
        size=change.size,
        offset=offset,
        length=len(part),
        data=_compressor.compress(part),
        encoding=pb.BlobFrame.ZSTD,
    )


_compressor = zstandard.ZstdCompressor(level=3, write_checksum=False)
