"""A front end: a line and a node cache of its own, a clock that is wrong, and requests that take turns.

It drives production protocols one effect at a time. Between any two effects the world may go wrong: see
`faults`. A crash forgets everything; what was on its way to the store arrives all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random as Generator
from typing import TYPE_CHECKING, Any, cast

from mic.core.errors import MicError, StorageFull, Unavailable
from mic.ledger import land as landing
from mic.ledger import pipeline
from mic.ledger.batch import MAX_LANDINGS
from mic.ledger.effects import Attempt, Effect, Forward, List, Now, Protocol, PutIf, PutNew, Random, Sleep
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.request import LandRequest
from mic.sim.faults import READS, Fault
from mic.sim.heap import SECOND
from mic.sim.world import World

if TYPE_CHECKING:
    from mic.sim.forwarding import Forwarding

TIMEOUT = 5 * SECOND  # after this a caller gives up on a request
PROJECT = "p"
# 2026-11-01 00:00 UTC in Unix milliseconds: where virtual time begins.
EPOCH_MS = 1_793_491_200_000


class StartedAnew(Unavailable):
    """What a question is about was read by a front end that has crashed since: its own reason."""

    def __init__(self) -> None:
        super().__init__("the front end started anew")


class Task:
    """A protocol under way, begun at time `began` when position `started` was the newest.

    `disturbed`: something failed in it; `damaged`: it was given wrong bytes; `judged`: the newest position that another
    front end knew which answered it, -1 when none did.
    """

    __slots__ = ("began", "damaged", "disturbed", "done", "judged", "life", "locked", "protocol", "started")

    protocol: Protocol[Any]

    def __init__(self, done: Callable[[Task, Any, BaseException | None], None], locked: bool) -> None:
        self.done, self.locked = done, locked
        self.disturbed = self.damaged = False
        self.life = self.started = self.began = 0
        self.judged = -1


Group = list[tuple[Task, LandRequest]]


class Front:
    """Front end `number`. `skew` is how many milliseconds its clock is off; `drift` how fast it runs.

    `sequenced`: it commits by creating commit points, and makes lines that do.
    """

    def __init__(
        self, world: World, number: int, stopped: bool, sequenced: bool, rnd: Generator, project: str = PROJECT
    ) -> None:
        self.world, self.number, self.sequenced, self.project = world, number, sequenced, project
        self.skew = rnd.choice((0, 0, rnd.randrange(-300, 300), rnd.randrange(-60_000, 60_000)))
        self.drift = rnd.choice((1.0, 1.0, 1.0, 0.0, 0.9, 1.1))
        if stopped:
            self.skew, self.drift = 0, 0.0
        self._latency = Generator(rnd.getrandbits(64))
        self._entropy = Generator(rnd.getrandbits(64))
        self.number_of_effects = 0
        self.life = 0
        self.alive = True
        self._queue: deque[Task] = deque()
        self._running: list[Task] = []
        self._turn: Task | None = None
        self._group: Group | None = None  # waits for its turn
        # Whether requests of its protocols go out side by side, as with a far store.
        self.pipelined = rnd.random() < 0.5
        self._flight: pipeline.Flight | None = None
        self._flying: Group = []  # who is in it
        self.forwarding: Forwarding | None = None  # where front ends know each other
        self.cache_bytes = 8 << 20
        self._forget()

    def _forget(self) -> None:
        self.cache = NodeCache(self.cache_bytes)
        self.line = Line(self.project, self.cache, self.sequenced)
        self.line.far = self.pipelined
        self.remembered: dict[str, Any] = {}  # by protocols that are not the line's

    # ------------------------------------------------------------ tasks

    def submit(self, task: Task, work: Callable[[Front], Protocol[Any]]) -> None:
        """Begin, or wait for the turn. A front end that is down refuses the connection."""
        task.began = self.world.heap.now
        if not self.alive:
            task.disturbed = True
            self.world.heap.after(1000, task.done, task, None, Unavailable("connection refused"))
            return
        task.protocol = self.world.wrap(work(self))
        task.life, task.started = self.life, self.world.committed(self.project)
        self._running.append(task)
        if task.locked and self._turn is not None:
            self._queue.append(task)
            return
        if task.locked:
            self._turn = task
        self._step(task, None, None)

    def land(self, task: Task, wanted: LandRequest) -> None:
        """Land where it is best: here, or at the preferred front end."""
        task.began, task.started = self.world.heap.now, self.world.committed(self.project)
        if self.forwarding is not None and self.alive:
            self.forwarding.land(task, wanted)
        else:
            self.join(task, wanted)

    def join(self, task: Task, wanted: LandRequest) -> None:
        """Land here in turn; who waits for the same turn lands in the same epoch, as in a process that serves many."""
        task.began, task.started = self.world.heap.now, self.world.committed(self.project)
        if self._group is not None and len(self._group) < MAX_LANDINGS:
            self._group.append((task, wanted))
            return
        group = [(task, wanted)]
        if self.alive:
            self._group = group
        self._lead(group)

    def _lead(self, group: Group) -> None:
        """Land a group in its turn; without one, bring what is in flight to its end."""

        def lead(front: Front) -> Protocol[Any]:
            if group and front._group is group:
                front._group = None
            requests = [request for _, request in group]
            if not front.pipelined:
                return pipeline.Step(None, (yield from landing.land_group(front.line, requests)), None)
            flight, front._flight = front._flight, None
            if not (flight or requests):
                return pipeline.Step(None, None, None)
            return (yield from pipeline.step(front.line, flight, requests))

        def done(leader: Task, value: Any, error: BaseException | None) -> None:
            for member, _ in (*self._flying, *group):
                member.disturbed |= leader.disturbed
                member.damaged |= leader.damaged
            if error is not None:
                self._tell(group, [error] * len(group))
                return
            before, self._flying, self._flight = self._flying, [], value.flight
            if value.flight is not None:
                self._flying = group
            self._tell(before, value.before or ())
            self._tell(group, value.given or ())
            if value.flight is not None:
                self._lead([])

        self.submit(Task(done, True), lead)

    def _tell(self, group: Group, outcomes: Sequence[Any]) -> None:
        for (member, _), outcome in zip(group, outcomes, strict=False):
            failed = isinstance(outcome, BaseException)
            member.done(member, None if failed else outcome, outcome if failed else None)

    def _finish(self, task: Task, value: Any, error: BaseException | None) -> None:
        self._running.remove(task)
        # What the answer is judged by is the state now; the turn is given on afterwards.
        task.done(task, value, error)
        if task is self._turn:
            self._turn = self._queue.popleft() if self._queue else None
            if self._turn is not None:
                self._step(self._turn, None, None)

    def crash(self, down: int) -> None:
        """Forget everything, be down for so many microseconds, start cold. Callers lose their connection."""
        lost, self._running, self._turn, self.alive = self._running, [], None, False
        lost += [member for member, _ in self._flying]
        self._flying, self._flight = [], None
        self._queue.clear()
        self._group = None
        self.life += 1
        self.world.note("crash", self.number)
        self.world.crashes += 1
        self._forget()
        if self.forwarding is not None:
            self.forwarding.crashed()
        for task in lost:
            task.disturbed = True
            self.world.heap.after(1000, task.done, task, None, Unavailable("connection reset"))
        self.world.heap.after(down, self._start)

    def _start(self) -> None:
        self.alive = True
        if self.forwarding is not None:
            self.forwarding.start()

    # ------------------------------------------------------------ effects

    def _step(self, task: Task, value: Any, error: BaseException | None) -> None:
        """Give the protocol its answer and perform what it wants next."""
        if task.life != self.life:
            return
        while True:
            try:
                wanted = task.protocol.throw(error) if error is not None else task.protocol.send(value)
            except StopIteration as stop:
                self._finish(task, stop.value, None)
                return
            except MicError as problem:
                self._finish(task, None, problem)
                return
            value = error = None
            kind = type(wanted)
            if kind is tuple:
                self._together(task, cast(tuple[Effect, ...], wanted))
                return
            if kind is not Now and kind is not Random:
                self._request(task, cast(Effect, wanted), partial(self._step, task))
                return
            fault = self._next(cast(Effect, wanted))[1]
            if fault is not None and fault.kind.startswith("crash"):
                self.crash(fault.value % (5 * SECOND))
                return
            value = self._clock() if kind is Now else self._entropy.randbytes(cast(Random, wanted).length)

    def _clock(self) -> int:
        return EPOCH_MS + self.skew + int(self.world.heap.now * self.drift) // 1000

    def _next(self, effect: Effect) -> tuple[float, Fault | None]:
        """How long the next effect takes, in medians, and what befalls it."""
        number = self.number_of_effects
        self.number_of_effects = number + 1
        drawn = self._latency.random()
        slow = 8.0 if drawn > 0.995 else 1.0  # a tail, as every store has one
        return (0.6 + 0.8 * drawn) * slow, self.world.faults.at(self.number, number, effect)

    def _together(self, task: Task, effects: tuple[Effect, ...]) -> None:
        """All at once; the answer comes when all are there, and is the first error if there is one."""
        answers: list[Any] = [None] * len(effects)
        errors: list[BaseException | None] = [None] * len(effects)
        left = [len(effects)]

        def answer(at: int, value: Any, error: BaseException | None) -> None:
            if isinstance(effects[at], Attempt) and isinstance(error, MicError):
                value, error = error, None
            answers[at], errors[at] = value, error
            left[0] -= 1
            if not left[0]:
                self._step(task, answers, next((e for e in errors if e is not None), None))

        life = self.life
        for at, effect in enumerate(effects):
            if self.life == life:
                wanted = effect.effect if isinstance(effect, Attempt) else effect
                self._request(task, wanted, partial(answer, at))

    def _request(self, task: Task, effect: Effect, deliver: Callable[[Any, BaseException | None], None]) -> None:
        world = self.world
        medians, fault = self._next(effect)
        heap = world.heap
        if isinstance(effect, Sleep):
            if fault is not None and fault.kind.startswith("crash"):
                self.crash(fault.value % (5 * SECOND))
            else:
                heap.after(int(effect.seconds * SECOND), deliver, None, None)
            return
        if isinstance(effect, Forward):
            assert self.forwarding is not None
            if fault is not None:
                world.note(f"fault {fault.kind}", self.number)
            self.forwarding.call(task, effect, fault, deliver)
            return
        latency = int(world.profile.latency * medians * world.slowness(self.number))
        cut = world.partition(self.number)
        if cut is not None:
            task.disturbed = True
            if cut.applied and not isinstance(effect, (*READS, List)):
                heap.after(latency // 2, self._apply, effect, _ignored)
            heap.after(TIMEOUT, deliver, None, Unavailable("no answer from the store"))
            return
        if fault is not None:
            self._disturb(task, effect, fault, latency, deliver)
            return
        heap.after(latency // 2, self._apply, effect, lambda v, e: heap.after(latency - latency // 2, deliver, v, e))
        return

    def _apply(self, effect: Effect, deliver: Callable[[Any, BaseException | None], None]) -> None:
        """The request reaches the store."""
        world = self.world
        if world.paced(effect):
            world.note("429", self.number)
            for task in self._running:
                task.disturbed = True
            deliver(None, Unavailable("429 Too Many Requests"))
            return
        if world.unknown(effect):
            world.note("501", self.number)
            deliver(None, Unavailable("501 Not Implemented", status=501))
            return
        world.swaps += isinstance(effect, PutIf)
        what = f"{type(effect).__name__} {effect[0]}"  # type: ignore[misc]  # the clock and randomness never come here
        try:
            value = world.bucket.apply(effect)
        except MicError as error:
            world.lost += isinstance(effect, PutIf)
            world.note(f"{what} {error.code}", self.number)
            deliver(None, error)
        else:
            world.note(what, self.number)
            deliver(value, None)

    def _disturb(
        self,
        task: Task,
        effect: Effect,
        fault: Fault,
        latency: int,
        deliver: Callable[[Any, BaseException | None], None],
    ) -> None:
        """A request that something befalls. In all kinds but the last ones the protocol is told of an error."""
        heap, kind, value = self.world.heap, fault.kind, fault.value
        self.world.note(f"fault {kind}", self.number)
        task.disturbed = True
        half = latency // 2

        def answer(result: Any, error: BaseException | None) -> None:
            heap.after(half, deliver, result, error)

        match kind:
            case "before" | "busy":
                heap.after(latency, deliver, None, Unavailable(f"503 ({kind})"))
            case "full":
                heap.after(latency, deliver, None, StorageFull("no space left"))
            case "conflict":
                refused = self.world.bucket.rules.conflict_on_create if isinstance(effect, PutNew) else Unavailable
                heap.after(latency, deliver, None, refused("409 ConditionalRequestConflict"))
            case "after":
                heap.after(half, self._apply, effect, lambda v, e: answer(None, Unavailable("500 after the fact")))
            case "late":
                heap.after(TIMEOUT, deliver, None, Unavailable("no answer from the store"))
                heap.after(TIMEOUT + value % (20 * SECOND), self._apply, effect, _ignored)
            case "again":
                heap.after(half, self._apply, effect, answer)
                heap.after(half + value % (20 * SECOND), self._apply, effect, _ignored)
            case "retried":
                heap.after(half, self._apply, effect, lambda v, e: heap.after(half, self._apply, effect, answer))
            case "short" | "rot":
                heap.after(half, self._apply, effect, lambda v, e: answer(damage(task, effect, fault, v), e))
            case "pause":
                heap.after(half, self._apply, effect, lambda v, e: heap.after(value % (60 * SECOND), deliver, v, e))
            case "crash_before":
                self.crash(value % (5 * SECOND))
            case "crash_after":
                heap.after(half, self._apply, effect, _ignored)
                self.crash(value % (5 * SECOND))
            case _:
                raise AssertionError(kind)


def _ignored(value: Any, error: BaseException | None) -> None:
    """Nobody waits for this answer any more."""


def damage(task: Task, effect: Effect, fault: Fault, value: Any) -> Any:
    """The bytes of a read, cut short or with one bit turned; what is no bytes stays as it is."""
    assert isinstance(effect, READS)
    raw = value if isinstance(value, bytes) else value.data if value is not None else b""
    if not raw:
        return value
    task.damaged = True
    if fault.kind == "short":
        raw = raw[: fault.value % len(raw)]
    else:
        bit = fault.value % (len(raw) * 8)
        turned = raw[bit >> 3] ^ (1 << (bit & 7))
        raw = raw[: bit >> 3] + bytes((turned,)) + raw[(bit >> 3) + 1 :]
    return raw if isinstance(value, bytes) else value._replace(data=raw)
