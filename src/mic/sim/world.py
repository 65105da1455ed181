"""What all front ends share: time, the bucket, faults, stretches of bad network, and the trace of it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from mic.ledger.effects import Effect, Put, PutIf, PutNew
from mic.ledger.effects import Protocol as Steps
from mic.sim.bucket import Bucket
from mic.sim.faults import Fault
from mic.sim.heap import Heap
from mic.sim.profiles import Profile


class Window(NamedTuple):
    """A stretch of trouble, in microseconds. Front end -1 stands for the bucket.

    partition: no answer comes; what was asked is done when `applied`. slow: requests take 20 times as long.
    headless: somebody removed the head object, and puts it back at the end. apart: no call between front ends reaches
    this one, nor its calls and answers any other.
    """

    kind: str
    front: int
    start: int
    end: int
    applied: bool = False


class Faults(Protocol):
    """Where faults come from."""

    fired: list[Fault]
    calm: bool

    def at(self, front: int, number: int, effect: Effect) -> Fault | None:
        """The fault of a front end's n-th effect, if any."""


class World:
    """One run. `trace` is a hash over everything that happened, in order."""

    def __init__(self, profile: Profile, bucket: Bucket, faults: Faults, windows: Sequence[Window]) -> None:
        self.heap = Heap()
        self.profile, self.bucket, self.faults = profile, bucket, faults
        self.crashes = 0
        self.requests = 0
        self.swaps = self.lost = 0  # conditional updates that the store has answered, those refused
        self.committed: Callable[[str], int] = lambda project: 0  # the newest position of a project
        self.wrap: Callable[[Steps[Any]], Steps[Any]] = lambda protocol: protocol
        self._trace = hashlib.sha256()
        self._written: dict[str, int] = {}
        self._windows = {
            (kind, window.front): [w for w in windows if w.kind == kind and w.front == window.front]
            for kind in ("partition", "slow", "headless", "apart")
            for window in windows
        }

    @property
    def trace(self) -> str:
        """Sixteen hex digits that two runs of one seed share."""
        return self._trace.hexdigest()[:16]

    def note(self, what: str, front: int) -> None:
        """Something happened."""
        self.requests += 1
        self._trace.update(f"{self.heap.now} {front} {what}\n".encode())

    def _window(self, kind: str, front: int) -> Window | None:
        for window in self._windows.get((kind, front), ()):
            if window.start <= self.heap.now < window.end and not self.faults.calm:
                return window
        return None

    def partition(self, front: int) -> Window | None:
        """The partition that a front end is behind now."""
        return self._window("partition", front)

    def slowness(self, front: int) -> int:
        """How many times longer a request takes."""
        return 20 if self._window("slow", front) else 1

    def apart(self, front: int) -> bool:
        """Whether a front end is cut off from the others."""
        return self._window("apart", front) is not None

    def headless(self, since: int) -> bool:
        """Whether the head object was gone at some time between `since` and now."""
        return any(w.start <= self.heap.now and w.end >= since for w in self._windows.get(("headless", -1), ()))

    def unknown(self, effect: Effect) -> bool:
        """Whether the store knows no such request."""
        return isinstance(effect, PutIf) and not self.profile.swaps

    def paced(self, effect: Effect) -> bool:
        """Whether the store refuses a write because the key was written a moment ago."""
        if not self.profile.pace or not isinstance(effect, (Put, PutNew, PutIf)):
            return False
        last = self._written.get(effect.key)
        if last is not None and self.heap.now - last < self.profile.pace:
            return True
        self._written[effect.key] = self.heap.now
        return False
