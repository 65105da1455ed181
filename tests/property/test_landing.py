"""Random faults between any two effects of landings by several front ends: never lost, never doubled, never torn."""

from __future__ import annotations

import random

import pytest

from ledgers import REGULAR, Files, Traced, check_history, contents, land, session_id, traced
from mic.core.errors import PreconditionFailed, StorageFull, Unavailable
from mic.ledger.effects import Effect, PutIf, PutNew
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore

RUNS = 40
STEPS = 40


def _disturb(driver: Traced, rnd: random.Random) -> None:
    """From now on one effect in six fails: before it takes effect, or after, when only the answer is lost."""

    def before(effect: Effect) -> None:
        if rnd.random() < 0.08:
            raise StorageFull("no space") if isinstance(effect, PutNew | PutIf) else Unavailable("no answer")

    def after(effect: Effect) -> None:
        if rnd.random() < 0.08:
            # A client below us that retries reports its own first write as somebody else's.
            raise (
                PreconditionFailed("changed") if isinstance(effect, PutIf) and rnd.random() < 0.5 else Unavailable("?")
            )

    driver.before, driver.after = before, after


def _calm(driver: Traced) -> None:
    driver.before = driver.after = lambda effect: None


@pytest.mark.parametrize("group", range(5))
def test_front_ends_that_fail_and_restart(group: int) -> None:
    """Clients say a session again until it has a position; front ends are replaced now and then."""
    for number in range(RUNS // 5):
        seed = group * 1000 + number
        rnd = random.Random(seed)
        store = MemoryStore()
        fronts: list[tuple[Project, Traced]] = [traced(store) for _ in range(3)]
        fronts[0][0].create()
        told: dict[int, int] = {}
        for session in range(1, STEPS + 1):
            for attempt in range(60):
                at = rnd.randrange(3)
                if rnd.random() < 0.1:
                    fronts[at] = traced(store)
                project, driver = fronts[at]
                driver.now += rnd.randrange(-2000, 2000)
                if attempt < 50:
                    _disturb(driver, rnd)
                try:
                    told[session] = land(project, session, 0, {b"%d" % session: b"%d" % session}).position
                except Unavailable:
                    continue
                finally:
                    _calm(driver)
                break
            else:
                raise AssertionError(f"seed {seed}: session {session} never landed")
        assert sorted(told.values()) == list(range(1, STEPS + 1)), f"seed {seed}"
        expected: Files = {b"%d" % session: (REGULAR, b"%d" % session) for session in told}
        for project in (*(front[0] for front in fronts), Ledger(store).open("p")):
            check_history(project)
            assert contents(project) == expected, f"seed {seed}"
            assert {s: project.find_session(session_id(s)) for s in told} == told, f"seed {seed}"
