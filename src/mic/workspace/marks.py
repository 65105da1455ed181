"""Which file a process is writing in its place: known after it was killed, and free of calls to the system.

`.mic/tmp/PROCESS.at` is mapped: u16 length in big-endian order, then the path. What a process has put into a mapping
stays when it is killed. After a power cut neither this nor the files themselves are sure to be there.
"""

from __future__ import annotations

import fcntl
import os
import time

MARKED = b".at"
# Paths have at most 16,384 bytes (mic.core.paths).
_BYTES = 2 + 16_384
# A process whose parent was killed writes at most what it was sent, 1 MiB.
_PATIENCE = 5.0
_PAUSE = 0.01


class Mark:
    """The mark of this process, in an open folder; locked while the process lives. Raises OSError. Close it."""

    def __init__(self, folder: int) -> None:
        from mmap import mmap

        name = b"%d%s" % (os.getpid(), MARKED)
        self._handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        _lock(self._handle)
        # Written and not only lengthened: on a full disk a mapping of nothing would end this process.
        os.pwrite(self._handle, bytes(_BYTES), 0)
        self._map = mmap(self._handle, _BYTES)

    def at(self, path: bytes) -> None:
        """The file that is written from now on."""
        self._map[: 2 + len(path)] = len(path).to_bytes(2, "big") + path

    def close(self) -> None:
        """Let go of it; the file stays until the checkout is finished."""
        self._map.close()
        os.close(self._handle)


def read_mark(folder: int, name: bytes) -> bytes:
    """The path in a mark that was left behind, b"" when there is none. Waits until its process has ended."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        if name != b"%d%s" % (os.getpid(), MARKED):
            _lock(handle)
        raw = os.pread(handle, _BYTES, 0)
    finally:
        os.close(handle)
    return raw[2 : 2 + int.from_bytes(raw[:2], "big")]


def _lock(handle: int) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return
