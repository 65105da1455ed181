"""One run of one seed, to its end or to the first thing that must not happen."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any, NamedTuple

from mic.core.errors import MicError, Unavailable
from mic.ledger.effects import Protocol
from mic.ledger.request import LandRequest
from mic.sim import actors, checking, collection, compaction, forks, purging, refs, rollups
from mic.sim.actors import Actor, Ask, Plan, Spawn, Through, Wait
from mic.sim.bucket import Rules
from mic.sim.faults import Fault, Listed, Swarm
from mic.sim.forwarding import AGREED, Network
from mic.sim.front import Front, Task
from mic.sim.heap import SECOND
from mic.sim.limits import small_limits
from mic.sim.oracle import Oracle, Violation
from mic.sim.profiles import PROFILES
from mic.sim.projects import Projects
from mic.sim.scenario import Scenario, draw
from mic.sim.schedule import Schedule
from mic.sim.world import World

PATIENCE = 40 * SECOND  # a client asks elsewhere after this, while the first front end may still be at it
Wrap = Callable[[Protocol[Any]], Protocol[Any]]


class Outcome(NamedTuple):
    """`failure` is "" when all held. `virtual` is in seconds."""

    seed: int
    failure: str
    trace: str
    virtual: float
    landings: int
    events: int
    crashes: int
    answers: dict[str, int]
    faults: tuple[Fault, ...]
    scenario: Scenario


class Simulation:
    """Front ends, actors and a bucket under one seed."""

    def __init__(self, scenario: Scenario, schedule: Schedule, rules: Rules, wrap: Wrap | None) -> None:
        self.scenario = scenario
        rnd = Random(f"run {scenario.seed}")
        self.oracle = Oracle()
        self.projects = Projects(self.oracle, {fork.name: fork.parent for fork in scenario.forks}, rules)
        fronts = scenario.fronts + sum(len(fork.sequenced) for fork in scenario.forks)
        swarm = self._swarm(Random(rnd.getrandbits(64)), fronts)
        faults = swarm if schedule.faults is None else Listed(schedule.faults)
        windows = scenario.windows if schedule.windows is None else schedule.windows
        self.world = World(PROFILES[scenario.profile], self.projects.bucket, faults, windows)
        self.projects.now = lambda: self.world.heap.now
        for oracle in self.projects.oracles.values():
            oracle.damaged = lambda: any(fault.kind in ("short", "rot") for fault in faults.fired)
        self.world.committed = self.projects.head
        if wrap is not None:
            self.world.wrap = wrap
        self.fronts = [
            Front(self.world, n, scenario.stopped, sequenced, Random(rnd.getrandbits(64)))
            for n, sequenced in enumerate(scenario.sequenced)
        ]
        self.oracle.collected = scenario.collectors > 0
        self.refs = refs.RefsOracle(self.oracle)
        if scenario.purgers:
            self.purges = purging.Purges(self.world, self.projects.oracles)
        for front in self.fronts if scenario.collectors else ():
            front.skew, front.drift = (
                front.skew % 1000,
                1.0,
            )  # collection asks for clocks that are right to within hours
        self.network = Network(self.world, self.oracle) if scenario.calls else None
        for front in self.fronts if self.network is not None else ():
            assert self.network is not None
            self.network.join(front, scenario.calls, Random(f"network {scenario.seed} {front.number}"))
        self.left = 0
        self.ended = 0  # when the last answer was given
        self._settled: dict[str, int] = {}
        self.windows = windows
        self._cast(schedule, rnd)

    def _swarm(self, rnd: Random, fronts: int) -> Swarm:
        return Swarm(rnd, fronts, Random(f"calls {self.scenario.seed}"))

    def _cast(self, schedule: Schedule, rnd: Random) -> None:
        """Everybody who asks for something. Each has randomness of its own, whoever else is left out."""
        scenario = self.scenario
        paths = Random(rnd.getrandbits(64)).sample(actors.PATHS, scenario.paths)
        plan = Plan(self.oracle, scenario.fronts, paths, frozenset(schedule.skip), scenario.collectors > 0)
        pause = scenario.pause
        creators = [self._creator(plan, Random(rnd.getrandbits(64))) for _ in range(scenario.creators)]
        later: list[tuple[str, Actor]] = []
        if scenario.commits:
            history = actors.commits(Random(rnd.getrandbits(64)), scenario.commits)
            later.append(("importer", actors.importer(plan, history, Random(rnd.getrandbits(64)))))
        for number, count in enumerate(scenario.clients):
            # A short history is raced for by those who land at once; a longer one is left some time.
            begin = 15.0 if scenario.commits > 2 else 0.0
            client = actors.Client(plan, number, count, begin, pause, Random(rnd.getrandbits(64)))
            later.append((f"client {number}", client.run()))
        for number in range(scenario.readers):
            later.append((f"reader {number}", actors.reader(plan, 4, pause, Random(rnd.getrandbits(64)))))
        for number in range(2):
            later.append((f"keeper {number}", actors.keeper(plan, 5, pause, Random(rnd.getrandbits(64)))))
        for number in range(scenario.compactors):
            later.append((f"compactor {number}", compaction.compactor(plan, 4, pause, Random(rnd.getrandbits(64)))))
        for number in range(scenario.rollers):
            # Drawn apart, as forks are.
            roller = rollups.roller(plan, 10, pause, Random(f"roller {number} {scenario.seed}"))
            historian = rollups.historian(plan, 5, pause, Random(f"historian {number} {scenario.seed}"))
            later += [(f"roller {number}", roller), (f"historian {number}", historian)]
        for number in range(scenario.checkers):
            # Drawn apart, as forks are.
            checker = checking.checker(plan, 3, pause, Random(f"checker {number} {scenario.seed}"))
            later.append((f"checker {number}", checker))
        for number in range(scenario.collectors):
            # Drawn apart, as forks are.
            collector = collection.collector(plan, 24, Random(f"collector {number} {scenario.seed}"))
            later.append((f"collector {number}", collector))
        for number in range(scenario.purgers):
            # Drawn apart, as forks are.
            purger = purging.purger(plan, self.purges, number, 8, pause, Random(f"purger {number} {scenario.seed}"))
            later.append((f"purger {number}", purger))
        later += self._pushers(plan)
        later += self._forks(schedule)
        self._later = [(name, actor) for name, actor in later if name not in schedule.drop]
        for creator in creators:
            self._begin(creator)
        self._wait_for_birth()

    def _pushers(self, plan: Plan) -> Iterator[tuple[str, Actor]]:
        """Who pushes with Git, and who derives what Git is shown. Drawn apart, as forks are."""
        scenario, judge = self.scenario, self.refs
        for number in range(scenario.pushers):
            rnd = Random(f"pusher {number} {scenario.seed}")
            yield f"pusher {number}", refs.pusher(plan, judge, number, 6, scenario.pause * 2, rnd)
            rnd = Random(f"follower {number} {scenario.seed}")
            yield f"follower {number}", refs.follower(plan, judge, 6, scenario.pause * 2, rnd)

    def _forks(self, schedule: Schedule) -> Iterator[tuple[str, Actor]]:
        """Who makes forks, uses them, and deletes projects. Drawn apart: the project is the same with and without."""
        scenario, oracles = self.scenario, self.projects.oracles
        rnd = Random(f"forks {scenario.seed}")
        for fork in scenario.forks:
            first, oracle = len(self.fronts), oracles[fork.name]
            for sequenced in fork.sequenced:
                entropy = Random(rnd.getrandbits(64))
                self.fronts.append(Front(self.world, len(self.fronts), scenario.stopped, sequenced, entropy, fork.name))
            paths = Random(rnd.getrandbits(64)).sample(actors.PATHS, scenario.paths)
            plan = Plan(oracle, len(fork.sequenced), paths, frozenset(schedule.skip))
            for number in range(fork.forkers):
                actor = forks.forker(oracle, plan.fronts, fork.begin, Random(rnd.getrandbits(64)))
                yield f"{fork.name} forker {number}", forks.shifted(self._expected(oracle, actor), first)
            people = forks.inhabitants(oracle, plan, scenario, fork, rnd)
            kept = [forks.shifted(actor, first) for name, actor in people if name not in schedule.drop]
            yield f"{fork.name} people", forks.when_born(oracle, kept)
        for name, begin in scenario.erased:
            eraser = forks.eraser(
                oracles[name],
                scenario.fronts,
                begin,
                partial(self._is_settled, oracles[name]),
                Random(rnd.getrandbits(64)),
            )
            yield f"{name} eraser", eraser

    def _creator(self, plan: Plan, rnd: Random) -> Actor:
        return self._expected(self.oracle, actors.creator(plan, rnd))

    def _expected(self, oracle: Oracle, maker: Actor) -> Actor:
        """Somebody who makes a project."""
        oracle.expected += 1
        yield from maker
        oracle.expected -= 1
        # Until then a request to make the project may still be on its way.
        self._settled[oracle.project] = self.world.heap.now + 60 * SECOND

    def _is_settled(self, oracle: Oracle) -> bool:
        settled = self._settled.get(oracle.project)
        return not oracle.expected and settled is not None and self.world.heap.now > settled

    def _behead(self) -> None:
        if self._is_settled(self.oracle):
            self.oracle.behead()

    def _wait_for_birth(self) -> None:
        """The others begin when there is a project."""
        if self.oracle.head is None:
            self.world.heap.after(SECOND // 10, self._wait_for_birth)
            return
        for _, actor in self._later:
            self._begin(actor)
        self._later = []

    # ------------------------------------------------------------ actors

    def _begin(self, actor: Actor) -> None:
        self.left += 1
        self.world.heap.after(0, self._go, actor, None)

    def _go(self, actor: Actor, answer: Any) -> None:
        while True:
            try:
                wanted = actor.send(answer)
            except StopIteration:
                self.left -= 1
                return
            if isinstance(wanted, Spawn):
                self._begin(wanted.actor)
                answer = None
                continue
            if isinstance(wanted, Through):
                self.world.heap.after(0, self._through, actor, wanted)
            elif isinstance(wanted, Wait):
                self.world.heap.after(wanted.micros, self._go, actor, None)
            else:
                self._ask(actor, wanted)
            return

    def _through(self, actor: Actor, wanted: Through) -> None:
        """Work that waits for each protocol: what happens meanwhile happens below it on the stack."""
        front, heap = self.fronts[wanted.front], self.world.heap
        whole = Task(lambda task, value, error: None, False)
        whole.began, whole.started = heap.now, self.world.committed(front.project)

        def run(protocol: Protocol[Any]) -> Any:
            answers: list[tuple[Any, BaseException | None]] = []
            task = Task(lambda task, value, error: answers.append((value, error)), False)
            front.submit(task, lambda front: protocol)
            while not answers:
                self._pass()
            whole.disturbed, whole.damaged = whole.disturbed or task.disturbed, whole.damaged or task.damaged
            value, error = answers[0]
            if error is not None:
                raise error
            return value

        value, error = None, None
        try:
            value = wanted.work(run)
        except MicError as problem:
            error = problem
        wanted.check(front, whole, value, error)
        self.world.note(f"answer {type(error or value).__name__}", front.number)
        heap.after(1000, self._go, actor, (value, error))

    def _ask(self, actor: Actor, ask: Ask) -> None:
        front = self.fronts[ask.front]
        waiting = [True]

        def tell(value: Any, error: BaseException | None) -> None:
            if waiting[0]:
                waiting[0] = False
                self._go(actor, (value, error))

        def done(task: Task, value: Any, error: BaseException | None) -> None:
            ask.check(front, task, value, error)
            self.world.note(f"answer {type(error or value).__name__}", front.number)
            self.world.heap.after(1000, tell, value, error)

        self.world.heap.after(PATIENCE, tell, None, Unavailable("the client gave up waiting"))
        if isinstance(ask.work, LandRequest):
            front.land(Task(done, True), ask.work)
        else:
            front.submit(Task(done, ask.locked), ask.work)

    # ------------------------------------------------------------ the run

    def run(self) -> None:
        """Until everybody has an answer; raises Violation."""
        heap, world = self.world.heap, self.world
        for window in self.windows:
            if window.kind == "headless":
                heap.after(window.start, self._behead)
                heap.after(window.end, self.oracle.restore)
        heap.after(self.scenario.calm, self._calm)
        while self.left or self._later:
            self._pass()
        world.note("all have their answers", -1)
        self.ended = heap.now
        self.oracle.restore()
        if self.scenario.purgers:
            self.purges.sweep(world.bucket)
        for oracle in self.projects.oracles.values():
            checking.check(world.bucket, oracle, [f for f in self.fronts if f.project == oracle.project])
        refs.check(world.bucket, self.refs)
        if self.scenario.purgers:
            self.purges.check(world.bucket)
        if self.network is not None:
            self._agree(self.network)

    def _agree(self, network: Network) -> None:
        """Let time pass, in which nobody lands and front ends only beat: what was on its way arrives too."""
        self._calm()
        passed: list[bool] = []
        self.world.heap.after(AGREED, passed.append, True)
        while not passed:
            self.world.heap.step()
        network.check_agreed()

    def _pass(self) -> None:
        """The next thing happens."""
        heap = self.world.heap
        heap.step()
        if heap.now > self.scenario.end:
            raise Violation(f"{self.left} did not finish within {(heap.now - self.scenario.calm) // SECOND} s of calm")

    def _calm(self) -> None:
        self.oracle.restore()
        self.world.faults.calm = True


def failure_of(simulation: Simulation) -> str:
    """Run it; what it found, "" when all held."""
    try:
        simulation.run()
    except Violation as violation:
        return str(violation)
    except Exception as error:  # a protocol that raises what is no expected error is a finding like any other
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {where.name} ({where.filename.rsplit('/', 1)[-1]}): {error}"
    return ""


def simulate(
    seed: int, schedule: Schedule | None = None, rules: Rules | None = None, wrap: Wrap | None = None, profile: str = ""
) -> Outcome:
    """Run a seed: with its own faults, or with those of a schedule. Never raises for what the run finds."""
    schedule = schedule or Schedule()
    scenario = draw(seed, profile or schedule.profile)
    with small_limits():
        simulation = Simulation(scenario, schedule, rules or Rules(), wrap)
        failure = failure_of(simulation)
    world, oracles = simulation.world, simulation.projects.oracles.values()
    answers: Counter[str] = Counter()
    for oracle in oracles:
        answers.update(oracle.answers)
    return Outcome(
        seed,
        failure,
        world.trace,
        world.heap.now / SECOND,
        sum(oracle.model.head - oracle.born.position for oracle in oracles if oracle.born is not None),
        world.requests,
        world.crashes,
        dict(sorted(answers.items())),
        tuple(world.faults.fired),
        scenario,
    )
