"""What a seed means: which store, how many front ends and clients, what they do, which faults there are."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from mic.sim.heap import SECOND
from mic.sim.profiles import PROFILES
from mic.sim.world import Window


class Scenario(NamedTuple):
    """Drawn from the seed alone. Times in microseconds; no fault begins after `calm`, all is done by `end`."""

    seed: int
    profile: str
    fronts: int
    clients: tuple[int, ...]  # how many sessions each of them lands
    pause: float  # seconds between two sessions of a client, at most
    paths: int
    readers: int
    creators: int
    commits: int  # of an import, 0 for none
    calm: int
    end: int
    windows: tuple[Window, ...]
    stopped: bool  # every clock stands still: all landings of one head get the same time


def draw(seed: int, profile: str = "") -> Scenario:
    """The scenario of a seed, on the profile that it draws or on this one."""
    rnd = Random(f"scenario {seed}")
    drawn = rnd.choices(tuple(PROFILES), (6, 2, 1, 1, 2))[0]
    name = profile or drawn
    size = rnd.random()
    fronts = rnd.choice((1, 2, 2, 3, 3, 4, 5)) if size < 0.97 else rnd.choice((8, 16, 40, 200))
    clients = tuple(rnd.randint(1, 5) for _ in range(rnd.randint(1, 6)))
    # Long thoughts and short ones: from front ends that never meet to those that always do.
    pause = rnd.choice((0.2, 1.0, 3.0, 10.0, 30.0))
    commits = rnd.randint(1, 8) if rnd.random() < 0.5 else 0
    calm = int((60 + pause * 5) * SECOND)
    slowest = 10 if PROFILES[name].pace else 3
    # A reader may still pause four times for three times as long; only what comes on top of it is waiting.
    end = calm + int((120 + 12 * pause + slowest * sum(clients)) * SECOND)
    paths = rnd.choice((2, 4, 8, 12))
    readers, creators = rnd.choice((0, 1, 2)), rnd.choice((1, 1, 2))
    windows = tuple(_windows(rnd, fronts, calm))
    stopped = rnd.random() < 0.2
    return Scenario(seed, name, fronts, clients, pause, paths, readers, creators, commits, calm, end, windows, stopped)


def _windows(rnd: Random, fronts: int, calm: int) -> Iterable[Window]:
    for kind in ("partition", "slow"):
        while rnd.random() < 0.3:
            start, length = rnd.randrange(calm), rnd.randrange(calm // 3)
            yield Window(kind, rnd.randrange(fronts), start, min(start + length, calm), rnd.random() < 0.5)
    if rnd.random() < 0.2:
        # Whoever removes the head does it long after the project was made. Many times, for a moment that matters.
        for _ in range(rnd.randint(1, 20)):
            start, length = rnd.randrange(calm // 2, calm), rnd.randrange(2 * SECOND)
            yield Window("headless", -1, start, min(start + length, calm))
