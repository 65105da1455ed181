"""One run of one seed, to its end or to the first thing that must not happen."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from mic.core.errors import MicError, Unavailable
from mic.core.tree import scan
from mic.ledger import follow, log, trees
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache, with_nodes
from mic.ledger.request import LandRequest
from mic.sim import actors
from mic.sim.actors import Actor, Ask, Plan, Spawn, Wait
from mic.sim.bucket import Bucket, Rules
from mic.sim.faults import Fault, Listed, Swarm
from mic.sim.front import PROJECT, Front, Task
from mic.sim.heap import SECOND
from mic.sim.limits import small_limits
from mic.sim.model import File, Files
from mic.sim.oracle import Oracle, Violation
from mic.sim.profiles import PROFILES
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
        bucket = Bucket(rules, self.oracle.watch)
        self.oracle.objects = bucket.objects
        swarm = Swarm(Random(rnd.getrandbits(64)), scenario.fronts)
        faults = swarm if schedule.faults is None else Listed(schedule.faults)
        windows = scenario.windows if schedule.windows is None else schedule.windows
        self.world = World(PROFILES[scenario.profile], bucket, faults, windows)
        self.world.committed = lambda: self.oracle.model.head
        if wrap is not None:
            self.world.wrap = wrap
        self.fronts = [
            Front(self.world, n, scenario.stopped, Random(rnd.getrandbits(64))) for n in range(scenario.fronts)
        ]
        self.left = 0
        self._creating = 0
        self._settled = 0
        self.windows = windows
        self._cast(schedule, rnd)

    def _cast(self, schedule: Schedule, rnd: Random) -> None:
        """Everybody who asks for something. Each has randomness of its own, whoever else is left out."""
        scenario = self.scenario
        paths = Random(rnd.getrandbits(64)).sample(actors.PATHS, scenario.paths)
        plan = Plan(self.oracle, scenario.fronts, paths, frozenset(schedule.skip))
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
        self._later = [(name, actor) for name, actor in later if name not in schedule.drop]
        for creator in creators:
            self._begin(creator)
        self._wait_for_birth()

    def _creator(self, plan: Plan, rnd: Random) -> Actor:
        self._creating += 1
        yield from actors.creator(plan, rnd)
        self._creating -= 1
        # Until then a request to make the project may still be on its way.
        self._settled = self.world.heap.now + 30 * SECOND

    def _behead(self) -> None:
        if not self._creating and self.world.heap.now > self._settled:
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
            if isinstance(wanted, Wait):
                self.world.heap.after(wanted.micros, self._go, actor, None)
            else:
                self._ask(actor, wanted)
            return

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
            heap.step()
            if heap.now > self.scenario.end:
                raise Violation(
                    f"{self.left} did not finish within {(heap.now - self.scenario.calm) // SECOND} s of calm"
                )
        world.note("all have their answers", -1)
        self.oracle.restore()
        self._check_history()

    def _calm(self) -> None:
        self.oracle.restore()
        self.world.faults.calm = True

    def _check_history(self) -> None:
        """A reader that has never seen the project finds the whole of it in the raw bucket."""
        model, line = self.oracle.model, Line(PROJECT, NodeCache(8 << 20))
        head = self._read(follow.refresh(line))
        if head.position != model.head:
            raise Violation(f"the head is at {head.position}, {model.head} landed")
        if model.head:
            sessions = [record.session for record in self._read(log.records(line, 1, model.head))]
            if sessions != model.sessions:
                raise Violation("the log holds other sessions than landed")
        for session in [*self.oracle.sent, *model.sessions]:
            if line.find_session(session) != model.positions.get(session):
                raise Violation(
                    f"session {session.hex()} is found at {line.find_session(session)}, "
                    f"not at {model.positions.get(session)}"
                )
        step = max(1, model.head // 12)
        for position in sorted({*range(0, model.head, step), model.head}):
            files = self._read(_whole(line, position))
            if files != model.trees[position]:
                raise Violation(f"the tree at {position} holds {files}, not {model.trees[position]}")

    def _read(self, protocol: Protocol[Any]) -> Any:
        """Drive a protocol straight against the bucket."""
        apply = self.world.bucket.apply
        try:
            wanted = next(protocol)
            while True:
                single = type(wanted) is not tuple
                try:
                    answer = apply(wanted) if single else [apply(effect) for effect in wanted]  # type: ignore[arg-type]
                except MicError as error:
                    wanted = protocol.throw(error)
                else:
                    wanted = protocol.send(answer)
        except StopIteration as stop:
            return stop.value


def _whole(line: Line, position: int) -> Protocol[Files]:
    root = yield from trees.tree_at(line, position)
    entries = yield from with_nodes(line.objects, line.cache, scan(line.cache, root))
    files = {}
    for entry in entries:
        files[entry.path] = File(entry.mode, (yield from read_blob(line.objects, entry.hash, 1 << 20)))
    return files


def simulate(
    seed: int, schedule: Schedule | None = None, rules: Rules | None = None, wrap: Wrap | None = None, profile: str = ""
) -> Outcome:
    """Run a seed: with its own faults, or with those of a schedule. Never raises for what the run finds."""
    schedule = schedule or Schedule()
    scenario = draw(seed, profile or schedule.profile)
    failure = ""
    with small_limits():
        simulation = Simulation(scenario, schedule, rules or Rules(), wrap)
        try:
            simulation.run()
        except Violation as violation:
            failure = str(violation)
        except Exception as error:  # a protocol that raises what is no expected error is a finding like any other
            where = traceback.extract_tb(error.__traceback__)[-1]
            failure = f"{type(error).__name__} in {where.name} ({where.filename.rsplit('/', 1)[-1]}): {error}"
    world, oracle = simulation.world, simulation.oracle
    return Outcome(
        seed,
        failure,
        world.trace,
        world.heap.now / SECOND,
        oracle.model.head,
        world.requests,
        world.crashes,
        dict(sorted(oracle.answers.items())),
        tuple(world.faults.fired),
        scenario,
    )
