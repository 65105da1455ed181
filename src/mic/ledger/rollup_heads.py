"""Heads of rollups that were read lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mic.core.rollup import Head


class RollupHeads:
    """Those of one line. Thread-safe; at most `limit` bytes, and one in any case."""

    def __init__(self, limit: int = 4 << 20) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[int, int], Head] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, level: int, start: int) -> Head | None:
        """One that is at hand."""
        with self._lock:
            found = self._kept.get((level, start))
            if found is not None:
                self._kept.move_to_end((level, start))
            return found

    def put(self, head: Head) -> None:
        """Keep one."""
        with self._lock:
            if (head.level, head.start) in self._kept:
                return
            self._kept[head.level, head.start] = head
            self._bytes += head.size
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].size
