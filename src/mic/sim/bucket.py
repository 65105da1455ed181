"""The simulated object store: a dictionary that applies one effect at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mic.core.errors import AlreadyExists, MicError, NotFound, PreconditionFailed, Unavailable
from mic.ledger.effects import Delete, Effect, Fresh, FreshWhole, Get, GetRange, List, Map, Put, PutIf, PutNew
from mic.store import Listed, Tagged
from mic.store.port import content_tag


class Rules(NamedTuple):
    """What a store may get wrong. The defaults are those of a store that can be trusted."""

    conflict_on_create: type[MicError] = Unavailable  # how a 409 for a create-only write reaches the caller
    updates_absent: bool = False  # a conditional update of a key that is absent succeeds
    exclusive: bool = True  # of two create-only writes one fails


class Bucket:
    """Keys and bytes. `watch(key, before, after)` is called at every change, at the time when it takes effect."""

    def __init__(self, rules: Rules, watch: Callable[[str, bytes | None, bytes | None], None]) -> None:
        self.rules = rules
        self.objects: dict[str, bytes] = {}
        self._watch = watch

    def apply(self, effect: Effect) -> Any:
        """The store's answer; raises NotFound, AlreadyExists, PreconditionFailed."""
        match effect:
            case GetRange(key, start, length) | Fresh(key, start, length):
                return self._read(key)[start : start + length]
            case Map(key):
                return self._read(key)
            case Get(key) | FreshWhole(key):
                data = self._read(key)
                return Tagged(data, content_tag(data))
            case PutNew(key, data):
                if key in self.objects and self.rules.exclusive:
                    raise AlreadyExists(f"{key} exists already")
                return self.write(key, data)
            case PutIf(key, data, tag):
                current = self.objects.get(key)
                if current is None and self.rules.updates_absent:
                    self.write(key, data)
                    return content_tag(data)
                if current is None or not tag or content_tag(current) != tag:
                    raise PreconditionFailed(f"{key} has changed")
                self.write(key, data)
                return content_tag(data)
            case Put(key, data):
                return self.write(key, data)
            case List(prefix, start_after):
                return sorted(
                    Listed(key, len(data))
                    for key, data in self.objects.items()
                    if key.startswith(prefix) and key > start_after
                )
            case Delete(key):
                return self.remove(key)
        raise AssertionError(f"not for a store: {effect!r}")

    def _read(self, key: str) -> bytes:
        data = self.objects.get(key)
        if data is None:
            raise NotFound(f"{key} does not exist")
        return data

    def write(self, key: str, data: bytes) -> None:
        """Create or replace."""
        before = self.objects.get(key)
        self.objects[key] = data
        self._watch(key, before, data)

    def remove(self, key: str) -> None:
        """Remove; nothing happens when absent."""
        before = self.objects.pop(key, None)
        self._watch(key, before, None)
