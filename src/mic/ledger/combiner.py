"""Group commit within a process: whoever lands first takes along what queued meanwhile.

There is no timer and no thread of its own. The first caller lands at once; callers that come while it
does wait, and the first of them lands all of them in one epoch. So a lone landing waits for nobody, and
the slower the store, the larger the epochs.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence

from mic.core.errors import MicError
from mic.ledger.batch import MAX_LANDINGS
from mic.ledger.land import Landed
from mic.ledger.request import LandRequest

LandGroup = Callable[[Sequence[LandRequest]], Sequence[Landed | MicError]]


class _Waiting:
    """One caller. Woken with an outcome or an error, or with neither to lead the next group."""

    def __init__(self, request: LandRequest) -> None:
        self.request = request
        self.woken = threading.Event()
        self.outcome: Landed | MicError | None = None
        self.error: BaseException | None = None


class Combiner:
    """Collects the landings of one line; `land_group` is never called by two threads at once."""

    def __init__(self, land_group: LandGroup) -> None:
        self._land_group = land_group
        self._mutex = threading.Lock()
        self._queue: list[_Waiting] = []
        self._led = False

    def land(self, request: LandRequest) -> Landed:
        """Land with whoever else is waiting; errors as `mic.ledger.land.land`."""
        mine = _Waiting(request)
        with self._mutex:
            self._queue.append(mine)
            lead, self._led = not self._led, True
        if not lead:
            mine.woken.wait()
        if mine.outcome is None and mine.error is None:
            self._lead()
        if mine.error is not None:
            raise copy.copy(mine.error) from mine.error
        if isinstance(mine.outcome, MicError):
            raise mine.outcome
        assert mine.outcome is not None
        return mine.outcome

    def _lead(self) -> None:
        """Land one group, which begins with this thread's own request, and hand the lead on."""
        with self._mutex:
            group = self._queue[:MAX_LANDINGS]
            del self._queue[:MAX_LANDINGS]
        try:
            outcomes = self._land_group([waiting.request for waiting in group])
            for waiting, outcome in zip(group, outcomes, strict=True):
                waiting.outcome = outcome
        except BaseException as error:
            # Nobody may wait for ever, whatever went wrong in the thread that led.
            for waiting in group:
                waiting.error = error
        finally:
            with self._mutex:
                self._led = bool(self._queue)
                following = self._queue[:1]
            for waiting in (*group, *following):
                waiting.woken.set()
