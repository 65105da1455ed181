"""The data plane of each project, shared by every door of this process."""

from __future__ import annotations

import threading
from uuid import UUID

from mic.ledger.project import Ledger, Project
from mic.store import ObjectStore
from mic.store.tiers import TieredStore
from micelio.config import current
from micelio.projects.stores import open_store

# Reads of a bucket take tens of milliseconds each and are asked side by side; those of a directory are not worth it.
_PARALLEL = 16

_lock = threading.Lock()
_ledger: Ledger | None = None


def ledger() -> Ledger:
    """All projects of the configured store. Raises Unavailable when it is a bucket that cannot be examined."""
    global _ledger
    if _ledger is None:
        with _lock:
            if _ledger is None:
                settings = current()
                _ledger = Ledger(open_store(settings), parallel=0 if settings.s3 is None else _PARALLEL)
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
