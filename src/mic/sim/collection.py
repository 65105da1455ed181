"""Collection under every fault: what nothing names goes, what anything names stays, whoever collects at once.

Keeping and grace are seconds here. The grace is longer than anything that is late in this world, as a day is in ours.
"""

from __future__ import annotations

from functools import partial
from random import Random

from mic.ledger.collect import Round, collect
from mic.ledger.effects import Protocol
from mic.sim.actors import Ask, Plan, Steps, idle
from mic.sim.front import Front, Task
from mic.sim.oracle import Oracle

KEEP, GRACE = 2_000, 75_000  # ms
NEWEST = 8  # positions


def collector(plan: Plan, count: int, rnd: Random) -> Steps:
    """Collects now here, now there, while others upload and land, and for as long as what is condemned needs to go."""
    for _ in range(count):
        yield idle(rnd, 25)
        yield Ask(rnd.randrange(plan.fronts), _collect, partial(_collected, plan.oracle), locked=False)


def _collect(front: Front) -> Protocol[Round]:
    """As a front end does it: by a view of its own, and not in turn with landings."""
    line = front.line.outline(front.cache)
    return (yield from collect(line, KEEP, GRACE, free=GRACE, newest=NEWEST))


def _collected(oracle: Oracle, front: Front, task: Task, found: Round | None, error: BaseException | None) -> None:
    if found is None:
        oracle.done("collected", front, task, error)
        return
    oracle.count("collected" if found.removed else "looked for leavings")
    for move in found.left:
        if move.moved:
            oracle.count(f"{move.stage.name.lower()} {'pack' if move.name.endswith('.pack') else 'epoch'}")
