"""Landing group after group: while one group's swap is under way, the next group's epoch is written.

A step judges the group that waits on the epoch before it, which is written but named by no head yet, and then asks for
both at once: the swap for that epoch, and the writing of the new one. So a store that takes 60 ms for a write
gives a swap every 60 ms and not every 120. When the swap is lost, what was built on it is nothing; both groups
land again, one after the other.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple, cast

from mic.core.errors import MicError
from mic.ledger.batch import Batch
from mic.ledger.effects import Protocol
from mic.ledger.follow import refresh
from mic.ledger.land import Group, Outcome, land_group, trusted
from mic.ledger.line import Line
from mic.ledger.request import LandRequest
from mic.ledger.together import side_by_side


class Flight(NamedTuple):
    """A group whose epoch is written and whose swap is to come."""

    group: Group
    batch: Batch


class Step(NamedTuple):
    """What a step has settled: the outcomes of the group before, those of the group given; None for what flies on."""

    before: list[Outcome] | None
    given: list[Outcome] | None
    flight: Flight | None


def step(line: Line, flight: Flight | None, requests: Sequence[LandRequest]) -> Protocol[Step]:
    """Swap the head for the group before, if there is one, and write the epoch of `requests`, if there are any.

    Never raises a MicError: what concerns a whole group is the outcome of each of its members.
    """
    if not requests:
        assert flight is not None
        return Step((yield from _arrive(line, flight)), None, None)
    group = Group(line, requests)
    try:
        batch, sure = yield from _build(line, group, flight)
    except MicError as error:
        before = None if flight is None else (yield from _arrive(line, flight))
        return Step(before, _all(error, len(requests)), None)
    if flight is None:
        return (yield from _first(line, group, batch, sure))
    if not batch.position:
        won = yield from _settle(flight.batch)
        before = yield from _landed(line, flight, won)
        # A swap that was won shows that the head before it was the newest, as a look at it would have.
        return Step(before, (yield from _rest(line, group, won is True)), None)
    won, written = yield from side_by_side(flight.batch.take(), batch.write())
    before = yield from _landed(line, flight, won)
    if won is True and not isinstance(written, MicError):
        return Step(before, None, Flight(group, batch))
    return Step(before, (yield from _again(line, requests)), None)


def _build(line: Line, group: Group, flight: Flight | None) -> Protocol[tuple[Batch, bool]]:
    """The next epoch, not written yet, and whether the head was read for it."""
    if flight is not None:
        yield from group.prepare(sure=False, others=flight.batch.paths)
        return (yield from group.fill(flight.batch.new, flight.batch)), False
    head = trusted(line)
    sure = head is None
    if head is None:
        head = yield from refresh(line)
    yield from group.prepare(sure)
    return (yield from group.fill(head)), sure


def _first(line: Line, group: Group, batch: Batch, sure: bool) -> Protocol[Step]:
    """Nothing is under way: write the epoch, or answer when there is none."""
    if not batch.position:
        return Step(None, (yield from _rest(line, group, sure)), None)
    try:
        yield from batch.write()
    except MicError as error:
        return Step(None, _all(error, len(group.requests)), None)
    return Step(None, None, Flight(group, batch))


def _arrive(line: Line, flight: Flight) -> Protocol[list[Outcome]]:
    won = yield from _settle(flight.batch)
    return (yield from _landed(line, flight, won))


def _settle(batch: Batch) -> Protocol[bool | MicError]:
    try:
        return (yield from batch.take())
    except MicError as error:
        return error


def _landed(line: Line, flight: Flight, won: bool | MicError) -> Protocol[list[Outcome]]:
    """The outcomes of a group after its swap; who was not in the epoch, or in one that lost, lands now."""
    if isinstance(won, MicError):
        answers = flight.group.answers()
        errors = _all(won, len(answers))
        return [errors[at] if answer is None else answer for at, answer in enumerate(answers)]
    return (yield from _rest(line, flight.group, won))


def _rest(line: Line, group: Group, counts: bool) -> Protocol[list[Outcome]]:
    """Outcomes of all: what was found, if it counts, and of the others what landing them anew gives."""
    if counts:
        group.settle()
    answers = group.answers()
    left = [at for at, answer in enumerate(answers) if answer is None]
    if left:
        for at, outcome in zip(left, (yield from _again(line, [group.requests[at] for at in left])), strict=True):
            answers[at] = outcome
    return cast(list[Outcome], answers)


def _again(line: Line, requests: Sequence[LandRequest]) -> Protocol[list[Outcome]]:
    try:
        return (yield from land_group(line, requests))
    except MicError as error:
        return _all(error, len(requests))


def _all(error: MicError, count: int) -> list[Outcome]:
    """The error for each of them, in an object of its own: whoever raises it adds to its traceback."""
    return [copy.copy(error) for _ in range(count)]
