"""Front ends that know each other: beacons, calls over a network that loses things, and landings that are forwarded.

Who is alive, who is preferred, which way a landing takes, what is forwarded together and how it is written down: all of
that is production code. Here are the network, and whoever waits for a step.

What is forwarded carries no seal: a call that arrives twice is landed twice, which a nonce would prevent, and must not
matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from mic.core.errors import MicError, Unavailable
from mic.core.session import Session
from mic.ledger import route
from mic.ledger.effects import Forward
from mic.ledger.follow import refresh
from mic.ledger.forward import forward, note
from mic.ledger.forwarded import decode_landings, decode_outcomes, encode_landings, encode_outcomes
from mic.ledger.front_ends import PAUSE, FrontEnds
from mic.ledger.outbound import Queue
from mic.ledger.request import LandRequest, check_lists
from mic.sim.faults import Fault
from mic.sim.front import Front, Task
from mic.sim.heap import SECOND
from mic.sim.oracle import Oracle, Violation

if TYPE_CHECKING:
    from mic.sim.world import World

# How long a front end waits for another one's answer, as the forge does.
PATIENCE = 5 * SECOND
# One way between two front ends.
HOP = 1_000
# After so long without faults all know who is there: a beat that stood still for a minute goes on, another one follows.
AGREED = 80 * SECOND

Deliver = Callable[[Any, BaseException | None], None]


class Network:
    """Who is reached at which address."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self.world, self.oracle = world, oracle
        self._at: dict[str, Forwarding] = {}

    def join(self, front: Front, calls: int, rnd: Random) -> None:
        """A front end takes part from now on, with so many calls under way at most."""
        address = f"10.0.0.{front.number + 1}:4001"
        front.forwarding = self._at[address] = Forwarding(front, self, address, calls, rnd)
        front.forwarding.start()

    def call(self, caller: Forwarding, task: Task, effect: Forward, fault: Fault | None, deliver: Deliver) -> None:
        """Ask another front end. `deliver` has its outcomes, or Unavailable."""
        heap, kind, value = self.world.heap, fault.kind if fault else "", fault.value if fault else 0
        raw = encode_landings(effect.project, effect.address, effect.requests)
        waiting = [True]

        def tell(outcomes: Any, error: BaseException | None) -> None:
            if waiting[0]:
                waiting[0] = False
                deliver(outcomes, error)

        def refuse() -> None:
            tell(None, Unavailable("the front end hung up"))

        def arrived(answer: bytes, judged: int) -> None:
            if waiting[0]:
                task.judged = judged
            tell(decode_outcomes(answer), None)

        def answered(receiver: Forwarding, answer: bytes | None, judged: int) -> None:
            if kind == "unanswered" or self._apart(caller) or self._apart(receiver):
                return
            late = HOP + (value % (2 * PATIENCE) if kind == "tardy" else 0)
            if answer is None:
                heap.after(late, refuse)
            else:
                heap.after(late, arrived, answer, judged)

        def arrive() -> None:
            receiver = self._at.get(effect.address)
            if receiver is None or not receiver.front.alive:
                heap.after(HOP, refuse)
            elif not self._apart(receiver):
                self.world.note(f"call of {len(raw)} bytes", receiver.front.number)
                receiver.take(raw, answered)

        heap.after(PATIENCE, tell, None, Unavailable("the front end gives no answer"))
        if kind == "crash_before":
            caller.front.crash(value % (5 * SECOND))
        elif kind == "before":
            heap.after(HOP, refuse)
        elif kind != "unheard" and not self._apart(caller):
            heap.after(HOP, arrive)
            if kind == "twice":
                heap.after(HOP + value % (20 * SECOND), arrive)
            if kind == "crash_after":
                caller.front.crash(value % (5 * SECOND))

    def _apart(self, one: Forwarding) -> bool:
        return self.world.apart(one.front.number)

    def check_agreed(self) -> None:
        """Each front end whose clock runs takes the same one for preferred; after AGREED of calm. Raises Violation."""
        said = {each.prefers() for each in self._at.values() if each.front.drift}
        if len(said) > 1:
            raise Violation(f"the front ends have had {AGREED // SECOND} s of calm and prefer {sorted(said)}")


class _Landing:
    """A way that is being taken: of a landing, or of those that came with one call."""

    def __init__(self, task: Task, steps: route.Route[Any]) -> None:
        self.task, self.steps = task, steps
        self.request: LandRequest  # what is to go elsewhere


class Forwarding:
    """What a front end knows of others, and the landings that are on their way through it."""

    def __init__(self, front: Front, network: Network, address: str, calls: int, rnd: Random) -> None:
        self.front, self.network, self.address, self.calls, self._rnd = front, network, address, calls, rnd
        self._open: dict[_Landing, None] = {}
        self._taken: dict[int, Session] = {}  # sessions that others have forwarded, by identity
        self._forget()

    def _forget(self) -> None:
        self.front_ends = FrontEnds(self._rnd.randbytes(16), self.address)
        self.front.line.lander = self.front_ends.lander
        self._queue: Queue[_Landing] = Queue(self.calls)

    def start(self) -> None:
        """The front end is up, under a new name."""
        self._forget()
        self._beat(self.front.life)

    def _beat(self, life: int) -> None:
        def done(task: Task, value: Any, error: BaseException | None) -> None:
            if error is not None:
                self.network.oracle.done("beat", self.front, task, error)
            pause = int(PAUSE * SECOND * self._rnd.uniform(1.0, 1.05))
            self.front.world.heap.after(pause, self._beat, life)

        if life == self.front.life:
            self.front.submit(Task(done, False), lambda front: self.front_ends.beat())

    def prefers(self) -> str:
        """The address of the front end that lands the project while nobody is faster, as this one sees it."""
        peer = self.front_ends.favourite(self.front.project)
        return self.address if peer is None else peer.address

    def crashed(self) -> None:
        """Whoever waits for a landing loses the connection."""
        lost, self._open = self._open, {}
        self._taken.clear()
        for landing in lost:
            landing.task.disturbed = True
            self.front.world.heap.after(1000, landing.task.done, landing.task, None, Unavailable("connection reset"))

    # ------------------------------------------------------------ the way of a landing

    def land(self, task: Task, wanted: LandRequest) -> None:
        """A client lands here."""

        def done(inner: Task, value: Any, error: BaseException | None) -> None:
            if isinstance(value, MicError):
                value, error = None, value
            task.disturbed, task.damaged, task.judged = inner.disturbed, inner.damaged, inner.judged
            task.done(task, value, error)

        self._begin(Task(done, False), route.route(wanted))

    def take(self, raw: bytes, answered: Callable[[Forwarding, bytes | None, int], None]) -> None:
        """Another front end calls. `answered` has its answer, and the position up to which it was judged."""
        came = decode_landings(raw)
        if came.receiver != self.address or came.project != self.front.project:
            raise Violation(f"{self.address} was sent landings of {came.project} for {came.receiver}")
        self._taken.update({id(request.session): request.session for request in came.requests})

        def done(task: Task, value: Any, error: BaseException | None) -> None:
            for request in came.requests:
                self._taken.pop(id(request.session), None)
            head = self.front.line.head
            # Whose connection is lost learns it at once, or waits in vain.
            if error is None:
                answered(self, encode_outcomes(value), head.position if head else 0)
            elif self._rnd.random() < 0.5:
                answered(self, None, 0)

        self._begin(Task(done, False), route.take(came.requests))

    def _begin(self, task: Task, steps: route.Route[Any]) -> None:
        landing = _Landing(task, steps)
        self._open[landing] = None
        self._go(landing, None, None)

    def _go(self, landing: _Landing, value: Any, error: BaseException | None) -> None:
        """Take the next step. Nothing when the front end has forgotten of it."""
        if landing not in self._open:
            return
        try:
            wanted = landing.steps.throw(error) if error is not None else landing.steps.send(value)
        except StopIteration as stop:
            del self._open[landing]
            landing.task.done(landing.task, stop.value, None)
        except MicError as problem:
            del self._open[landing]
            landing.task.done(landing.task, None, problem)
        else:
            self._take_step(landing, wanted)

    def _take_step(self, landing: _Landing, wanted: route.Step) -> None:
        front = self.front
        match wanted:
            case route.Lists(request):
                if request.packs:
                    front.submit(self._part(landing, lambda value: self._lists(landing, request)), _look_at_head)
                else:
                    self._go(landing, request, None)
            case route.Look() if self.front_ends.knows_winner(front.project):
                self._go(landing, None, None)
            case route.Look():
                front.submit(
                    Task(lambda task, value, error: self._go(landing, None, None), False),
                    lambda front: self.front_ends.look(),
                )
            case route.Here(requests):
                landing.task.judged = -1
                self._here(landing, requests)
            case route.Elsewhere(request):
                if self.front_ends.preferred(front.project) is None:
                    self._go(landing, None, None)
                    return
                landing.request = request
                self._call(self._queue.add(landing))

    def _part(self, landing: _Landing, then: Callable[[Any], None]) -> Task:
        """Work in turn for a landing; an error of it is the landing's."""

        def done(task: Task, value: Any, error: BaseException | None) -> None:
            _inherit(landing.task, task)
            if error is not None:
                self._go(landing, None, error)
            elif landing in self._open:
                then(value)

        return Task(done, True)

    def _lists(self, landing: _Landing, request: LandRequest) -> None:
        part = self._part(landing, lambda places: self._go(landing, request._replace(uploaded=places), None))
        part.locked = False
        self.front.submit(part, lambda front: check_lists(front.line, request.packs))

    def _here(self, landing: _Landing, requests: Sequence[LandRequest]) -> None:
        outcomes: list[Any] = [None] * len(requests)
        left = [len(requests)]

        def done(at: int, task: Task, value: Any, error: BaseException | None) -> None:
            _inherit(landing.task, task)
            outcomes[at] = value if error is None else error
            left[0] -= 1
            if not left[0]:
                note(self.front_ends, self.front.project, self.front_ends.front_end, outcomes)
                self._go(landing, outcomes, None)

        for at, request in enumerate(requests):
            self.front.join(
                Task(lambda task, value, error, at=at: done(at, task, value, error), True),  # type: ignore[misc]
                request,
            )

    def _call(self, group: Sequence[_Landing]) -> None:
        if not group:
            return

        def done(task: Task, value: Any, error: BaseException | None) -> None:
            if task.life != self.front.life:
                return
            assert error is None, error
            self._call(self._queue.ended())
            for landing, outcome in zip(group, value, strict=True):
                landing.task.judged = task.judged
                self.network.oracle.count("forwarded" if outcome is not None else "forwarded in vain")
                self._go(landing, outcome, None)

        requests = [landing.request for landing in group]
        self.front.submit(Task(done, False), lambda front: forward(self.front_ends, self.front.project, requests))

    def call(self, task: Task, effect: Forward, fault: Fault | None, deliver: Deliver) -> None:
        """The effect of a landing that goes elsewhere."""
        if any(id(request.session) in self._taken for request in effect.requests):
            raise Violation(f"{self.address} forwards to {effect.address} what was forwarded to it")
        self.network.call(self, task, effect, fault, deliver)


def _inherit(outer: Task, inner: Task) -> None:
    outer.disturbed |= inner.disturbed
    outer.damaged |= inner.damaged


def _look_at_head(front: Front) -> Any:
    return refresh(front.line)
