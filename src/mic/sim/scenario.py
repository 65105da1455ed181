"""What a seed means: which store, how many front ends and clients, what they do, which faults there are."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from mic.sim.heap import SECOND
from mic.sim.profiles import PROFILES
from mic.sim.world import Window


class Fork(NamedTuple):
    """A fork: of the project or of an earlier fork, after so many seconds, by so many who want it at once."""

    name: str
    parent: str
    begin: float
    forkers: int
    clients: tuple[int, ...]
    same_sessions: bool  # its clients land sessions with the ids of the project's clients
    sequenced: tuple[bool, ...]  # for each of its front ends
    checked: bool  # somebody verifies it while all go on


class Scenario(NamedTuple):
    """Drawn from the seed alone. Times in microseconds; no fault begins after `calm`, all is done by `end`."""

    seed: int
    profile: str
    fronts: int
    clients: tuple[int, ...]  # how many sessions each of them lands
    pause: float  # seconds between two sessions of a client, at most
    paths: int
    readers: int
    compactors: int
    creators: int
    commits: int  # of an import, 0 for none
    calm: int
    end: int
    windows: tuple[Window, ...]
    stopped: bool  # every clock stands still: all landings of one head get the same time
    sequenced: tuple[bool, ...]  # for each front end, whether it commits by creating commit points
    forks: tuple[Fork, ...] = ()
    erased: tuple[tuple[str, int], ...] = ()  # projects that are deleted, and when
    calls: int = 0  # so many calls of a front end to the preferred one at once; 0 where they know nothing of each other
    checkers: int = 0
    rollers: int = 0
    collectors: int = 0
    pushers: int = 0
    purgers: int = 0  # who erase contents, and the words of sessions


def draw(seed: int, profile: str = "") -> Scenario:
    """The scenario of a seed, on the profile that it draws or on this one."""
    rnd = Random(f"scenario {seed}")
    drawn = rnd.choices(tuple(PROFILES), (6, 2, 1, 1, 2, 1))[0]
    name = profile or drawn
    size = rnd.random()
    fronts = rnd.choice((1, 2, 2, 3, 3, 4, 5)) if size < 0.97 else rnd.choice((8, 16, 40, 200))
    clients = tuple(rnd.randint(1, 5) for _ in range(rnd.randint(1, 6)))
    # Long thoughts and short ones: from front ends that never meet to those that always do.
    pause = rnd.choice((0.2, 1.0, 3.0, 10.0, 30.0))
    commits = rnd.randint(1, 8) if rnd.random() < 0.5 else 0
    calm = int((60 + pause * 5) * SECOND)
    slowest = 10 if PROFILES[name].pace else 3
    # Readers and compactors may still pause four times for three times as long; what comes on top of it is waiting.
    end = calm + int((120 + 12 * pause + slowest * (12 + sum(clients))) * SECOND)
    paths = rnd.choice((2, 4, 8, 12))
    readers, creators = rnd.choice((0, 1, 2)), rnd.choice((1, 1, 2))
    windows = tuple(_windows(rnd, fronts, calm))
    stopped = rnd.random() < 0.2
    sequenced = tuple(_sequenced(rnd, name, fronts))
    if any(sequenced):
        # Who has seen commit points looks for newer ones, whoever took away the object where that began.
        windows = tuple(window for window in windows if window.kind != "headless")
    compactors = rnd.choice((0, 1, 2))
    if rnd.random() < 0.2:  # one who lands so often that versions of a path come one behind the other
        clients, paths = (*clients, 12), rnd.choice((1, 2, 3))
    forks = tuple(_forks(rnd, name, calm // SECOND)) if rnd.random() < 0.4 else ()
    erased = tuple(
        (project, rnd.randrange(calm // 8, calm * 3 // 2))
        for project in ("p", *(fork.name for fork in forks))
        if forks and rnd.random() < (0.7 if project == "p" else 0.25)
    )
    if erased:
        # Nobody takes away and puts back what is deleted; and forks are let go some time before their origin goes.
        windows = tuple(window for window in windows if window.kind != "headless")
    if forks:
        end += calm + 600 * SECOND
    # In a quarter of the seeds, drawn apart.
    collectors = 0 if seed % 4 != 1 else Random(f"collectors {seed}").choice((1, 1, 2))
    if collectors:
        end += 600 * SECOND
    # In a seventh of the seeds, drawn apart.
    pushers = 0 if seed % 7 != 5 else Random(f"pushers {seed}").choice((1, 2, 3))
    if pushers:
        end += 300 * SECOND
    # In one of 13 seeds, drawn apart; nobody deletes projects there, nor heads, nor pushes.
    purgers = 0 if seed % 13 != 8 else Random(f"purgers {seed}").choice((1, 2, 3))
    if purgers:
        erased, pushers = (), 0
        windows = tuple(window for window in windows if window.kind != "headless")
        end += 900 * SECOND
    calls = rnd.choice((1, 1, 2, 4)) if 1 < fronts <= 16 and rnd.random() < 0.4 else 0
    if calls:
        windows += tuple(_apart(rnd, fronts, calm))
    return Scenario(
        seed,
        name,
        fronts,
        clients,
        pause,
        paths,
        readers,
        compactors,
        creators,
        commits,
        calm,
        end,
        windows,
        stopped,
        sequenced,
        forks,
        erased,
        calls,
        rnd.choice((0, 0, 1, 2)),
        # In a third of the seeds: who reads so much more leaves fewer landings to a second.
        0 if seed % 3 else rnd.choice((1, 2)),
        collectors,
        pushers,
        purgers,
    )


def _forks(rnd: Random, profile: str, calm: int) -> Iterable[Fork]:
    parents = rnd.choice((("p",), ("p", "p"), ("p", "q0"), ("p", "q0", "q1"), ("p", "p", "q0")))
    for number, parent in enumerate(parents):
        yield Fork(
            f"q{number}",
            parent,
            rnd.uniform(0, calm / 2),
            rnd.choice((1, 1, 2)),
            tuple(rnd.randint(1, 5) for _ in range(rnd.choice((0, 1, 1, 2)))),
            rnd.random() < 0.4,
            tuple(_sequenced(rnd, profile, rnd.choice((1, 1, 2)))),
            rnd.random() < 0.4,
        )


def _sequenced(rnd: Random, profile: str, fronts: int) -> Iterable[bool]:
    """As the examination of the store says; but while it changes its mind, some front ends know and some do not."""
    store = PROFILES[profile]
    share = rnd.choice((0.0, 0.5, 1.0) if store.pace else (0.0, 0.0, 0.0, 0.0, 0.5))
    return [not store.swaps or rnd.random() < share for _ in range(fronts)]


def _apart(rnd: Random, fronts: int, calm: int) -> Iterable[Window]:
    while rnd.random() < 0.4:
        start, length = rnd.randrange(calm), rnd.randrange(calm // 3)
        yield Window("apart", rnd.randrange(fronts), start, min(start + length, calm))


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
