"""inotify(7), by its five words: the kernel's own queue of what happened in folders.

The event is in the queue before the call that caused it returns. So whoever empties the queue has seen all that any
process had done until then, and needs no file of its own as a mark (docs/adr/0083).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED = 0x2000, 0x4000, 0x8000
IS_FOLDER = 0x40000000
_ONLY_FOLDERS, _NOT_THROUGH_LINKS = 0x01000000, 0x02000000
_MASK = (
    MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
    | _ONLY_FOLDERS | _NOT_THROUGH_LINKS
)  # fmt: skip
_HEAD = struct.Struct("iIII")
_READ = 1 << 18
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class NoWatches(Exception):
    """The kernel gives this user no more watches, or none at all."""


class Inotify:
    """One queue. Close it."""

    def __init__(self) -> None:
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self.fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (AttributeError, OSError) as error:
            raise NoWatches("this system has no inotify") from error
        if self.fd < 0:
            raise NoWatches("no more queues for watching are to be had (fs.inotify.max_user_instances)")

    def add(self, path: bytes) -> int:
        """The number of the watch of a folder; raises FileNotFoundError when it is none, NoWatches."""
        number: int = self._libc.inotify_add_watch(self.fd, ctypes.c_char_p(path), ctypes.c_uint32(_MASK))
        if number >= 0:
            return number
        code = ctypes.get_errno()
        if code in _GONE:
            raise FileNotFoundError(code, os.strerror(code), path)
        if code in (errno.ENOSPC, errno.ENOMEM):
            raise NoWatches("the watches of this machine are used up (fs.inotify.max_user_watches)")
        raise OSError(code, os.strerror(code), path)

    def remove(self, number: int) -> None:
        """Ends a watch, if it is there."""
        self._libc.inotify_rm_watch(self.fd, number)

    def read(self) -> list[tuple[int, int, bytes]]:
        """(watch, what, name in the folder) of everything that has happened until now, oldest first."""
        events: list[tuple[int, int, bytes]] = []
        while True:
            try:
                data = os.read(self.fd, _READ)
            except BlockingIOError:
                return events
            place = 0
            while place < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, place)
                place += _HEAD.size
                events.append((number, mask, data[place : place + length].rstrip(b"\x00")))
                place += length

    def close(self) -> None:
        """Ends all watches."""
        os.close(self.fd)
