"""Group commit within a process: whoever lands first takes along what queued meanwhile.

There is no timer and no thread of its own. The first caller lands at once; callers that come while it
does wait, and the first of them lands all of them in one epoch. So a lone landing waits for nobody, and
the slower the store, the larger the epochs.

A step may leave its group in flight: written, and not swapped in yet. Then the next step does both, and when
nobody waits, whoever led goes on to the end.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mic.core.errors import MicError
from mic.ledger.batch import MAX_LANDINGS
from mic.ledger.land import Landed, Outcome
from mic.ledger.request import LandRequest

# Requests for which an epoch is written while the swap before is under way. It is two requests to the store either way:
# below, a few milliseconds for a few are not worth twice as many of them.
WORTH_AN_EPOCH = 16


class Done(NamedTuple):
    """What a step settled: outcomes of the group in flight before it, and of the group it was given.

    None for what is not settled: a group that was given and has no outcomes is in flight now.
    """

    before: Sequence[Outcome] | None
    given: Sequence[Outcome] | None


# Lands a group, or leaves it in flight; without requests it brings the flight to its end. Errors concern all.
Step = Callable[[Sequence[LandRequest]], Done]


class _Waiting:
    """A caller and its requests. It is let go on with outcomes, with an error, or to lead the next group."""

    def __init__(self, requests: Sequence[LandRequest]) -> None:
        self.requests = requests
        self.leads = False
        self.outcomes: list[Outcome] | None = None
        self.error: BaseException | None = None
        self.go = threading.Lock()
        self.go.acquire()


class Combiner:
    """Collects the landings of one line; `step` is never called by two threads at once."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._mutex = threading.Lock()
        self._queue: list[_Waiting] = []
        self._led = False
        self._flight: list[_Waiting] = []

    def land(self, request: LandRequest) -> Landed:
        """Land with whoever else is waiting; errors as `mic.ledger.land.land`."""
        outcome = self.land_all([request])[0]
        if isinstance(outcome, MicError):
            raise outcome
        return outcome

    def land_all(self, requests: Sequence[LandRequest]) -> list[Outcome]:
        """Land some together with whoever else is waiting; an error that concerns all is raised."""
        mine = _Waiting(requests)
        with self._mutex:
            self._queue.append(mine)
            mine.leads, self._led = not self._led, True
        while True:
            if mine.leads:
                mine.leads = False
                self._lead()
            if mine.outcomes is not None or mine.error is not None:
                break
            mine.go.acquire()
        if mine.error is not None:
            raise copy.copy(mine.error) from mine.error
        assert mine.outcomes is not None
        return mine.outcomes

    def _lead(self) -> None:
        """Land a group, which begins with this thread's own requests, and hand the lead on, or go on to the end."""
        while True:
            with self._mutex:
                group = self._next_group()
            try:
                done = self._step([request for waiting in group for request in waiting.requests])
                settled = _hand_out(self._flight, done.before)
                if done.given is None:
                    self._flight = group
                else:
                    self._flight = []
                    settled += _hand_out(group, done.given)
            except BaseException as error:
                # Nobody may wait for ever, whatever went wrong in the thread that led.
                settled, self._flight = [*self._flight, *group], []
                for waiting in settled:
                    waiting.error = error
            with self._mutex:
                following = self._queue[:1]
                goes_on = not following and bool(self._flight)
                self._led = goes_on or bool(following)
            for waiting in following:
                waiting.leads = True
            for waiting in (*settled, *following):
                waiting.go.release()
            if not goes_on:
                return

    def _next_group(self) -> list[_Waiting]:
        """Who lands next; nobody while a group is in flight and few are waiting: more will come until it is in."""
        if self._flight and sum(len(waiting.requests) for waiting in self._queue) < WORTH_AN_EPOCH:
            return []
        count = taken = 0
        for waiting in self._queue:
            if taken and count + len(waiting.requests) > MAX_LANDINGS:
                break
            count, taken = count + len(waiting.requests), taken + 1
        group, self._queue = self._queue[:taken], self._queue[taken:]
        return group


def _hand_out(waiting: Sequence[_Waiting], outcomes: Sequence[Outcome] | None) -> list[_Waiting]:
    """Give each caller the outcomes of its requests; those that have theirs now."""
    if outcomes is None:
        return []
    at = 0
    for one in waiting:
        one.outcomes = list(outcomes[at : at + len(one.requests)])
        at += len(one.requests)
    assert at == len(outcomes)
    return list(waiting)
