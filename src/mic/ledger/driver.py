"""The real driver: runs protocols against a store, the clock and the system's randomness."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from mic.core.errors import Corrupt, MicError, Unavailable
from mic.ledger.effects import (
    Attempt,
    Delete,
    Effect,
    Forward,
    Fresh,
    FreshWhole,
    Get,
    GetRange,
    List,
    Map,
    Now,
    Protocol,
    Put,
    PutFile,
    PutIf,
    PutNew,
    Random,
    Sleep,
)
from mic.ledger.front_ends import FrontEnds
from mic.store import Listed, MapsObjects, ObjectStore
from mic.store.patience import carried
from mic.store.tiers import Range, TieredStore

T = TypeVar("T")

# Whoever rests does so after so many seconds of work, and looks after so many names of a list.
_WORK = 0.002
_LISTED = 64
# Objects read lately by a protocol that found damage; one of them is it.
_SUSPECTS = 64


class _Rest:
    """Rests of one thread, `times` as long as it has worked since the last."""

    def __init__(self, times: float) -> None:
        self._times = times
        self._begun = time.thread_time()

    def take(self) -> None:
        """Rest, when there was enough to do."""
        worked = time.thread_time() - self._begun
        if worked >= _WORK:
            time.sleep(worked * self._times)
            self._begun = time.thread_time()


class Driver:
    """Drives protocols one at a time in the calling thread; any number of threads may share one driver.

    `parallel` threads serve tuples of effects; 0 runs them one after the other, which is faster on a local
    directory, where a read costs less than handing it to a thread.
    """

    def __init__(self, store: ObjectStore, parallel: int = 0) -> None:
        self.store = store
        self._pool = ThreadPoolExecutor(parallel, "store") if parallel else None
        self.parallel = parallel
        # Calls another front end; None where no other is known.
        self.call: Callable[[Forward], Any] | None = None
        self.front_ends: FrontEnds | None = None
        # A store with tiers may hold what it should not; it is told, so that the next reading asks the bucket.
        self._forget = store.forget if isinstance(store, TieredStore) else None
        # Takes what will probably be asked for soon; None where a read costs nothing and nobody reads ahead.
        self.prefetch: Callable[[Sequence[Range]], None] | None = (
            store.prefetch if isinstance(store, TieredStore) and store.reads_ahead else None
        )

    def run(self, protocol: Protocol[T]) -> T:
        """The protocol's result; its errors are raised here."""
        if self._forget is None:
            return self._run(protocol, None)
        read: deque[str] = deque(maxlen=_SUSPECTS)
        try:
            return self._run(protocol, read)
        except Corrupt:
            for key in set(read):
                self._forget(key)
            raise

    def run_gently(self, protocol: Protocol[T], share: float) -> T:
        """As `run`, working for that share of the time only: others of this process hardly notice.

        For what is long and nobody waits for. Of effects only lists are interrupted by a rest.
        """
        return self.run(self._resting(protocol, _Rest(1 / share - 1)))

    def _resting(self, protocol: Protocol[T], rest: _Rest) -> Protocol[T]:
        """The same protocol, with rests."""
        try:
            wanted = next(protocol)
            while True:
                rest.take()
                try:
                    result = self._listed(wanted, rest) if isinstance(wanted, List) else (yield wanted)
                except Exception as error:
                    wanted = protocol.throw(error)
                else:
                    rest.take()
                    wanted = protocol.send(result)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def _listed(self, wanted: List, rest: _Rest) -> list[Listed]:
        found = []
        for item in self.store.list(wanted.prefix, wanted.start_after):
            found.append(item)
            if not len(found) % _LISTED:
                rest.take()
        return found

    def _run(self, protocol: Protocol[T], read: deque[str] | None) -> T:
        try:
            wanted = next(protocol)
            while True:
                if read is not None:
                    read.extend(_keys_read(wanted))
                try:
                    result = self._perform(wanted)
                except Exception as error:
                    wanted = protocol.throw(error)
                else:
                    wanted = protocol.send(result)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def _perform(self, wanted: Effect | tuple[Effect, ...]) -> Any:
        # An effect is a named tuple; a bare tuple is a group.
        if type(wanted) is tuple:
            if self._pool is not None and len(wanted) > 1:
                return list(self._pool.map(carried(self._one), cast(tuple[Effect, ...], wanted)))
            return [self._one(effect) for effect in cast(tuple[Effect, ...], wanted)]
        return self._one(cast(Effect, wanted))

    def _one(self, effect: Effect) -> Any:
        store = self.store
        match effect:
            case GetRange(key, start, length):
                return store.get_range(key, start, length)
            case Get(key):
                return store.get(key)
            case Fresh(key, start, length):
                return (store.bucket if isinstance(store, TieredStore) else store).get_range(key, start, length)
            case FreshWhole(key):
                return (store.bucket if isinstance(store, TieredStore) else store).get(key)
            case Now():
                return time.time_ns() // 1_000_000
            case PutNew(key, data):
                return store.put_new(key, data)
            case PutIf(key, data, tag):
                return store.put_if(key, data, tag)
            case Put(key, data):
                return store.put(key, data)
            case PutFile(key, file):
                return store.put_file(key, file)
            case Map(key):
                return store.map(key) if isinstance(store, MapsObjects) else store.get(key).data
            case List(prefix, start_after):
                return list(store.list(prefix, start_after))
            case Delete(key):
                return store.delete(key)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Random(length):
                return os.urandom(length)
            case Forward():
                if self.call is None:
                    raise Unavailable("no front end can be called from here")
                return self.call(effect)
            case Attempt(wanted):
                try:
                    return self._one(wanted)
                except MicError as error:
                    return error


def _keys_read(wanted: Effect | tuple[Effect, ...]) -> list[str]:
    group = cast(tuple[Effect, ...], wanted) if type(wanted) is tuple else (cast(Effect, wanted),)
    return [effect.key for effect in group if isinstance(effect, GetRange | Get | Map)]
