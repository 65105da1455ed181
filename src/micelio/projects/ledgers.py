"""The data plane of each project, shared by every door of this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from mic.ledger.driver import Driver
from mic.ledger.effects import Protocol
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import ObjectStore
from mic.store.tiers import TieredStore
from micelio.config import current
from micelio.owners.refuse import require_readable
from micelio.owners.rules import PATH as OWNERS
from micelio.projects.stores import open_store
from micelio.scanning.refuse import inspect_merged
from micelio.spent import part

# Reads of a bucket take tens of milliseconds each and are asked side by side; those of a directory are not worth it.
_PARALLEL = 16

T = TypeVar("T")


class _Watched(Driver):
    """A driver whose work is a part of the request that it is for."""

    def run(self, protocol: Protocol[T]) -> T:
        with part("store"):
            return super().run(protocol)


_lock = threading.Lock()
_ledger: Ledger | None = None


def _inspect(path: bytes, merged: bytes, sides: Sequence[bytes]) -> None:
    inspect_merged(path, merged, sides)
    if path == OWNERS:
        require_readable(merged)


def ledger() -> Ledger:
    """All projects of the configured store. Raises Unavailable when it is a bucket that cannot be examined."""
    global _ledger
    if _ledger is None:
        with _lock:
            if _ledger is None:
                settings = current()
                opened = open_store(settings)
                parallel = 0 if settings.s3 is None else _PARALLEL
                made = Ledger(opened.store, sequenced=opened.sequenced, inspect=_inspect)
                made.driver = _Watched(opened.store, parallel)
                _ledger = made
    return _ledger


def bucket() -> ObjectStore:
    """The store itself, without tiers: what an edge network is served from must not be asked of that network."""
    store = ledger().driver.store
    return store.bucket if isinstance(store, TieredStore) else store


def open_ledger(project_id: UUID) -> Project:
    """One project's history and contents."""
    if current().cdn_base_url:
        from micelio.projects.cdn import learn

        learn(project_id)
    return ledger().open(project_id.hex)


def stored(*lines: UUID) -> tuple[int, int]:
    """(bytes, number) of the objects of these lines in the store; what a fork reads of its origin is not its own."""
    size, objects = 0, 0
    for line in lines:
        for item in bucket().list(f"projects/{line.hex}/"):
            size, objects = size + item.size, objects + 1
    return size, objects
