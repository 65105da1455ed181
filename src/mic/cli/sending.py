"""From changed files to a landing's changes and contents; nothing large is held whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import NamedTuple

import zstandard

from mic.cli.large_files import LargeFiles, Outlined, changed, outline_file
from mic.core.blob import MAX_WHOLE
from mic.core.paths import parse_path
from mic.rpc.client import STREAM_SECONDS, Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import hash_file, open_content, read_content
from mic.workspace.folders import Folders
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

# A landing of this much or less is one call; more goes ahead in a stream of its own.
_INLINE_FILE = 100_000
_INLINE = 8 << 20
_PART = 1 << 20
_MESSAGE = 1 << 20
_TYPE, _LINK = 0o170000, 0o120000
_OPS = (pb.Change.ADDED, pb.Change.MODIFIED, pb.Change.DELETED)


class Sent(NamedTuple):
    """What goes to the forge. `stats` is how each file stood just before it was read; `large` are files by hash."""

    changes: list[pb.Change]
    stats: dict[bytes, os.stat_result]
    large: dict[bytes, Outlined]


def gather(ws: Workspace, changes: list[LocalChange]) -> Sent:
    """Hash what changed. Raises InvalidPath, NotFound when a file goes away meanwhile."""
    found: list[pb.Change] = []
    stats: dict[bytes, os.stat_result] = {}
    large: dict[bytes, Outlined] = {}
    root = os.fsencode(ws.root)
    with Folders(root) as folders:
        for change in changes:
            parse_path(change.path)
            message = pb.Change(path=change.path, op=_OPS[change.op], mode=change.mode)
            if change.old is not None:
                message.base_hash, message.base_mode = change.old.hash, change.old.mode
            if change.op != pb.Change.DELETED:
                stats[change.path] = os.lstat(os.path.join(root, change.path))
                if change.mode & _TYPE != _LINK and stats[change.path].st_size > MAX_WHOLE:
                    file = outline_file(ws, change.path)
                    message.hash, message.size = file.hash, file.size
                    if file.size > MAX_WHOLE:  # it may have been cut short meanwhile
                        large[file.hash] = file
                else:
                    message.hash, message.size = hash_file(ws, change.path, change.mode, folders)
            found.append(message)
    return Sent(found, stats, large)


def send_contents(
    client: Client, ws: Workspace, project: pb.ProjectRef, sent: Sent
) -> tuple[list[pb.BlobFrame], list[bytes]]:
    """Bring the contents that the forge lacks there: frames for the landing itself, receipts of what went ahead."""
    by_hash = {change.hash: change for change in sent.changes if change.op != pb.Change.DELETED}
    missing = client.missing(project, list(by_hash)) if by_hash else set()
    # Small contents go with the landing when all of them fit, by the sizes that the forge counts; else in packs.
    wanted = [change for content, change in by_hash.items() if content in missing]
    small = [change for change in wanted if change.size <= _INLINE_FILE]
    if sum(change.size for change in small) > _INLINE:
        small = []
    ahead = [change for change in wanted if not small or change.size > _INLINE_FILE]
    with Folders(os.fsencode(ws.root)) as folders:
        inline = [_frame(change, 0, _small(ws, change, folders)) for change in small]
    if not ahead:
        return inline, []
    answer = client.call(
        client.projects.UploadBlobs, _messages(client, ws, project, ahead, sent.large), seconds=STREAM_SECONDS
    )
    return inline, list(answer.packs)


def _messages(
    client: Client, ws: Workspace, project: pb.ProjectRef, changes: list[pb.Change], large: dict[bytes, Outlined]
) -> Iterator[pb.UploadBlobsRequest]:
    message, size = pb.UploadBlobsRequest(project=project), 0
    for frame in _frames(client, ws, project, changes, large):
        message.frames.append(frame)
        size += len(frame.data) + 64
        if size >= _MESSAGE:
            yield message
            message, size = pb.UploadBlobsRequest(), 0
    if message.frames:
        yield message


def _frames(
    client: Client, ws: Workspace, project: pb.ProjectRef, changes: list[pb.Change], large: dict[bytes, Outlined]
) -> Iterator[pb.BlobFrame]:
    files = LargeFiles(client, ws, project)
    with Folders(os.fsencode(ws.root)) as folders:
        for change in changes:
            if change.hash in large:
                yield from files.frames(change.path, large[change.hash])
                continue
            offset = 0
            for part in _parts(ws, change, folders):
                yield _frame(change, offset, part)
                offset += len(part)


def _parts(ws: Workspace, change: pb.Change, folders: Folders) -> Iterator[bytes]:
    """The content in parts. The forge checks its hash, so a file that changes meanwhile is refused."""
    if change.mode & _TYPE == _LINK or not change.size:
        yield _small(ws, change, folders)
        return
    left = change.size
    with open_content(ws, change.path, folders) as file:
        while left:
            part = file.read(min(_PART, left))
            if not part:
                raise changed(change.path)
            left -= len(part)
            yield part


def _small(ws: Workspace, change: pb.Change, folders: Folders) -> bytes:
    data = read_content(ws, change.path, change.mode, folders)
    if hashlib.sha256(data).digest() != change.hash:
        raise changed(change.path)
    return data


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
