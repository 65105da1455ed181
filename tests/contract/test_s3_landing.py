"""Landing in a bucket that loses answers, errs after writing, repeats writes unseen and throttles: nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from ledgers import check_history, contents, land
from mic.core.errors import Busy, Unavailable
from mic.ledger.driver import Driver
from mic.ledger.effects import Effect, Sleep
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store.s3 import S3Store
from scripted_s3 import PLAIN, ScriptedS3, Step

FRONT_ENDS, LANDINGS = 4, 6
FAULTS = [
    Step(0),
    Step(0, applied=True),
    Step(500, "InternalError"),
    Step(500, "InternalError", applied=True),
    Step(503, "SlowDown"),
    Step(409, "ConditionalRequestConflict"),
    Step(applied=True, twice=True),
    Step(cut=True),
]


class _Hurried(Driver):
    """Sleeping takes no time."""

    def _one(self, effect: Effect) -> object:
        return None if isinstance(effect, Sleep) else super()._one(effect)


@pytest.fixture
def server() -> Iterator[ScriptedS3]:
    running = ScriptedS3()
    yield running
    running.stop()


def _open(server: ScriptedS3) -> Project:
    """A front end of its own: no memory shared with another."""
    ledger = Ledger(S3Store(server.place, lambda _: None))
    ledger.driver = _Hurried(ledger.driver.store)
    return ledger.open("p")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_landing_is_there_once(server: ScriptedS3, seed: int) -> None:
    """Four front ends land six sessions each while every fifth request goes wrong; who got no answer asks again."""
    project = _open(server)
    project.create()
    dice = random.Random(seed)
    server.dice = lambda: dice.choice(FAULTS) if dice.random() < 0.2 else PLAIN
    acknowledged: dict[int, int] = {}
    failures: list[BaseException] = []

    def front_end(which: int) -> None:
        mine = _open(server)
        for number in range(which * LANDINGS, (which + 1) * LANDINGS):
            for _ in range(100):
                try:
                    acknowledged[number] = land(mine, number + 1, 0, {b"f/%d" % number: b"%d\n" % number}).position
                    break
                except (Unavailable, Busy):
                    continue
                except BaseException as error:
                    failures.append(error)
                    return

    threads = [threading.Thread(target=front_end, args=(which,)) for which in range(FRONT_ENDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.dice = lambda: PLAIN
    assert failures == []
    assert sorted(acknowledged) == list(range(FRONT_ENDS * LANDINGS))
    fresh = _open(server)
    check_history(fresh)
    records = fresh.records(1, fresh.head().position)
    assert {int.from_bytes(record.session, "big") - 1: record.position for record in records} == acknowledged
    assert contents(fresh) == {b"f/%d" % n: (0o100644, b"%d\n" % n) for n in range(FRONT_ENDS * LANDINGS)}
