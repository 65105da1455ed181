"""Compaction under every fault: who asks for it, and what it must never change.

The bucket is judged when a compacted run appears in it, by a reader who has never seen the project, and at the end
by the lines of all front ends as they are, with whatever runs they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.errors import MicError
from mic.core.indexrun import IndexRun, parse_run_name
from mic.ledger import compact, follow, runs
from mic.ledger.effects import Now, Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.small import read_small
from mic.ledger.tombstones import bury
from mic.sim.actors import Ask, Plan, Steps, idle
from mic.sim.bucket import Bucket
from mic.sim.direct import drive
from mic.sim.front import Front, StartedAnew
from mic.sim.oracle import Oracle, Violation

_FORMS = {stored.DELTA: "delta", stored.GROUP: "group"}


class _Made(NamedTuple):
    """What compaction wrote in one life of a front end, and the name of the run that it stands for."""

    life: int
    run: IndexRun
    old: str


def compactor(plan: Plan, count: int, most: float, rnd: Random) -> Steps:
    """Compacts what is due, now here, now there, while others land and read; `most` seconds between two times."""
    for _ in range(count):
        yield idle(rnd, most * 3)
        number = rnd.randrange(plan.fronts)
        made, error = yield Ask(
            number,
            _compact,
            lambda front, task, value, error: plan.oracle.done(
                "compacted" if value else "uncompacted", front, task, error
            ),
            locked=False,
        )
        if error is None and made is not None:
            yield Ask(
                number,
                partial(_adopt, made=made),
                lambda front, task, value, error: plan.oracle.done("took compacted run", front, task, error),
            )


def _compact(front: Front) -> Protocol[_Made | None]:
    """As a front end does it: by a view of its own, and not in turn with landings."""
    life, view = front.life, Line(front.line.project, front.cache)
    yield from follow.refresh(view)
    run = compact.due_for_compaction(view)
    return None if run is None else _Made(life, (yield from compact.compact(view, run)), run.name)


def _adopt(front: Front, made: _Made) -> Protocol[None]:
    if front.life != made.life:
        raise StartedAnew
    yield Now()  # a crash may come here as anywhere
    runs.adopt(front.line, made.run, [old for old in front.line.objects.runs if old.name == made.old])


def is_compacted(key: str) -> bool:
    """Whether a key is that of a run that compaction wrote, or that was merged of such."""
    name = parse_run_name(key.rsplit("/", 1)[1])
    return name is not None and name.generation > 0


def check_contents(bucket: Bucket, oracle: Oracle) -> None:
    """Who opens the project now reads every content that ever landed, byte for byte; raises Violation."""
    if oracle.head is None or oracle.lost is not None:
        return
    line = Line(oracle.project, NodeCache(1 << 20))
    try:
        drive(bucket, follow.refresh(line))
    except MicError as error:
        raise Violation(f"project {oracle.project} cannot be opened: {error}") from error
    if line.faults:
        raise Violation(f"a compacted run is not sound: {line.faults[0]}")
    _check_line(bucket, oracle, line, "a new reader")
    for object_hash in oracle.contents(oracle.head.position):
        place = line.objects.find(object_hash)
        if place is not None and place.kind in _FORMS:
            oracle.count(f"content in a {_FORMS[place.kind]}")


def check_fronts(bucket: Bucket, oracle: Oracle, fronts: Sequence[Front]) -> None:
    """Every front end reads every content that landed up to where it has looked; raises Violation."""
    for front in fronts:
        if front.line.head is not None and oracle.torn(0):
            drive(bucket, follow.refresh(front.line))  # an origin is gone, as who looks at the head knows
        if oracle.purges is not None and front.line.head is not None:
            drive(bucket, bury(front.line))  # as a front end does that finds damage
        _check_line(bucket, oracle, front.line, f"front end {front.number}")


def _check_line(bucket: Bucket, oracle: Oracle, line: Line, who: str) -> None:
    if line.head is None:
        return
    wanted = oracle.contents(line.head.position)
    try:
        found = drive(bucket, read_small(line.objects, wanted))
    except MicError as error:
        raise Violation(f"{who} cannot read what landed: {error}") from error
    for object_hash, data in wanted.items():
        if found[object_hash] != data:
            raise Violation(f"{who} reads other bytes for {object_hash.hex()}")
