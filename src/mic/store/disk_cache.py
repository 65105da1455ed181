"""A cache in a directory: bounded, verified on every read, shared by processes without a lock.

    {root}/{kind}/{hh}/{name}    name: first 40 hex digits of the key's SHA-256, hh: its first two
    {root}/new/...               what is being written

    file   'MICK' u8 version=1 u8 0 u16 key length | u64 data length | u32 crc32c of everything else | key | data

Whatever is wrong with the directory or a file in it is a miss. A cache never fails the one who asks it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import random
import stat
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from mmap import ACCESS_READ, mmap
from typing import NamedTuple

import google_crc32c

_MAGIC = b"MICK"
_VERSION = 1
_HEADER = struct.Struct(">4sBBHQI")
_COUNTER = itertools.count()
_FOLDERS = 256
# Files take whole blocks of the disk; many small ones would otherwise fill it long before the budget says so.
_GRAIN = 4096
# A group of folders is swept as one. Its budget is at least this: a quarter of it, the largest entry, holds an index
# run of 128 MiB.
_GROUP_BYTES = 512 << 20
# What was used this recently is not marked as used again: most hits then write nothing.
_TOUCH_SECONDS = 600
# A writer that is still at work after this was killed.
_STALE_SECONDS = 3600
# A mapping keeps a descriptor open (Python duplicates it); processes often get 1,024.
_MAX_MAPPED = 256
# A checksum is taken over pieces, so that what is mapped is never copied whole.
_PIECE = 1 << 20
# After a failed write (disk full, folder gone read-only) the cache only reads for so long.
_REST_SECONDS = 10.0


class Used(NamedTuple):
    """What a cache holds."""

    files: int
    bytes: int


class DiskCache:
    """Entries below `root`, which is made, for its owner alone, by the first write.

    `max_bytes` bounds the files together; each process that writes may pass it by an eighth until it sweeps. `kinds`
    names the classes of entries and for how many seconds after its last use an entry is good (None: for ever).
    `now` is Unix seconds.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        max_bytes: int,
        kinds: Mapping[str, float | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.root = os.fspath(root)
        self.max_bytes = max_bytes
        self._kinds = dict(kinds)
        self._now = now
        groups = 1
        while groups < _FOLDERS and max_bytes // (groups * 2) >= _GROUP_BYTES:
            groups *= 2
        self._groups = groups
        self._share = max_bytes // groups
        # The largest entry, with its header, that is kept.
        self.max_entry = self._share // 4
        self._written: dict[int, float] = {}
        self._lock = threading.Lock()
        self._usable: bool | None = None
        self._rests_until = 0.0
        self._mapped: weakref.WeakSet[mmap] = weakref.WeakSet()

    # ------------------------------------------------------------ entries

    def get(self, kind: str, key: bytes) -> bytes | None:
        """The data kept under a key, exactly as it was put; None when there is none, or none that is whole."""
        if not self._may_use():
            return None
        path = self._path(kind, key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):  # a symlink, a socket
                _remove(path)
            return None
        try:
            data = self._verified(descriptor, kind, key)
        except OSError:
            data = None
        finally:
            os.close(descriptor)
        if data is None:
            _remove(path)
        return data

    def map(self, kind: str, key: bytes) -> memoryview | None:
        """As `get`, mapped and verified now; None also when too much is mapped already.

        The cache never changes a file in place, and one that is dropped stays with those who have mapped it.
        """
        if not self._may_use() or len(self._mapped) >= _MAX_MAPPED:
            return None
        try:
            descriptor = os.open(self._path(kind, key), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            data = self._mapped_whole(descriptor, kind, key)
        except (OSError, ValueError):
            data = None
        finally:
            os.close(descriptor)
        if data is None:
            self.remove(kind, key)
        return data

    def put(self, kind: str, key: bytes, data: bytes) -> None:
        """Keep data under a key, in place of what was there; nothing happens when that cannot be done."""
        size = _HEADER.size + len(key) + len(data)
        if size > self.max_entry or len(key) > 0xFFFF or time.monotonic() < self._rests_until or not self._may_use():
            return
        head = _HEADER.pack(_MAGIC, _VERSION, 0, len(key), len(data), 0)[:-4]
        check = google_crc32c.extend(google_crc32c.value(head + key), data)
        group = self._group(key)
        try:
            self._write(self._path(kind, key), (head, check.to_bytes(4, "big"), key, data))
        except OSError as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._sweep(group, self._share // 2)
            return
        if self._due(group, _rounded(size)):
            self._sweep(group, self._share * 3 // 4)

    def has(self, kind: str, key: bytes) -> bool:
        """Whether there is a file for a key; whether it is whole is seen when it is read."""
        return self._usable is not False and os.path.lexists(self._path(kind, key))

    def present(self, kind: str, keys: Sequence[bytes]) -> list[bytes]:
        """Those of many keys that there is a file for, as `has`: each folder is listed once, and no key looked for."""
        if self._usable is False:
            return []
        found = []
        names: dict[str, frozenset[str]] = {}
        for key in keys:
            folder, _, name = self._path(kind, key).rpartition("/")
            if folder not in names:
                try:
                    names[folder] = frozenset(os.listdir(folder))
                except OSError:
                    names[folder] = frozenset()
            if name in names[folder]:
                found.append(key)
        return found

    def remove(self, kind: str, key: bytes) -> None:
        """Drop what is kept under a key."""
        if self._may_use():
            _remove(self._path(kind, key))

    def used(self) -> Used:
        """Files and their bytes, counted now."""
        files = bytes_ = 0
        for group in range(self._groups):
            for entry in self._entries(group):
                files, bytes_ = files + 1, bytes_ + entry.size
        return Used(files, bytes_)

    def clear(self) -> Used:
        """Drop everything; what was dropped."""
        files = bytes_ = 0
        if self._may_use():
            for group in range(self._groups):
                for entry in self._entries(group):
                    if _remove(entry.path):
                        files, bytes_ = files + 1, bytes_ + entry.size
        return Used(files, bytes_)

    # ------------------------------------------------------------ files

    def _may_use(self) -> bool:
        """Whether the folder is ours alone. In one that others can write to or read, contents would not be private."""
        if self._usable is None:
            try:
                found = os.stat(self.root)
                if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
                    self._usable = False
                else:
                    if found.st_mode & 0o077:
                        os.chmod(self.root, 0o700)
                    self._usable = True
            except FileNotFoundError:
                return True
            except OSError:
                self._usable = False
        return self._usable

    def _path(self, kind: str, key: bytes) -> str:
        assert kind in self._kinds
        name = hashlib.sha256(key).hexdigest()[:40]
        return f"{self.root}/{kind}/{name[:2]}/{name}"

    def _verified(self, descriptor: int, kind: str, key: bytes) -> bytes | None:
        found = os.fstat(descriptor)
        lifetime, now = self._kinds[kind], self._now()
        if not stat.S_ISREG(found.st_mode) or not _HEADER.size <= found.st_size <= self.max_entry:
            return None
        if lifetime is not None and found.st_mtime + lifetime < now:
            return None
        raw = os.read(descriptor, found.st_size)
        while len(raw) < found.st_size and (more := os.read(descriptor, found.st_size - len(raw))):
            raw += more
        if len(raw) < _HEADER.size:
            return None
        magic, version, _, key_length, length, check = _HEADER.unpack_from(raw)
        start = _HEADER.size + key_length
        if (magic, version) != (_MAGIC, _VERSION) or start + length != len(raw) or raw[_HEADER.size : start] != key:
            return None
        data = raw[start:]
        if google_crc32c.extend(google_crc32c.value(raw[: _HEADER.size - 4] + key), data) != check:
            return None
        if now - found.st_mtime > _TOUCH_SECONDS:
            with contextlib.suppress(OSError):
                os.utime(descriptor, (now, now))
        return data

    def _mapped_whole(self, descriptor: int, kind: str, key: bytes) -> memoryview | None:
        found = os.fstat(descriptor)
        lifetime, now = self._kinds[kind], self._now()
        start = _HEADER.size + len(key)
        if not stat.S_ISREG(found.st_mode) or not start <= found.st_size <= self.max_entry:
            return None
        if lifetime is not None and found.st_mtime + lifetime < now:
            return None
        mapped = mmap(descriptor, found.st_size, access=ACCESS_READ)
        view = memoryview(mapped)
        magic, version, _, key_length, length, check = _HEADER.unpack_from(view)
        if (magic, version, key_length, start + length) != (_MAGIC, _VERSION, len(key), len(view)):
            return None
        if view[_HEADER.size : start] != key:
            return None
        value = google_crc32c.value(bytes(view[: _HEADER.size - 4]) + key)
        for at in range(start, len(view), _PIECE):
            value = google_crc32c.extend(value, bytes(view[at : at + _PIECE]))
        if value != check:
            return None
        if now - found.st_mtime > _TOUCH_SECONDS:
            os.utime(descriptor, (now, now))
        self._mapped.add(mapped)
        return view[start:]

    def _write(self, path: str, parts: tuple[bytes, ...]) -> None:
        temporary = f"{self.root}/new/{os.getpid()}-{next(_COUNTER)}-{os.urandom(4).hex()}"
        try:
            descriptor = _create(temporary)
        except (FileNotFoundError, NotADirectoryError):
            self._make(os.path.dirname(temporary))
            descriptor = _create(temporary)
        try:
            try:
                view = memoryview(b"".join(parts))
                while view:
                    view = view[os.write(descriptor, view) :]
            finally:
                os.close(descriptor)
            try:
                os.rename(temporary, path)
            except (FileNotFoundError, NotADirectoryError):
                self._make(os.path.dirname(path))
                os.rename(temporary, path)
        except BaseException:
            _remove(temporary)
            raise

    def _make(self, folder: str) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self.root)), exist_ok=True)
        for name in (self.root, os.path.dirname(folder), folder):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700)
        if not self._may_use():
            raise PermissionError(errno.EACCES, "the cache's folder is not this user's own")

    # ------------------------------------------------------------ eviction

    def _group(self, key: bytes) -> int:
        return hashlib.sha256(key).digest()[0] % self._groups

    def _due(self, group: int, size: int) -> bool:
        """Whether an eighth of a group's budget was written since it was last swept.

        The count begins anywhere: of many short processes that write a little each, one in so many then sweeps.
        """
        step = self._share / 8
        with self._lock:
            total = self._written.get(group)
            total = (random.random() * step if total is None else total) + size  # noqa: S311 - nothing secret
            due = total >= step
            self._written[group] = 0.0 if due else total
        return due

    def _sweep(self, group: int, target: int) -> None:
        """Drop what is too old, then what was not used for longest, until `target` bytes are left in a group."""
        now = self._now()
        kept = []
        total = 0
        for entry in self._entries(group):
            lifetime = self._kinds[entry.kind]
            if lifetime is not None and entry.used + lifetime < now:
                _remove(entry.path)
            else:
                kept.append(entry)
                total += entry.size
        kept.sort(key=lambda entry: entry.used)
        for entry in kept:
            if total <= target:
                break
            _remove(entry.path)
            total -= entry.size
        self._drop_stale(now)

    def _drop_stale(self, now: float) -> None:
        with contextlib.suppress(OSError), os.scandir(f"{self.root}/new") as found:
            for item in found:
                with contextlib.suppress(OSError):
                    if item.stat(follow_symlinks=False).st_mtime + _STALE_SECONDS < now:
                        os.unlink(item.path)

    def _entries(self, group: int) -> Iterator[_Entry]:
        """Every regular file in the folders of a group, ours or not: who puts files there gives them to the cache."""
        for kind in self._kinds:
            for folder in range(group, _FOLDERS, self._groups):
                try:
                    with os.scandir(f"{self.root}/{kind}/{folder:02x}") as found:
                        for item in found:
                            with contextlib.suppress(OSError):
                                seen = item.stat(follow_symlinks=False)
                                if not stat.S_ISDIR(seen.st_mode):
                                    yield _Entry(kind, item.path, _rounded(seen.st_size), seen.st_mtime)
                except OSError:
                    continue


class _Entry(NamedTuple):
    kind: str
    path: str
    size: int
    used: float


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _rounded(size: int) -> int:
    return -(-size // _GRAIN) * _GRAIN
