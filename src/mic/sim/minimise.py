"""Makes a failing run small: leaves out actors, sessions, windows and faults while it still fails.

Greedy, and bounded in runs: halves first, then quarters, down to single items. What is left is seldom the
least that fails, and nearly always little enough to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mic.sim.run import Outcome
from mic.sim.schedule import Schedule

T = TypeVar("T")
Try = Callable[[Schedule], Outcome]


def minimise(failed: Outcome, attempt: Try, runs: int = 400) -> tuple[Schedule, Outcome]:
    """A small schedule that still fails, and its outcome. `attempt` runs one with the same seed."""
    left = [runs]
    best = [Schedule(failed.faults, failed.scenario.windows, profile=failed.scenario.profile)]
    outcome = [attempt(best[0])]
    if not outcome[0].failure:
        return Schedule(profile=failed.scenario.profile), failed

    def fails(schedule: Schedule) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        found = attempt(schedule)
        if found.failure:
            best[0], outcome[0] = schedule, found
        return bool(found.failure)

    scenario = failed.scenario
    names = [f"client {at}" for at in range(len(scenario.clients))]
    names += [f"reader {at}" for at in range(scenario.readers)] + ["keeper 0", "keeper 1", "importer"]
    names += [f"compactor {at}" for at in range(scenario.compactors)]
    names += [f"checker {at}" for at in range(scenario.checkers)]
    names += [f"{who} {at}" for at in range(scenario.pushers) for who in ("pusher", "follower")]
    names += [f"{who} {at}" for at in range(scenario.rollers) for who in ("roller", "historian")]
    for fork in scenario.forks:
        names += [f"{fork.name} client {at}" for at in range(len(fork.clients))]
        names += [
            f"{fork.name} {who}"
            for who in (
                "reader 0",
                "keeper 0",
                "compactor 0",
                "checker 0",
                "roller 0",
                "historian 0",
                "people",
                "eraser",
                "forker 1",
            )
        ]
    names.append("p eraser")
    for name in names:
        fails(best[0]._replace(drop=(*best[0].drop, name)))
    _shrink(best[0].windows or (), lambda kept: fails(best[0]._replace(windows=kept)))
    _shrink(best[0].faults or (), lambda kept: fails(best[0]._replace(faults=kept)))
    for client, count in enumerate(scenario.clients):
        if f"client {client}" not in best[0].drop:
            for number in reversed(range(count)):
                fails(best[0]._replace(skip=(*best[0].skip, (client, number))))
    _shrink(best[0].faults or (), lambda kept: fails(best[0]._replace(faults=kept)))
    return best[0], outcome[0]


def _shrink(items: Sequence[T], fails: Callable[[tuple[T, ...]], bool]) -> None:
    kept = tuple(items)
    size = len(kept)
    while size and kept:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if fails(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
