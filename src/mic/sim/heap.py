"""Virtual time: one heap of what happens next, in whole microseconds."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

SECOND = 1_000_000


class Heap:
    """Events in order of time, then of being asked for. `now` is microseconds since the start."""

    def __init__(self) -> None:
        self.now = 0
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._made = 0

    def after(self, delay: int, call: Callable[..., None], *args: Any) -> None:
        """`call(*args)` in `delay` microseconds."""
        self._made += 1
        heappush(self._events, (self.now + delay, self._made, call, args))

    def step(self) -> bool:
        """The next event; False when there is none."""
        if not self._events:
            return False
        self.now, _, call, args = heappop(self._events)
        call(*args)
        return True
