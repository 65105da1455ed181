"""kill -9 of front ends under load: no acknowledged landing is lost, none is doubled.

`KILL_ROUNDS=100` (what `make test-kill` sets) runs so many rounds; a normal run is short.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from front_end import own_file
from ledgers import REGULAR, check_history, contents, session_id
from mic.ledger.ledger import Ledger
from mic.store import DirectoryStore

FRONT_ENDS = 3
ROUNDS = int(os.environ.get("KILL_ROUNDS", "6"))
LANDINGS = 24  # of each round
KILL_WITHIN = 0.08  # seconds, about what a round takes
SEED = 20261121


class _FrontEnd:
    """One process, and a thread that hears what it says. Words of a killed one that were on their way still count."""

    def __init__(self, store: Path, heard: queue.Queue[tuple[_FrontEnd, str]], *words: str) -> None:
        tests = Path(__file__).parents[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "front_end", str(store), "p", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent / "src")))},
        )
        self._heard = heard
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                if line.endswith("\n"):
                    self._heard.put((self, line))
        self._heard.put((self, ""))

    def ask(self, number: int, base: int) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{number} {base}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it was killed; its silence is heard

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._listener.join()


@pytest.mark.parametrize("words", [(), ("forwarding",)], ids=["alone", "forwarding"])
def test_no_acknowledged_landing_is_lost_and_none_is_doubled(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Each round kills one of three while they land; what was not answered is asked of another.

    With forwarding, two of them have their landings made by the third, until it is the one that is killed.
    """
    rnd = random.Random(SEED)
    store = tmp_path / "store"
    project = Ledger(DirectoryStore(store)).open("p")
    project.create()
    heard: queue.Queue[tuple[_FrontEnd, str]] = queue.Queue()
    fronts = [_FrontEnd(store, heard, *words) for _ in range(FRONT_ENDS)]
    told: dict[int, int] = {}
    number = 0
    for _ in range(ROUNDS):
        asked: dict[int, _FrontEnd] = {}
        for _ in range(LANDINGS):
            number += 1
            asked[number] = rnd.choice(fronts)
            asked[number].ask(number, 0)
        # Not at a chosen step: whatever it is doing then, between any two instructions.
        killer = threading.Timer(rnd.uniform(0, KILL_WITHIN), rnd.choice(fronts).process.kill)
        killer.start()
        while asked:
            front, line = heard.get(timeout=60)
            if not line:  # it ended: what it owed is asked of another
                front.kill()
                fronts[fronts.index(front)] = _FrontEnd(store, heard, *words)
                for owed in [n for n, of in asked.items() if of is front]:
                    asked[owed] = rnd.choice(fronts)
                    asked[owed].ask(owed, 0)
                continue
            which, position = map(int, line.split())
            if position:
                assert told.setdefault(which, position) == position, f"session {which} landed twice"
                asked.pop(which, None)
            elif asked.get(which) is front:
                asked[which] = rnd.choice(fronts)
                asked[which].ask(which, 0)
        killer.join()
    for front in fronts:
        front.kill()
    cold = Ledger(DirectoryStore(store)).open("p")
    assert sorted(told) == list(range(1, number + 1))
    assert {n: cold.find_session(session_id(n)) for n in told} == told
    assert sorted(told.values()) == list(range(1, number + 1))
    check_history(cold)
    assert contents(cold) == {own_file(n): (REGULAR, b"%d" % n) for n in told}
