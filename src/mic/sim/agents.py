"""Thousands of agents that land in one project at once: eight front ends before S3, mild faults, limits as in use.

A seed of `run` asks what a few clients can break when everything goes wrong. This asks what many see when little does,
and has the same judge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mic.core.errors import Conflicted
from mic.ledger import follow
from mic.ledger.effects import Protocol
from mic.sim import actors
from mic.sim.actors import Actor, Ask, Plan, Steps, Wait, idle
from mic.sim.bucket import Rules
from mic.sim.faults import CALL, CALL_KINDS, KINDS, Swarm
from mic.sim.front import Front
from mic.sim.heap import SECOND
from mic.sim.run import Simulation, failure_of
from mic.sim.scenario import Scenario
from mic.sim.schedule import Schedule

FRONTS = 8
PATHS = 3000
# All begin within so many seconds, and think for at most so many before each session.
BEGIN, THINK = 60.0, 10.0
CALM = 90 * SECOND
# Nodes that a front end keeps: those of as many trees as agents may have looked at. In use are 128 MiB.
CACHE = 64 << 20
# One request in so many is befallen by a fault of each kind, and one call; a front end crashes at one in ten times as
# many.
FAULT, CALL_FAULT = 1 / 4000, 1 / 200


class Crowded(NamedTuple):
    """What a crowd did. `failure` is "" when all held; `virtual` and the times of landings (sorted) are in seconds."""

    failure: str
    trace: str
    agents: int
    landings: int
    virtual: float
    times: list[float]
    swaps: int
    lost: int
    answers: dict[str, int]
    crashes: int
    faults: int


class Mild(Swarm):
    """Every kind of fault, each seldom; but no front end stands still for a minute."""

    def __init__(self, rnd: Random, fronts: int) -> None:
        super().__init__(rnd, fronts, rnd)
        kinds = [kind for kind, befalls in KINDS.items() if befalls is not CALL and kind != "pause"]
        self.set_rates(
            {kind: FAULT / 10 if kind.startswith("crash") else FAULT for kind in kinds},
            {kind: CALL_FAULT / 10 if kind.startswith("crash") else CALL_FAULT for kind in CALL_KINDS},
        )


class Agent(actors.Client):
    """Lands on the newest position that a front end knows; after a clash, the same session once more on that."""

    def __init__(
        self, plan: Plan, number: int, count: int, rnd: Random, now: Callable[[], int], times: list[float]
    ) -> None:
        super().__init__(plan, number, count, BEGIN, THINK, rnd)
        self._now, self._times = now, times

    def run(self) -> Steps:
        yield Wait(int(self.rnd.uniform(0, self.begin) * SECOND))
        for at in range(self.count):
            yield from self._session(at, self.rnd)

    def _session(self, at: int, rnd: Random) -> Steps:
        session = hashlib.sha256(b"%d/%d" % (self.number, at)).digest()[:16]
        for _ in range(4):
            yield from self._learn(rnd)
            yield idle(rnd, self.pause)
            sent = self._sent(session, self.known, rnd)
            if sent is None:
                return
            sent = sent._replace(unsent=frozenset(), packed=False)  # small contents travel with the session
            self.plan.oracle.sent.setdefault(session, []).append(sent)
            began = self._now()
            error = yield from self._land(sent, rnd)
            if error is None:
                self._times.append((self._now() - began) / SECOND)
            if not isinstance(error, Conflicted):
                return

    def _learn(self, rnd: Random) -> Steps:
        """The position that a front end knows: it does not look for a newer one."""
        position, error = yield Ask(
            rnd.randrange(self.plan.fronts),
            _known,
            lambda front, task, value, error: self.plan.oracle.done("knew", front, task, error),
        )
        if error is None:
            self.known = max(self.known, position)


def _known(front: Front) -> Protocol[int]:
    head = front.line.head
    if head is None:
        head = yield from follow.refresh(front.line)
    return head.position


class Crowd(Simulation):
    """So many agents, and whoever seals what they land."""

    def __init__(self, agents: int, seed: int) -> None:
        self._agents = agents
        self.times: list[float] = []
        super().__init__(_scenario(seed), Schedule(), Rules(), None)
        for front in self.fronts:
            front.pipelined = front.line.far = True  # requests to a far store are under way side by side
            front.cache_bytes = front.cache.max_bytes = CACHE

    def _swarm(self, rnd: Random, fronts: int) -> Swarm:
        return Mild(rnd, fronts)

    def _cast(self, schedule: Schedule, rnd: Random) -> None:
        paths = [b"src/%02d/%02d.txt" % divmod(number, 60) for number in range(PATHS)]
        plan = Plan(self.oracle, FRONTS, paths, frozenset())
        later: list[tuple[str, Actor]] = []
        for number in range(self._agents):
            own = Random(rnd.getrandbits(64))
            count = own.choice((1, 1, 1, 2, 3))
            agent = Agent(plan, number, count, own, lambda: self.world.heap.now, self.times)
            later.append((f"agent {number}", agent.run()))
        for number in range(2):
            later.append((f"keeper {number}", actors.keeper(plan, 8, THINK, Random(rnd.getrandbits(64)))))
        self._later = later
        self._begin(self._creator(plan, Random(rnd.getrandbits(64))))
        self._wait_for_birth()


def _scenario(seed: int) -> Scenario:
    """Front ends crash and requests fail; none is cut off for long."""
    return Scenario(
        seed=seed,
        profile="s3",
        fronts=FRONTS,
        clients=(),
        pause=THINK,
        paths=0,
        readers=0,
        compactors=0,
        creators=1,
        commits=0,
        calm=CALM,
        end=CALM + 600 * SECOND,
        windows=(),
        stopped=False,
        sequenced=(False,) * FRONTS,
        calls=12,
    )


def land_all(agents: int, seed: int = 0) -> Crowded:
    """Have so many agents land, to the last answer. Never raises for what the run finds."""
    crowd = Crowd(agents, seed)
    failure = failure_of(crowd)
    world = crowd.world
    return Crowded(
        failure,
        world.trace,
        agents,
        crowd.oracle.model.head,
        crowd.ended / SECOND,
        sorted(crowd.times),
        world.swaps,
        world.lost,
        dict(sorted(crowd.oracle.answers.items())),
        world.crashes,
        len(world.faults.fired),
    )
