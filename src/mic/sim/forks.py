"""Forks and the deletion of what they were forked from: who asks for it. `projects` judges.

A fork has front ends of its own, whose actors are those of any project; they begin when it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from typing import Any

from mic.core.errors import Corrupt, NotFound
from mic.core.head import Head
from mic.ledger import fork as forking
from mic.ledger.effects import Protocol, Put
from mic.ledger.line import Line
from mic.sim import actors, checking, compaction, rollups
from mic.sim.actors import Actor, Ask, Plan, Spawn, Steps, Through, Wait, idle
from mic.sim.front import Front, Task
from mic.sim.heap import SECOND
from mic.sim.oracle import Oracle, Violation
from mic.sim.scenario import Fork, Scenario

# Between letting forks go and erasing their origin: who began to read before may still be reading.
GRACE = 90 * SECOND


def shifted(actor: Actor, by: int) -> Actor:
    """The same actor with front ends of other numbers."""
    answer: Any = None
    while True:
        try:
            wanted = actor.send(answer)
        except StopIteration:
            return
        if isinstance(wanted, (Ask, Through)):
            wanted = wanted._replace(front=wanted.front + by)
        elif isinstance(wanted, Spawn):
            wanted = Spawn(shifted(wanted.actor, by))
        answer = yield wanted


def forker(oracle: Oracle, fronts: int, begin: float, rnd: Random) -> Steps:
    """Forks the origin of a project after so many seconds, again until it is there or cannot come to be."""
    origin = oracle.origin
    assert origin is not None
    yield Wait(int(begin * SECOND))
    # Sometimes once more: what was forked already stays as it is, whatever became of its origin.
    for again in range(rnd.choice((1, 1, 2))):
        if again:
            yield idle(rnd, 30)
        while origin.head is None:
            if not origin.expected:
                return
            yield Wait(SECOND)
        while True:
            if oracle.asked is None:
                oracle.asked = origin.model.head
            _, error = yield Ask(
                rnd.randrange(fronts),
                partial(_fork, oracle=oracle),
                partial(_check_fork, oracle),
                locked=False,
            )
            if error is None or (isinstance(error, NotFound) and origin.condemned) or origin.gone or oracle.gone:
                break
            yield idle(rnd, 3)


def _fork(front: Front, oracle: Oracle) -> Protocol[Head]:
    assert oracle.origin is not None
    origin = Line(oracle.origin.project, front.cache)
    return forking.fork(origin, Line(oracle.project, front.cache, front.sequenced))


def _check_fork(oracle: Oracle, front: Front, task: Task, value: Head | None, error: BaseException | None) -> None:
    origin = oracle.origin
    assert origin is not None
    if error is None:
        oracle.count("forked")
        if value != oracle.born and not oracle.gone:
            raise Violation(f"the fork is told to begin at {value}; it began at {oracle.born}")
    elif isinstance(error, NotFound) and origin.condemned:
        oracle.count("fork refused")
    else:
        origin.done("forked", front, task, error)


def inhabitants(oracle: Oracle, plan: Plan, scenario: Scenario, fork: Fork, rnd: Random) -> Iterator[tuple[str, Actor]]:
    """Everybody who uses a fork, by name."""
    for number, count in enumerate(fork.clients):
        # The sessions of the origin's clients again, or sessions that only the fork has.
        known = number if fork.same_sessions else number + 100
        client = actors.Client(plan, known, count, 0.0, scenario.pause, Random(rnd.getrandbits(64)))
        yield f"{oracle.project} client {number}", client.run()
    yield (
        f"{oracle.project} reader 0",
        actors.reader(plan, 4, scenario.pause, Random(rnd.getrandbits(64))),
    )
    yield f"{oracle.project} keeper 0", actors.keeper(plan, 4, scenario.pause, Random(rnd.getrandbits(64)))
    yield (
        f"{oracle.project} compactor 0",
        compaction.compactor(plan, 2, scenario.pause, Random(rnd.getrandbits(64))),
    )
    if scenario.rollers:
        for name, actor in (("roller 0", rollups.roller), ("historian 0", rollups.historian)):
            yield (
                f"{oracle.project} {name}",
                actor(plan, 3, scenario.pause, Random(f"{oracle.project} {name} {scenario.seed}")),
            )
    if fork.checked:
        yield f"{oracle.project} checker 0", checking.checker(plan, 2, scenario.pause, Random(rnd.getrandbits(64)))


def when_born(oracle: Oracle, people: Iterable[Actor]) -> Steps:
    """Lets them begin when there is a fork; never, when it cannot come to be any more."""
    while oracle.head is None:
        if not oracle.expected:
            return
        yield Wait(SECOND // 2)
    for actor in people:
        yield Spawn(actor)


def eraser(oracle: Oracle, fronts: int, begin: int, settled: Callable[[], bool], rnd: Random) -> Steps:
    """Deletes a project `begin` microseconds after the start, as the forge's job does, until it is gone."""
    yield Wait(begin)
    while oracle.expected or not settled():
        if oracle.head is None and not oracle.expected:
            return
        yield Wait(SECOND)
    while oracle.head is not None:
        removed, error = yield Ask(
            rnd.randrange(fronts), partial(_erase, project=oracle.project), partial(_check_erased, oracle), locked=False
        )
        if error is None and removed is not None:
            return
        # After a failure too: it may have let some forks go before.
        yield Wait(GRACE)


def _erase(front: Front, project: str) -> Protocol[int | None]:
    """How many objects there were; None when forks were let go just now, and it is too early to erase."""
    yield Put(forking.deleted_key(project), b"")
    copied = 0
    for name in (yield from forking.forks(Line(project, front.cache))):
        copied += yield from forking.release(Line(project, front.cache), Line(name, front.cache))
    return None if copied else (yield from forking.erase(Line(project, front.cache)))


def _check_erased(oracle: Oracle, front: Front, task: Task, value: int | None, error: BaseException | None) -> None:
    if error is None:
        oracle.count("released forks" if value is None else "erased")
        if value is not None and not oracle.gone:
            raise Violation(f"{oracle.project} is said to be erased, and has a head")
    elif not (isinstance(error, (Corrupt, NotFound)) and any(fork.gone for fork in oracle.forks)):
        oracle.done("erased", front, task, error)
