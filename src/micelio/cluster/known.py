"""What a process must know for each request and another may change: read again every few seconds, beside the requests.

So no request waits for it, and what one process did is known to all within `EVERY`; to itself at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError, connection

from micelio.databases import let_go

T = TypeVar("T")
_log = logging.getLogger("micelio.known")

# Seconds. One indexed read each time.
EVERY = 5.0


class Known(Generic[T]):
    """Something that `read` finds in the database; `empty` until it was read, the last good one when it cannot be."""

    def __init__(self, name: str, read: Callable[[], T], empty: T) -> None:
        self._name, self._read = name, read
        self.value = empty
        _all.append(self.refresh)

    def refresh(self) -> None:
        """Read it now; whoever changed it does so after the transaction."""
        try:
            self.value = self._read()
        except DatabaseError as error:
            _log.warning("%s could not be read, what was known counts: %s", self._name, error)


_all: list[Callable[[], None]] = []


def start() -> Callable[[], None]:
    """Read everything now, and then again and again in a thread; returns what stops it."""
    stopping = threading.Event()

    def refresh_all() -> None:
        for refresh in _all:
            refresh()
        let_go()

    def loop() -> None:
        while not stopping.wait(EVERY):
            refresh_all()
        connection.close()

    refresh_all()
    thread = threading.Thread(target=loop, name="known", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join()

    return stop
