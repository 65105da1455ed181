"""Carries commands out in forks of a process that has loaded all that they need (docs/adr/0092).

It is beside the daemon, and a process of its own: one that has threads or connections must not fork. It ends with
the daemon, whose end of `beside` is closed then. Commands that run go on; how they end, they say themselves.
"""

from __future__ import annotations

import contextlib
import os
import posix
import select
import signal
import socket
from collections.abc import Callable
from typing import NamedTuple

from mic.core.errors import Unavailable
from mic.daemon import command_door, door
from mic.daemon.worker import work

_BACKLOG = 64
READY = b"r"
USED = b"u"


class _Work(NamedTuple):
    """A fork that carries a command out, and the connection to whoever asked for it."""

    process: int
    handle: int
    asked: socket.socket


class CommandServer:
    """`run` serves until the other end of `beside` is closed. It is told READY there, then USED for each command."""

    def __init__(self, argv_runs: Callable[[list[str]], int], beside: socket.socket) -> None:
        self._argv_runs, self._beside = argv_runs, beside
        self._early = command_door.early(posix.environ)
        self._works: dict[int, _Work] = {}
        self._poll = select.poll()

    def run(self) -> None:
        """Takes the socket's place, whoever had it: the daemon that started this one is the only one."""
        path = command_door.address()
        if path is None or not door.private(os.path.dirname(path)):
            raise Unavailable("There is no place for a command server here.")
        if len(os.listdir("/proc/self/task")) != 1:
            raise Unavailable("A library has begun a thread, and a process with threads must not fork.")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        listening.bind(path)
        os.chmod(path, 0o600)
        mine = os.lstat(path)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
        try:
            self._beside.sendall(READY)
            self._serve(listening)
        finally:
            with contextlib.suppress(OSError):
                now = os.lstat(path)
                if (now.st_dev, now.st_ino) == (mine.st_dev, mine.st_ino):
                    os.unlink(path)

    def _serve(self, listening: socket.socket) -> None:
        self._poll.register(listening, select.POLLIN)
        self._poll.register(self._beside, select.POLLIN)
        while True:
            for fd, _ in self._poll.poll():
                if fd == listening.fileno():
                    self._accept(listening)
                elif fd == self._beside.fileno():
                    return  # nothing is ever sent here: the daemon has ended
                elif fd in self._works:
                    self._news(fd)

    def _accept(self, listening: socket.socket) -> None:
        try:
            asked, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        try:
            process = os.fork()
        except OSError:  # no more processes or memory: the asker will see
            asked.close()
            return
        if not process:
            listening.close()
            for other in set(self._works.values()):
                os.close(other.handle)
                other.asked.close()
            work(asked, self._argv_runs, self._early, self._used)
        found = _Work(process, os.pidfd_open(process), asked)
        for fd, events in ((found.handle, select.POLLIN), (asked.fileno(), 0)):
            self._works[fd] = found
            self._poll.register(fd, events)

    def _used(self) -> None:
        """In the fork that begins."""
        with contextlib.suppress(OSError):
            self._beside.send(USED, socket.MSG_DONTWAIT)
        # The daemon shall notice when the server dies, also while this command runs.
        self._beside.close()

    def _news(self, fd: int) -> None:
        """A fork has ended, or whoever asked for it, which then ends as that did: without a word."""
        found = self._works[fd]
        if fd != found.handle:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(found.handle, signal.SIGKILL)
            self._poll.unregister(fd)
            return
        how = os.waitstatus_to_exitcode(os.waitpid(found.process, 0)[1])
        if how < 0:
            with contextlib.suppress(OSError):
                found.asked.send(command_door.KILLED + bytes([-how]), socket.MSG_DONTWAIT)
        for one in (found.handle, found.asked.fileno()):
            del self._works[one]
            with contextlib.suppress(KeyError):
                self._poll.unregister(one)
        os.close(found.handle)
        found.asked.close()
