"""Where the time of one request goes: each moment belongs to one part, so that the parts sum up to the whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# What no part claims: views, policies, everything between.
REST = "app"


class Spent:
    """Seconds by part, from the moment it is made. A part within a part takes its time from the outer one."""

    __slots__ = ("_begin", "_now", "_since", "parts")

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._now, self._since = REST, time.perf_counter()
        self._begin = self._since

    def enter(self, part: str) -> str:
        """From now on it is `part` that takes time; the one before it."""
        before, moment = self._now, time.perf_counter()
        self.parts[before] = self.parts.get(before, 0.0) + moment - self._since
        self._now, self._since = part, moment
        return before

    @property
    def seconds(self) -> float:
        """The whole, up to where the last part began: another look at the clock would count what came since."""
        return self._since - self._begin


_current: ContextVar[Spent | None] = ContextVar("micelio_spent", default=None)


@contextmanager
def counted() -> Iterator[Spent]:
    """Within it `part` counts, in this thread."""
    spent = Spent()
    token = _current.set(spent)
    try:
        yield spent
    finally:
        _current.reset(token)


@contextmanager
def part(name: str) -> Iterator[None]:
    """What is done within it is this part of the request; of nothing outside of one."""
    spent = _current.get()
    if spent is None:
        yield
        return
    before = spent.enter(name)
    try:
        yield
    finally:
        spent.enter(before)
