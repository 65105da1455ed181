"""Blames that were made lately: of each version of a file the one that needs no look at what came before it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from mic.core.blame import Blame

# A process keeps some thousand files of a thousand lines.
KEPT_BYTES = 32 << 20


class Version(NamedTuple):
    """A version of a file: the landing that wrote it, and its content."""

    project: str
    path: bytes
    position: int
    content: bytes


class BlameCache:
    """The least recently asked is forgotten first. Thread-safe."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._kept: OrderedDict[Version, Blame] = OrderedDict()
        self._most, self._bytes = most, 0
        self._lock = threading.Lock()

    def get(self, version: Version, lines: int) -> Blame | None:
        """The blame of a version with so many lines. One that cannot be that is thrown away."""
        with self._lock:
            found = self._kept.get(version)
            if found is None:
                return None
            self._kept.move_to_end(version)
        if found.fits(lines, version.position):
            return found
        self.drop(version)
        return None

    def put(self, version: Version, blame: Blame) -> None:
        """Keep a blame, instead of an older one of the same version."""
        with self._lock:
            self._forget(version)
            self._kept[version] = blame
            self._bytes += blame.size
            while self._bytes > self._most:
                self._forget(next(iter(self._kept)))

    def drop(self, version: Version) -> None:
        """Throw away a blame that cannot be true."""
        with self._lock:
            self._forget(version)

    def _forget(self, version: Version) -> None:
        if (old := self._kept.pop(version, None)) is not None:
            self._bytes -= old.size
