"""The driver: what is long and nobody waits for rests between its steps, and comes to the same."""

from __future__ import annotations

import pytest

from mic.core.errors import NotFound
from mic.ledger import driver as module
from mic.ledger.driver import Driver
from mic.ledger.effects import Get, List, Protocol
from mic.store import MemoryStore


class Clock:
    """A thread's work and sleep, in seconds; whatever asks how much it has worked has worked `step` more."""

    def __init__(self, step: float) -> None:
        self.step, self.worked = step, 0.0
        self.slept: list[float] = []

    def thread_time(self) -> float:
        self.worked += self.step
        return self.worked

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def _reads(missing: str) -> Protocol[tuple[int, list[str], str]]:
    listed = yield List("a/")
    first = yield Get(listed[0].key)
    try:
        yield Get(missing)
    except NotFound:
        return len(listed), [item.key for item in listed[:2]], first.data.decode()
    raise AssertionError(missing)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for number in range(200):
        store.put_new(f"a/{number:03d}", b"%d" % number)
    return store


def test_resting_changes_no_answer(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.001)
    monkeypatch.setattr(module, "time", clock)
    expected = (200, ["a/000", "a/001"], "0")
    assert Driver(store).run(_reads("b")) == expected
    assert clock.slept == []
    assert Driver(store).run_gently(_reads("b"), 0.2) == expected


def test_of_five_parts_of_the_time_it_works_one(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of 200 is interrupted three times, and each of three effects has a rest on both sides."""
    clock = Clock(0.003)
    monkeypatch.setattr(module, "time", clock)
    Driver(store).run_gently(_reads("b"), 0.2)
    assert [round(seconds, 6) for seconds in clock.slept] == [0.012] * 8


def test_little_work_needs_no_rest(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0001)
    monkeypatch.setattr(module, "time", clock)
    Driver(store).run_gently(_reads("b"), 0.2)
    assert clock.slept == []
