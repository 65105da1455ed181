"""One command at a time changes a workspace: an advisory lock that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from types import TracebackType

from mic.core.errors import Busy
from mic.workspace.place import Naming

_PAUSE = 0.02  # seconds between two tries


class Lock:
    """Holds `.mic/lock` while entered. Raises Busy after `wait` seconds, naming the command that has it."""

    def __init__(self, folder: bytes, wait: float) -> None:
        self._path = folder + b"/lock"
        self._wait = wait
        self._handle = -1

    def __enter__(self) -> None:
        deadline = time.monotonic() + self._wait
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(_PAUSE)
                    continue
                holder = os.pread(handle, 400, 0).decode("utf-8", "replace").strip() or "another command"
                os.close(handle)
                raise Busy(
                    f"this workspace is in use by {holder}", hint="wait until it has ended, then try again"
                ) from None
            except BaseException:
                os.close(handle)
                raise
        self._handle = handle
        command = " ".join(["mic", *sys.argv[1:3]])[:200]
        with Naming(self._path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"`{command}` (process {os.getpid()})\n".encode("utf-8", "surrogateescape"), 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self._handle, 0)
        os.close(self._handle)
        self._handle = -1
