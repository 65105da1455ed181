"""Erasures beside landings, compactions and other erasures, effect by effect in any order, killed anywhere.

Each front end has a line of its own and does one thing at a time; which of them takes its next effect is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from ledgers import NOON, request, traced
from mic.core.errors import Corrupt, Erased, MicError
from mic.core.ids import content_hash
from mic.core.tombstone import Reason
from mic.ledger.compact import compact, due_for_compaction
from mic.ledger.driver import Driver
from mic.ledger.effects import Now, Protocol, Random, Sleep
from mic.ledger.erase import erase, sweep
from mic.ledger.follow import refresh
from mic.ledger.land import Landed, land_group
from mic.ledger.ledger import Ledger
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.seal import due, seal
from mic.ledger.small import read_small
from mic.ledger.tombstones import bury
from mic.ledger.verify import Verifier
from mic.sim.limits import small_limits
from mic.store import MemoryStore

LANDINGS = 13
_LINES = random.Random(5)
BASE = b"".join(b"%032x\n" % _LINES.getrandbits(128) for _ in range(60))
BEGUN = 30  # things that are done in a story


class _World(Driver):
    """A clock that goes on a millisecond an effect, and randomness that is drawn."""

    def __init__(self, store: MemoryStore, dice: random.Random) -> None:
        super().__init__(store)
        self.dice, self.now = dice, NOON

    def _one(self, effect: Any) -> Any:
        self.now += 1
        if isinstance(effect, Now):
            return self.now
        if isinstance(effect, Sleep):
            return None
        if isinstance(effect, Random):
            return self.dice.randbytes(effect.length)
        return super()._one(effect)


class _Doing:
    """A protocol under way. What is wrong with it is its outcome."""

    def __init__(self, protocol: Protocol[Any], done: Callable[[Any, MicError | None], None]) -> None:
        self._protocol, self._done = protocol, done
        self._next: Callable[[], Any] = lambda: next(protocol)
        self.over = False

    def step(self, world: _World) -> None:
        try:
            wanted = self._next()
        except StopIteration as stop:
            self.over = True
            return self._done(stop.value, None)
        except MicError as error:
            self.over = True
            return self._done(None, error)
        try:
            answer = world._perform(wanted)
        except MicError as error:
            thrown = error
            self._next = lambda: self._protocol.throw(thrown)
        else:
            self._next = lambda: self._protocol.send(answer)
        return None


def _compacts(line: Line) -> Protocol[None]:
    yield from refresh(line)
    if due(line):
        yield from seal(line)
    fresh = Line(line.project, NodeCache(1 << 20))
    yield from refresh(fresh)
    if (run := due_for_compaction(fresh)) is not None:
        yield from compact(fresh, run)


def _story(seed: int) -> dict[str, int]:
    dice = random.Random(seed)
    store = MemoryStore()
    world, texts = _World(store, dice), [BASE + b"edit %d\n" % number for number in range(40)]
    maker, _ = traced(store)
    maker.create()
    for number in range(LANDINGS):
        maker.land(request(maker, number + 1, number, {b"f": texts[number], b"g%d" % number: texts[number][:900]}))
    lines = [Line("p", NodeCache(1 << 20)) for _ in range(3)]
    for line in lines:
        world.run(refresh(line))
    asked: list[bytes] = []
    seen = {"landed": 0, "refused": 0, "killed": 0, "compacted": 0}
    living = {content_hash(text): text for text in texts[:LANDINGS]}
    known, number = dict(living), 100

    def landed(text: bytes) -> Callable[[Any, MicError | None], None]:
        def done(outcomes: Any, error: MicError | None) -> None:
            assert error is None, error
            if isinstance(outcomes[0], Landed):
                seen["landed"] += 1
                living[content_hash(text)] = text
            else:
                assert isinstance(outcomes[0], Erased), outcomes[0]
                seen["refused"] += 1

        return done

    def compacted(_: Any, error: MicError | None) -> None:
        assert error is None or error.code == "busy", error
        seen["compacted"] += error is None

    def erased(_: Any, error: MicError | None) -> None:
        assert error is None or error.code in ("busy", "not_found"), error

    busy: dict[int, _Doing] = {}
    begun = 0
    while begun < BEGUN or busy:
        who = dice.randrange(5)
        if who not in busy:
            if begun >= BEGUN:
                who = dice.choice(sorted(busy))
            elif who < 3:
                begun, number = begun + 1, number + 1
                line = lines[who]
                if dice.random() < 0.2:
                    busy[who] = _Doing(_compacts(line), compacted)
                    continue
                # Another version of its file, which leans on the last one; or, sometimes, what is being erased.
                text = BASE + b"%d\n" % number
                if asked and dice.random() < 0.3:
                    text = known[dice.choice(asked)]
                known[content_hash(text)] = text
                assert line.head is not None
                wanted = request(maker, number, line.head.position, {b"p%d" % who: text})
                if not wanted.session.changes or wanted.session.changes[0].base_hash == content_hash(text):
                    continue
                busy[who] = _Doing(land_group(line, [wanted]), landed(text))
            else:
                begun += 1
                asked.append(dice.choice(sorted(living)))
                busy[who] = _Doing(erase("p", asked[-1], Reason.SECRET, "ada"), erased)
            continue
        if who >= 3 and dice.random() < 0.02:
            del busy[who]  # killed
            seen["killed"] += 1
            continue
        busy[who].step(world)
        if busy[who].over:
            del busy[who]
    for content in set(asked):
        world.run(erase("p", content, Reason.SECRET, "bob"))
    world.run(sweep("p"))
    for content in asked:
        living.pop(content, None)
    assert living
    for line in (*lines, Line("p", NodeCache(1 << 20))):
        world.run(refresh(line))
        try:
            found = world.run(read_small(line.objects, living))
        except Corrupt:  # what was displaced behind the landing that tells of an erasure: as `Project` does it
            assert world.run(bury(line))
            found = world.run(read_small(line.objects, living))
        assert found == living
        for content in asked:
            with pytest.raises(Erased):
                world.run(read_small(line.objects, [content]))
    ledger = Ledger(store)
    assert [f for f in Verifier("p", ledger.driver.run).findings() if f.kind != "unreachable"] == []
    return seen


@pytest.mark.parametrize("first", range(0, 40, 8))
def test_in_any_order(first: int) -> None:
    """Whatever has landed is read, byte for byte, by front ends of before and by new ones."""
    total: dict[str, int] = {}
    with small_limits():
        for seed in range(first, first + 8):
            try:
                for what, count in _story(seed).items():
                    total[what] = total.get(what, 0) + count
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise
    assert all(total.values()), total
