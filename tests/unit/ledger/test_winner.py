"""Who lands a project, as the log tells it, and what a group does that has lost to it."""

from __future__ import annotations

from typing import NamedTuple

from ledgers import land, request, traced
from mic.core.epoch import NOBODY
from mic.ledger.effects import Effect, PutIf
from mic.ledger.front_ends import FrontEnds
from mic.ledger.land import Landed, Overtaken, try_group
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.store import MemoryStore


class _Epoch(NamedTuple):
    lander: bytes


def _winner(landers: bytes) -> bytes:
    line = Line("p", NodeCache())
    line.tail = [_Epoch(bytes([each]) * 8) for each in landers]  # type: ignore[misc]
    return line.winner[:1]


def test_most_of_the_newest_eight_and_of_several_the_last() -> None:
    assert _winner(b"") == NOBODY[:1]
    assert _winner(b"a") == b"a"
    assert _winner(b"aaaab") == b"a"
    assert _winner(b"aabb") == b"b"
    assert _winner(b"abab") == b"b"
    assert _winner(b"baba") == b"a"
    assert _winner(b"aaaaaaaabbbbb") == b"b"
    assert _winner(b"aaaaaaaabbb") == b"a"


def test_one_swap_lost_to_who_lands_is_enough_and_the_one_who_lands_stays() -> None:
    """The one hands over, and says to whom; the other lands at the next attempt."""
    store = MemoryStore()
    here, driver = traced(store)
    other, _ = traced(store)
    here.create()
    for project, name in ((here, b"h"), (other, b"o")):
        project.driver.front_ends = FrontEnds(name * 16, f"10.0.0.{name[0]}:1")
    here.line.lander = b"h" * 8
    count = [10]

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            driver.before = lambda effect: None
            count[0] += 1
            land(other, count[0], 0, {b"n%d" % count[0]: b"x"})

    land(other, 1, 0, {b"a": b"one"})
    here.head()
    driver.before = overtake
    (told,) = here.run(try_group(here.line, [request(here, 2, 0, {b"b": b"two"})._replace(may_move=True)], 64))
    assert isinstance(told, Overtaken)
    assert (told.winner, told.position) == (b"o" * 8, 2)
    for number in range(3, 7):
        assert land(here, number, 0, {b"c%d" % number: b"x"}).position == number
    driver.before = overtake
    (told,) = here.run(try_group(here.line, [request(here, 7, 0, {b"d": b"x"})._replace(may_move=True)], 64))
    assert isinstance(told, Landed)
    assert told.position == 8
