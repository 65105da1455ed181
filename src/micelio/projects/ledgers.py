"""The data plane of each project, shared by every door of this process."""

from __future__ import annotations

import threading
from uuid import UUID

from mic.ledger.project import Ledger, Project
from mic.store import DirectoryStore
from micelio.config import current

_lock = threading.Lock()
_ledger: Ledger | None = None


def ledger() -> Ledger:
    """All projects of the configured store."""
    global _ledger
    if _ledger is None:
        with _lock:
            if _ledger is None:
                _ledger = Ledger(DirectoryStore(current().store_dir))
    return _ledger


def open_ledger(project_id: UUID) -> Project:
    """One project's history and contents."""
    return ledger().open(project_id.hex)
