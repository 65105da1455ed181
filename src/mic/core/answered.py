"""Which message of a conversation a decision answers: the one that it names, else what a person said last before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Answered:
    """Looks decisions up in one conversation, given as (role, Unix milliseconds or 0) of each message.

    Messages are numbered from 1; 0 stands for none. Of one that the conversation has not, nothing is said.
    """

    def __init__(self, turns: Iterable[tuple[str, int]]) -> None:
        known, self._turns = [], 0
        for self._turns, (role, at) in enumerate(turns, 1):
            if role == "human" and at > 0:
                known.append((at, self._turns))
        known.sort()
        self._times = [at for at, _ in known]
        # Of several at one time the last one.
        self._numbers = [number for _, number in known]

    def told(self, message: int) -> int:
        """The message that a decision names, as whoever recorded it says."""
        return message if 0 < message <= self._turns else 0

    def before(self, at: int, message: int = 0) -> int:
        """The last message of a person that is not later than a decision at `at` which names no message.

        That it came before is all that is known of it.
        """
        if message or at <= 0:
            return 0
        found = bisect_right(self._times, at)
        return self._numbers[found - 1] if found else 0
