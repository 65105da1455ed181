"""The thread that carries imports out, one after the other. What waits is in the database, and found there again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from micelio.cluster.presence import PROCESS, is_alive
from micelio.databases import let_go
from micelio.imports.models import GitImport, State

_log = logging.getLogger("micelio.imports")

# Between two looks through the database, in seconds: only what another process left is found by it.
SWEEP = 60.0
# So often an import is tried again whose store or source does not answer.
ATTEMPTS = 5

_due = threading.Event()
_failures: dict[UUID, int] = {}
_stopping = threading.Event()


def add(import_id: UUID) -> None:
    """Have an import carried out. It is found in the database; this only wakes whoever looks there."""
    _due.set()


def rest(import_id: UUID) -> bool:
    """Whether an import that failed for a reason that may pass is tried again, at the next look."""
    _failures[import_id] = _failures.get(import_id, 0) + 1
    return _failures[import_id] <= ATTEMPTS


def stopping() -> bool:
    """Whether this process is ending: whoever works on an import leaves it as it is then."""
    return _stopping.is_set()


def work_on_one() -> bool:
    """Carry out the import that has waited longest; whether there was one."""
    from micelio.imports.run import carry_out

    row = _claimed()
    if row is None:
        return False
    carry_out(row)
    return True


def _claimed() -> GitImport | None:
    """The next import, as this process's own."""
    rows = GitImport.objects.filter(
        Q(state=State.WAITING) | (Q(state__in=(State.RUNNING, State.CANCELED)) & ~Q(worker=""))
    )
    for row in rows.order_by("created_at"):
        if row.worker and is_alive(row.worker):
            continue
        taken = GitImport.objects.filter(id=row.id, state=row.state, worker=row.worker)
        state = State.CANCELED if row.state == State.CANCELED else State.RUNNING
        if taken.update(state=state, worker=PROCESS, updated_at=timezone.now()):
            return GitImport.objects.get(id=row.id)
    return None


def start() -> Callable[[], None]:
    """Start the thread; returns the function that stops it."""
    _stopping.clear()
    thread = threading.Thread(target=_loop, name="imports", daemon=True)
    thread.start()

    def stop() -> None:
        _stopping.set()
        _due.set()
        thread.join(timeout=5)

    return stop


def _loop() -> None:
    while not _stopping.is_set():
        let_go()
        _due.clear()
        try:
            if work_on_one():
                continue
        except DatabaseError:
            _log.exception("imports could not be read; trying again")
        except Exception:
            _log.exception("an import failed in a way that nobody expected")
        let_go()
        if not _stopping.is_set():
            _due.wait(SWEEP)
    connection.close()
