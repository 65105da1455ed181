"""Zeros are written over what was read, and over nothing else: no wrong bit goes back, nothing comes back late."""

from __future__ import annotations

from typing import Any

import pytest

from ledgers import NOON, objects_of, traced
from mic.core.errors import MicError
from mic.core.tombstone import Displaced, Range, encode_displaced
from mic.ledger.effects import Effect, Put, PutIf
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.zeros import write_zeros
from mic.store import MemoryStore, Tagged

KEY = "projects/p/packs/x"
WHOLE = bytes(range(1, 101))


def _line() -> Line:
    return Line("p", NodeCache(1 << 20))


def _bury(store: MemoryStore, digit: int, offset: int, length: int) -> None:
    content = bytes([digit]) * 32
    raw = encode_displaced(Displaced(content, (Range("packs/x", offset, length),), ()))
    store.put(f"projects/p/erased/{content.hex()}.{'0' * 15}{digit}", raw)


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.put(KEY, WHOLE)
    _bury(made, 1, 10, 5)
    return made


@pytest.mark.parametrize("spoil", [lambda raw: raw[:12], lambda raw: raw[:50], lambda raw: raw[:-1] + b"\x00"])
def test_a_reading_that_is_wrong_is_not_written_back(store: MemoryStore, spoil: Any) -> None:
    """Cut short before or behind the range, or with another byte: it is read until two are the same."""
    _, driver = traced(store)
    real, wrong = driver._one, [1]

    def one(effect: Effect) -> Any:
        answer = real(effect)
        if isinstance(answer, Tagged) and effect[0] == KEY and wrong[0]:
            wrong[0] -= 1
            return answer._replace(data=spoil(answer.data))
        return answer

    driver._one = one  # type: ignore[method-assign]
    assert driver.run(write_zeros(_line())) == [KEY]
    assert objects_of(store)[KEY] == WHOLE[:10] + bytes(5) + WHOLE[15:]


def test_a_write_that_arrives_late_brings_nothing_back(store: MemoryStore) -> None:
    _, driver = traced(store)
    late: list[PutIf] = []

    def hold(effect: Effect) -> None:
        if isinstance(effect, Put | PutIf) and effect.key == KEY and not late:
            assert isinstance(effect, PutIf)
            late.append(effect)
            _bury(store, 2, 40, 5)
            other, _ = traced(store)
            other.run(write_zeros(_line()))

    driver.before = hold
    assert driver.run(write_zeros(_line())) == []  # the other has done all of it
    left = objects_of(store)[KEY]
    assert left == WHOLE[:10] + bytes(5) + WHOLE[15:40] + bytes(5) + WHOLE[45:]
    with pytest.raises(MicError):
        store.put_if(late[0].key, late[0].data, late[0].tag)
    assert objects_of(store)[KEY] == left
    assert driver.now == NOON
