"""The store that fails on purpose: each fault does what its name says, and one seed is one story."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from mic.core.errors import AlreadyExists, NotFound, PreconditionFailed, Unavailable
from mic.store import Listed, MemoryStore
from mic.store.faults import Fault, FaultyStore, by_chance


def _store(fault: Fault) -> FaultyStore:
    inner = MemoryStore()
    inner.put("there", b"0123456789")
    return FaultyStore(inner, lambda call, key: fault)


def test_before_does_nothing_and_after_does_it() -> None:
    """Both raise Unavailable for every call."""
    for fault in (Fault.BEFORE, Fault.AFTER):
        store = _store(fault)
        tag = store.inner.get("there").tag
        calls: list[Callable[[], object]] = [
            lambda s=store: s.put("a", b"1"),  # type: ignore[misc]
            lambda s=store: s.put_new("b", b"2"),  # type: ignore[misc]
            lambda s=store: s.put_file("c", io.BytesIO(b"4")),  # type: ignore[misc]
            lambda s=store, t=tag: s.put_if("there", b"3", t),  # type: ignore[misc]
            lambda s=store: s.get("there"),  # type: ignore[misc]
            lambda s=store: s.get_range("there", 0, 1),  # type: ignore[misc]
        ]
        for call in calls:
            with pytest.raises(Unavailable, match="gave no answer"):
                call()
        expected = [Listed("there", 10)] if fault is Fault.BEFORE else [Listed(k, 1) for k in ("a", "b", "c", "there")]
        assert list(store.inner.list("")) == expected
        with pytest.raises(Unavailable):
            store.delete("there")
        assert [item.key for item in store.inner.list("there/")] == []
        found = store.list("")
        next(found)
        with pytest.raises(Unavailable):
            next(found)


def test_twice_meets_its_own_write() -> None:
    """The write is there, and the answer is the second one's: no."""
    store = _store(Fault.TWICE)
    with pytest.raises(AlreadyExists):
        store.put_new("a", b"1")
    assert store.inner.get("a").data == b"1"
    with pytest.raises(PreconditionFailed):
        store.put_if("a", b"2", store.inner.get("a").tag)
    assert store.inner.get("a").data == b"2"
    with pytest.raises(NotFound):
        store.get("absent")


def test_reads_are_cut_or_flipped() -> None:
    assert _store(Fault.CUT).get("there").data == b"01234"
    assert _store(Fault.CUT).get_range("there", 0, 4) == b"01"
    assert _store(Fault.FLIPPED).get("there").data == b"01234u6789"
    assert _store(Fault.NONE).get("there").data == b"0123456789"


def test_one_seed_is_one_story() -> None:
    """The same seed draws the same faults in the same order; the rates are about those asked for."""
    chances = {Fault.BEFORE: 0.2, Fault.AFTER: 0.1}
    first, again, other = (by_chance(seed, chances) for seed in (1, 1, 2))
    told = [[plan("get", "a") for _ in range(2000)] for plan in (first, again, other)]
    assert told[0] == told[1] != told[2]
    assert 300 < told[0].count(Fault.BEFORE) < 500
    assert 120 < told[0].count(Fault.AFTER) < 280
    assert Fault.TWICE not in told[0]
