"""A store in a directory: one file an object, safe between threads and processes on one machine.

A write goes to a temporary file, is flushed to disk, and appears under its name by link (create-only) or
rename; then its directory is flushed. Compare-and-swap holds a lock file of the key's shard (flock)
between reading the old bytes and renaming the new ones.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import weakref
import zlib
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from mic.core.errors import AlreadyExists, NotFound, PreconditionFailed, StorageFull, Unavailable
from mic.store.port import Listed, Tagged, check_key, content_tag

_SHARDS = 256
_PIECE = 1 << 20
# A mapping costs a page or more and keeps a descriptor open (Python duplicates it); processes often get 1,024.
MAP_FROM = 256 << 10
MAX_MAPPED = 256
_counter = itertools.count()


@contextlib.contextmanager
def _translated(key: str) -> Iterator[None]:
    """Operating-system errors as the port's errors."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{key} does not exist") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull(
                f"no space left to write {key}", hint="free disk space on the forge; nothing was changed"
            ) from error
        raise Unavailable(f"{key}: {error.strerror or error}", hint="check the forge's data directory") from error


class DirectoryStore:
    """Objects below `root`, which is made when absent."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root)
        self._temporary = self._root / ".tmp"
        self._locks = self._root / ".locks"
        self._mapped: weakref.WeakSet[mmap] = weakref.WeakSet()
        with _translated(str(root)):
            self._temporary.mkdir(parents=True, exist_ok=True)
            self._locks.mkdir(exist_ok=True)

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"

    def get(self, key: str) -> Tagged:
        with _translated(key):
            data = _read(self._path(key))
        return Tagged(data, content_tag(data))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with _translated(key):
            descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _pread(descriptor, start, length)
            finally:
                os.close(descriptor)

    def map(self, key: str) -> bytes | mmap:
        with _translated(key):
            descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.fstat(descriptor).st_size
                if size < MAP_FROM or len(self._mapped) >= MAX_MAPPED:
                    return _pread(descriptor, 0, size)
                mapped = mmap(descriptor, size, access=ACCESS_READ)
                self._mapped.add(mapped)
                return mapped
            finally:
                os.close(descriptor)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with _translated(key), self._written(path, (data,)) as temporary:
            os.replace(temporary, path)
            _flush_directory(os.path.dirname(path))

    def put_file(self, key: str, file: BinaryIO) -> None:
        path = self._path(key)
        file.seek(0)
        with _translated(key), self._written(path, iter(lambda: file.read(_PIECE), b"")) as temporary:
            os.replace(temporary, path)
            _flush_directory(os.path.dirname(path))

    def put_new(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with _translated(key):
            if os.path.exists(path):
                raise AlreadyExists(f"{key} exists already")
            with self._written(path, (data,)) as temporary:
                try:
                    os.link(temporary, path)
                except FileExistsError as error:
                    raise AlreadyExists(f"{key} exists already") from error
                _flush_directory(os.path.dirname(path))

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        path = self._path(key)
        with _translated(key), self._written(path, (data,)) as temporary, self._locked(key):
            try:
                current = _read(path)
            except FileNotFoundError:
                current = None
            if current is None or not tag or content_tag(current) != tag:
                raise PreconditionFailed(f"{key} has changed")
            os.replace(temporary, path)
            _flush_directory(os.path.dirname(path))
        return content_tag(data)

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        folder = prefix.rstrip("/")
        with _translated(prefix):
            if folder:
                check_key(folder)
            yield from self._walk(folder, start_after)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _translated(key), contextlib.suppress(FileNotFoundError):
            os.unlink(path)
            _flush_directory(os.path.dirname(path))

    def _walk(self, folder: str, start_after: str) -> Iterator[Listed]:
        try:
            found = list(os.scandir(f"{self._root}/{folder}" if folder else self._root))
        except (FileNotFoundError, NotADirectoryError):
            return
        # A directory sorts as its name with a slash, which is how its keys sort among their siblings.
        for item in sorted(found, key=lambda entry: entry.name + "/" if entry.is_dir() else entry.name):
            key = f"{folder}/{item.name}" if folder else item.name
            if item.is_dir():
                if not (not folder and item.name in (".tmp", ".locks")) and key + "0" > start_after:
                    yield from self._walk(key, start_after)
            elif key > start_after:
                try:
                    size = item.stat().st_size
                except FileNotFoundError:
                    continue  # deleted since the folder was read: no key any more, and no error
                yield Listed(key, size)

    @contextlib.contextmanager
    def _written(self, path: str, pieces: Iterable[bytes]) -> Iterator[str]:
        """A flushed temporary file with these bytes, gone at the end unless it was renamed."""
        # Process ids repeat in containers: a file left by a killed process must not stand in the way.
        temporary = f"{self._temporary}/{os.getpid()}-{next(_counter)}-{os.urandom(4).hex()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            try:
                for data in pieces:
                    view = memoryview(data)
                    while view:
                        view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            directory = os.path.dirname(path)
            if not os.path.isdir(directory):
                _make_directories(directory)
            yield temporary
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        descriptor = os.open(
            f"{self._locks}/{zlib.crc32(key.encode()) % _SHARDS:02x}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _pread(descriptor: int, start: int, length: int) -> bytes:
    try:
        out = os.pread(descriptor, length, start)
    except IsADirectoryError as error:  # a part of other keys, no key of its own
        raise FileNotFoundError from error
    if len(out) == length or not out:
        return out
    parts = [out]
    have = len(out)
    while have < length and (more := os.pread(descriptor, length - have, start + have)):
        parts.append(more)
        have += len(more)
    return b"".join(parts)


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _pread(descriptor, 0, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _make_directories(directory: str) -> None:
    """Like makedirs, and every new name is flushed in its parent: a landing may be the first in its folder."""
    parent = os.path.dirname(directory)
    if not os.path.isdir(parent):
        _make_directories(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
    _flush_directory(parent)


def _flush_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
