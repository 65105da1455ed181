"""A store that fails as stores do, for tests and simulations: seeded, so that every run can be repeated."""

from __future__ import annotations

import contextlib
import enum
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, TypeVar

from mic.core.errors import MicError, Unavailable
from mic.store.port import Listed, ObjectStore, Tagged

T = TypeVar("T")


class Fault(enum.StrEnum):
    """What happens to one call."""

    NONE = "none"
    BEFORE = "before"  # it fails and nothing was done
    AFTER = "after"  # it is done, and the answer is an error
    TWICE = "twice"  # it is done twice, unseen, and the second answer is given
    CUT = "cut"  # a read gives fewer bytes than there are
    FLIPPED = "flipped"  # a read gives a byte that was never written


Plan = Callable[[str, str], Fault]


def by_chance(seed: int, chances: Mapping[Fault, float]) -> Plan:
    """A plan that draws each call's fault; `chances` are probabilities, what is left over is no fault."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    lock = threading.Lock()
    faults = sorted(chances)

    def draw(call: str, key: str) -> Fault:
        with lock:
            drawn = dice.random()
        for fault in faults:
            drawn -= chances[fault]
            if drawn < 0:
                return fault
        return Fault.NONE

    return draw


class FaultyStore:
    """`inner` with faults. `plan(call, key)` is asked before each call; `done` counts the faults that took place."""

    def __init__(self, inner: ObjectStore, plan: Plan) -> None:
        self.inner = inner
        self.done: dict[Fault, int] = dict.fromkeys(Fault, 0)
        self._plan = plan
        self._lock = threading.Lock()

    def get(self, key: str) -> Tagged:
        fault = self._fault("get", key)
        data, tag = self._carried(fault, key, lambda: self.inner.get(key))
        return Tagged(_spoiled(fault, data), tag)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        fault = self._fault("get_range", key)
        return _spoiled(fault, self._carried(fault, key, lambda: self.inner.get_range(key, start, length)))

    def put(self, key: str, data: bytes) -> None:
        self._carried(self._fault("put", key), key, lambda: self.inner.put(key, data))

    def put_file(self, key: str, file: BinaryIO) -> None:
        self._carried(self._fault("put_file", key), key, lambda: self.inner.put_file(key, file))

    def put_new(self, key: str, data: bytes) -> None:
        self._carried(self._fault("put_new", key), key, lambda: self.inner.put_new(key, data))

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        return self._carried(self._fault("put_if", key), key, lambda: self.inner.put_if(key, data, tag))

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        fault = self._fault("list", prefix)
        found = self.inner.list(prefix, start_after)
        if fault is Fault.NONE:
            yield from found
            return
        if (first := next(found, None)) is not None:
            yield first
        raise _no_answer(prefix)

    def delete(self, key: str) -> None:
        self._carried(self._fault("delete", key), key, lambda: self.inner.delete(key))

    def _fault(self, call: str, key: str) -> Fault:
        fault = self._plan(call, key)
        with self._lock:
            self.done[fault] += 1
        return fault

    def _carried(self, fault: Fault, key: str, act: Callable[[], T]) -> T:
        if fault is Fault.BEFORE:
            raise _no_answer(key)
        if fault is Fault.AFTER:
            with contextlib.suppress(MicError):  # the answer is lost, whatever it was
                act()
            raise _no_answer(key)
        if fault is Fault.TWICE:
            with contextlib.suppress(MicError):
                act()
        return act()


def _spoiled(fault: Fault, data: bytes) -> bytes:
    if fault is Fault.CUT:
        return data[: len(data) // 2]
    if fault is Fault.FLIPPED and data:
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]
    return data


def _no_answer(key: str) -> Unavailable:
    return Unavailable(f"{key}: the store gave no answer", hint="try again")
