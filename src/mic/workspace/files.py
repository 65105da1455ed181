"""Contents of a working copy's files. Nothing here follows a symlink, in the name itself or above it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from typing import BinaryIO

from mic.core.errors import InvalidPath, NotFound
from mic.core.paths import display
from mic.workspace.folders import Folders
from mic.workspace.workspace import Workspace

_PIECE = 1 << 20
_LINK = 0o120000
# Without O_NONBLOCK a pipe put in the file's place would hang the command.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_content(ws: Workspace, path: bytes, folders: Folders | None = None) -> BinaryIO:
    """A regular file, open for reading. Raises NotFound when it is gone, InvalidPath when it is no regular file.

    Whoever reads many files hands in the open directories, in the order of paths.
    """
    with _opened(ws, folders) as folders:
        handle = _open(path, folders)
    stream = os.fdopen(handle, "rb")
    if os.fstat(handle).st_mode & 0o170000 != 0o100000:
        stream.close()
        raise _not_regular(path)
    return stream


def _open(path: bytes, folders: Folders) -> int:
    folder, _, name = path.rpartition(b"/")
    try:
        return os.open(name, _FLAGS, dir_fd=folders.handle(folder))
    except FileNotFoundError:
        raise _gone(path) from None
    except OSError as error:
        raise _not_regular(path) from error


def read_content(ws: Workspace, path: bytes, mode: int, folders: Folders | None = None) -> bytes:
    """The content that a tree keeps for this file: its bytes, or a symlink's target. Raises as `open_content`."""
    if mode & 0o170000 != _LINK:
        with open_content(ws, path, folders) as stream:
            return stream.read()
    folder, _, name = path.rpartition(b"/")
    with _opened(ws, folders) as folders:
        try:
            return os.readlink(name, dir_fd=folders.handle(folder))
        except FileNotFoundError:
            raise _gone(path) from None
        except OSError as error:
            raise InvalidPath(
                f"{display(path)} is no symlink any more", hint="run `mic status` again", path=path
            ) from error


def read_small(
    ws: Workspace, path: bytes, mode: int, folders: Folders, limit: int
) -> tuple[os.stat_result, bytes | None]:
    """How a file stood just before it was read, and its content; None instead of more than `limit` bytes.

    Raises as `open_content`.
    """
    if mode & 0o170000 == _LINK:
        return os.lstat(os.path.join(os.fsencode(ws.root), path)), read_content(ws, path, mode, folders)
    handle = _open(path, folders)
    try:
        stat = os.fstat(handle)
        if stat.st_mode & 0o170000 != 0o100000:
            raise _not_regular(path)
        if stat.st_size > limit:
            return stat, None
        # A read of a regular file is short at its end only.
        data = os.read(handle, limit + 1)
        return stat, data if len(data) <= limit else None
    finally:
        os.close(handle)


def hash_file(ws: Workspace, path: bytes, mode: int, folders: Folders | None = None) -> tuple[bytes, int]:
    """SHA-256 and size in bytes of a file's content, read in pieces. Raises as `open_content`."""
    if mode & 0o170000 == _LINK:
        target = read_content(ws, path, mode, folders)
        return sha256(target).digest(), len(target)
    digest = sha256()
    size = 0
    with open_content(ws, path, folders) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.digest(), size


def _opened(ws: Workspace, folders: Folders | None) -> AbstractContextManager[Folders]:
    return Folders(os.fsencode(ws.root)) if folders is None else nullcontext(folders)


def _gone(path: bytes) -> NotFound:
    return NotFound(f"{display(path)} is gone", hint="run `mic status` again", path=path)


def _not_regular(path: bytes) -> InvalidPath:
    return InvalidPath(f"{display(path)} cannot be read as a file", hint="run `mic status` again", path=path)
