"""Writers that start together, to see what a store tells each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mic.core.errors import MicError


def race(racers: int, work: Callable[[int], object]) -> list[MicError | None]:
    """What each of the threads got from `work(number)`, all started at once: None, or the error."""
    outcomes: list[MicError | None] = [None] * racers
    start = threading.Barrier(racers)

    def run(which: int) -> None:
        start.wait()
        try:
            work(which)
        except MicError as error:
            outcomes[which] = error

    threads = [threading.Thread(target=run, args=(which,), daemon=True) for which in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
