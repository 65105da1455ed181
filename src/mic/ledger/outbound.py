"""Forwarding in groups: what waits while others are on their way goes together.

There is no timer. The first call goes at once; the more are on their way, the more must wait for another to go. So
even where an answer takes seconds, what comes until then is not spread over calls with one landing each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from mic.ledger.batch import MAX_LANDINGS
from mic.ledger.land import Outcome
from mic.ledger.request import LandRequest

# Calls on their way for one project. Each holds a thread of the one that lands, which serves all others too.
CALLS = 12
# Contents of one call; a call that would be larger goes in parts.
MAX_BYTES = 24 << 20


class Waiting(Protocol):
    """Somebody who waits for an answer to a request."""

    @property
    def request(self) -> LandRequest: ...


W = TypeVar("W", bound=Waiting)
Forward = Callable[[Sequence[LandRequest]], Sequence[Outcome | None]]


class Queue(Generic[W]):
    """Who waits for a call, and which of them make one. Calls are under way from `add` or `ended` to `ended`."""

    def __init__(self, calls: int = CALLS) -> None:
        self._calls = self._free = calls
        self._waiting: list[W] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, one: W) -> list[W]:
        """One more; the group that is to be forwarded now, [] when it waits."""
        self._waiting.append(one)
        busy = self._calls - self._free
        if not self._free or len(self._waiting) <= busy // 2:
            return []
        self._free -= 1
        return self._next_group()

    def ended(self) -> list[W]:
        """A call is over; the group of the next one, [] when nobody waits."""
        following = self._next_group()
        self._free += not following
        return following

    def _next_group(self) -> list[W]:
        size = taken = 0
        for waiting in self._waiting[:MAX_LANDINGS]:
            size += sum(map(len, waiting.request.contents.values()))
            if taken and size > MAX_BYTES:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


class _Waiting:
    def __init__(self, request: LandRequest) -> None:
        self.request = request
        self.group: list[_Waiting] = []  # those that it is to forward
        self.outcome: Outcome | None = None
        self.done = False
        self.go = threading.Lock()
        self.go.acquire()


class Outbound:
    """Collects what is to be landed elsewhere. An outcome of None says that it is to be landed here."""

    def __init__(self, forward: Forward, calls: int = CALLS) -> None:
        self._forward = forward
        self._mutex = threading.Lock()
        self._queue: Queue[_Waiting] = Queue(calls)

    def land(self, request: LandRequest) -> Outcome | None:
        """What the other front end says, None when it says nothing that counts."""
        mine = _Waiting(request)
        with self._mutex:
            mine.group = self._queue.add(mine)
        while not mine.done:
            if mine.group:
                group, mine.group = mine.group, []
                self._lead(mine, group)
            else:
                mine.go.acquire()
        return mine.outcome

    def _lead(self, mine: _Waiting, group: Sequence[_Waiting]) -> None:
        """Forward a group, which this thread's own request is probably in, and hand the call on."""
        try:
            for waiting, outcome in zip(group, self._forward([one.request for one in group]), strict=True):
                waiting.outcome = outcome
        finally:
            # Nobody may wait for ever, whatever went wrong in the thread that led.
            with self._mutex:
                following = self._queue.ended()
                if following:
                    following[0].group = following
            for waiting in group:
                waiting.done = True
            for waiting in (*group, *following[:1]):
                if waiting is not mine:
                    waiting.go.release()
