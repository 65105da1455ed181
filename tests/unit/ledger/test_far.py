"""Catching up on a store that is far away: many epochs at once, found by their names, and never believed for them."""

from __future__ import annotations

import pytest

from ledgers import Journeys, check_history, land, traced
from mic.core.errors import Corrupt
from mic.core.head import decode_head
from mic.ledger.follow import _AT_ONCE
from mic.ledger.project import Project
from mic.store import MemoryStore, ObjectStore

LANDINGS = 100
TAIL = "projects/p/landing-log/tail/"


@pytest.fixture
def store() -> MemoryStore:
    """A hundred landings, one epoch each."""
    made = MemoryStore()
    project, _ = traced(made)
    project.create()
    for number in range(LANDINGS):
        land(project, number + 1, number, {b"f%d" % number: b"%d\n" % number})
    return made


def _far(store: ObjectStore) -> Project:
    project, _ = traced(store)
    project.line.far = True
    return project


def test_many_epochs_cost_few_journeys(store: MemoryStore) -> None:
    """Where they would cost one each; and the history is the same."""
    near, _ = traced(store)
    far = _far(store)
    one_by_one, together = Journeys(near), Journeys(far)
    assert near.head() == far.head()
    assert one_by_one.count > LANDINGS
    assert together.count < 12
    assert together.together == _AT_ONCE
    assert far.records(1, LANDINGS) == near.records(1, LANDINGS)
    check_history(far)


def test_catching_up_reads_what_is_new(store: MemoryStore) -> None:
    """A few epochs one by one; many at once, none of those that were known."""
    far, busy = _far(store), traced(store)[0]
    far.head()
    for number in range(LANDINGS, LANDINGS + 40):
        land(busy, number + 1, number, {b"f%d" % number: b"%d\n" % number})
    journeys = Journeys(far)
    assert far.head().position == LANDINGS + 40
    assert journeys.count < 8
    land(busy, 1000, LANDINGS + 40, {b"last": b"1\n"})
    journeys = Journeys(far)
    assert far.head().position == LANDINGS + 41
    assert journeys.together == 0


def test_names_are_not_believed(store: MemoryStore) -> None:
    """What lost its race, or was put there by somebody, lies beside the chain and is not of it."""
    head = decode_head(store.get("projects/p/head").data, "head")
    keys = [item.key for item in store.list(TAIL)]
    for at in (10, 50, 90):
        position, _, tree = keys[at].removeprefix(TAIL).split("-")
        store.put(f"{TAIL}{position}-{1:016x}-{tree}", store.get(keys[at - 1]).data)
        store.put(f"{TAIL}{position}-{1:016x}-{'0' * 16}", b"nonsense")
    far = _far(store)
    assert far.head() == head
    check_history(far)


def test_a_missing_epoch_is_named(store: MemoryStore) -> None:
    """As where they are read one by one."""
    keys = [item.key for item in store.list(TAIL)]
    store.delete(keys[40])
    with pytest.raises(Corrupt) as found:
        _far(store).head()
    assert found.value.details["object"] == keys[40]
