"""Makes a story that goes wrong small: leaves out halves of its events, then quarters, down to single ones."""

from __future__ import annotations

from typing import NamedTuple

from attribution.check import EVENTS, check_story
from attribution.model import Wrong


class Small(NamedTuple):
    """Which events are left out, how many are left, and what goes wrong then."""

    without: frozenset[int]
    left: int
    error: str


def smaller(seed: int, tries: int = 400) -> Small:
    """As few events of a story as still go wrong, in so many tries. Raises ValueError when none do."""
    error = _fails(seed, frozenset())
    if error is None:
        raise ValueError(f"story {seed} goes as it should")
    without = frozenset[int]()
    size = EVENTS // 2
    while size and tries > 0:
        at, found = 0, False
        left = [number for number in range(1, EVENTS + 1) if number not in without]
        while at < len(left) and tries > 0:
            tries -= 1
            fewer = without | set(left[at : at + size])
            said = _fails(seed, fewer)
            if said is not None:
                without, error, found = fewer, said, True
            at += size
        size = size if found and size == 1 else size // 2
    return Small(without, EVENTS - len(without), error)


def _fails(seed: int, without: frozenset[int]) -> str | None:
    try:
        check_story(seed, without=without)
    except Wrong as error:
        return str(error)
    return None
