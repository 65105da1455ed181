"""Stores that break one promise each, as real ones were seen to do. For what must catch them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

from mic.core.errors import AlreadyExists, NotFound, PreconditionFailed, Unavailable
from mic.store import Listed, MemoryStore, ObjectStore, Tagged
from mic.store.faults import Fault, FaultyStore
from mic.store.port import content_tag


class EveryCreatorWins(MemoryStore):
    """Looks and writes without a lock in between: who looks while others are writing finds nothing there."""

    def __init__(self) -> None:
        super().__init__()
        self._began: dict[str, int] = {}
        self._guard = threading.Lock()

    def put_new(self, key: str, data: bytes) -> None:
        """The first four to come are taken to have looked before any of them wrote."""
        with self._guard:
            self._began[key] = self._began.get(key, 0) + 1
            early = self._began[key] <= 4
        if early and "/create/" in key:
            self.put(key, data)
        else:
            super().put_new(key, data)


class IgnoresIfMatch(MemoryStore):
    """Updates whatever the tag; an absent object stays refused."""

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        with self._lock:
            if key not in self._objects:
                raise PreconditionFailed(f"{key} has changed")
            self._objects[key] = data


class UpdatesTheAbsent(MemoryStore):
    """An update of an absent object makes it."""

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        with self._lock:
            absent = key not in self._objects
        if absent:
            self.put(key, data)
        else:
            super().put_if(key, data, tag)


class InvertedCreate(MemoryStore):
    """Creates only what exists."""

    def put_new(self, key: str, data: bytes) -> None:
        with self._lock:
            if key not in self._objects:
                raise AlreadyExists(f"{key} exists already")
            self._objects[key] = data


class StaleAfterRefusal(MemoryStore):
    """After a refused update, one read gives what was there before the winner."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, bytes] = {}
        self._stale: set[str] = set()

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        before = self._objects.get(key)
        try:
            super().put_if(key, data, tag)
        except PreconditionFailed:
            self._stale.add(key)
            raise
        if before is not None:
            self._before[key] = before

    def get(self, key: str) -> Tagged:
        if key in self._stale and key in self._before:
            self._stale.discard(key)
            return Tagged(self._before[key], content_tag(self._before[key]))
        return super().get(key)


class LaggingList(MemoryStore):
    """A list does not show the newest object."""

    def __init__(self) -> None:
        super().__init__()
        self._newest = ""

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        self._newest = key

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        return (item for item in super().list(prefix, start_after) if item.key != self._newest)


class LastWriteWins(MemoryStore):
    """Every write takes place, and every read gives another tag."""

    def __init__(self) -> None:
        super().__init__()
        self._dice = random.Random(7)

    def get(self, key: str) -> Tagged:
        return Tagged(super().get(key).data, f"{self._dice.getrandbits(128):032x}")

    def put_new(self, key: str, data: bytes) -> None:
        self.put(key, data)

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        self.put(key, data)


class Throttled(MemoryStore):
    """Takes one update of an object, then says 429 until somebody has waited: nobody here does."""

    def __init__(self) -> None:
        super().__init__()
        self._updated: set[str] = set()

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        if key in self._updated:
            raise Unavailable(f"{key}: the store answered 429 SlowDown", status=429)
        super().put_if(key, data, tag)
        self._updated.add(key)


class WithoutUpdates(MemoryStore):
    """Knows create-only writes, and no conditional updates."""

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        raise Unavailable(f"{key}: the store answered 501 NotImplemented", status=501)


class ForgetsDeletes(MemoryStore):
    """A deleted object can still be read."""

    def delete(self, key: str) -> None:
        self.get(key)


class ReplacesThoughRefused(MemoryStore):
    """Says no to a second create, and carries it out."""

    def put_new(self, key: str, data: bytes) -> None:
        try:
            super().put_new(key, data)
        except AlreadyExists:
            self.put(key, data)
            raise


class MakesWhatItRefuses(MemoryStore):
    """Says no to an update of an absent object, and makes it."""

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        try:
            super().put_if(key, data, tag)
        except PreconditionFailed:
            try:
                self.get(key)
            except NotFound:
                self.put(key, data)
            raise


def _some(fault: Fault, call: str) -> Callable[[], ObjectStore]:
    """Every third such call has the fault."""

    def make() -> ObjectStore:
        count = 0

        def plan(asked: str, key: str) -> Fault:
            nonlocal count
            if asked != call or "/create/" in key or "/race" in key:
                return Fault.NONE
            count += 1
            return fault if count % 3 == 0 else Fault.NONE

        return FaultyStore(MemoryStore(), plan)

    return make


def unreachable() -> ObjectStore:
    """No call is answered."""
    return FaultyStore(MemoryStore(), lambda call, key: Fault.BEFORE)


error_after_create = _some(Fault.AFTER, "put_new")
lost_before_create = _some(Fault.BEFORE, "put_new")
repeated_create = _some(Fault.TWICE, "put_new")
repeated_update = _some(Fault.TWICE, "put_if")
