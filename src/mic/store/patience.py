"""How long a reader waits for a store that lies elsewhere, and what is remembered of one that gave no answer.

Whoever lands or works in the background waits: the store may be back in a minute. Whoever looks at a page does not, and
holds one of a few threads meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")

# Who is in a hurry waits so many seconds for the next byte.
HURRIED_SECONDS = 3.0
# After no answer nobody in a hurry asks for so long; then one does, and the others wait for what it finds.
_REST_SECONDS = 5.0

_hurried: ContextVar[bool] = ContextVar("hurried", default=False)


@contextmanager
def hurried() -> Iterator[None]:
    """What the store is asked in here has to be answered soon, or is refused."""
    before = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(before)


def in_a_hurry() -> bool:
    """Whether who asks now must not wait long."""
    return _hurried.get()


def carried(work: Callable[[A], T]) -> Callable[[A], T]:
    """`work`, for other threads, with the patience of this one."""
    if not in_a_hurry():
        return work

    def hasty(argument: A) -> T:
        with hurried():
            return work(argument)

    return hasty


class Reach:
    """Whether a store answered when it was last asked. Any number of threads may ask and tell."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._again = 0.0  # when it may be asked again; 0 while it answers

    def may_ask(self) -> bool:
        """Whether somebody in a hurry should ask now. Who is told so after a silence is alone in it."""
        with self._lock:
            if not self._again:
                return True
            now = self._clock()
            if now < self._again:
                return False
            self._again = now + HURRIED_SECONDS + _REST_SECONDS
            return True

    def heard(self, answer: bool) -> None:
        """It gave an answer, of whatever kind, or none."""
        if not answer or self._again:
            with self._lock:
                self._again = 0.0 if answer else self._clock() + _REST_SECONDS
