"""The thread that carries imports out. What waits is in the database, and found there again."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from micelio.imports.models import GitImport, State
from micelio.jobs.run import claim
from micelio.jobs.run_thread import RunThread

# Between two looks through the database, in seconds: only what another process left is found by it.
SWEEP = 60.0
# So often an import is tried again whose store or source does not answer.
ATTEMPTS = 5

_failures: dict[UUID, int] = {}


def rest(import_id: UUID) -> bool:
    """Whether an import that failed for a reason that may pass is tried again, at the next look."""
    _failures[import_id] = _failures.get(import_id, 0) + 1
    return _failures[import_id] <= ATTEMPTS


def work_on_one() -> bool:
    """Carry out the import that has waited longest; whether there was one."""
    from micelio.imports.run import carry_out

    rows = GitImport.objects.filter(
        Q(state=State.WAITING) | (Q(state__in=(State.RUNNING, State.CANCELED)) & ~Q(worker=""))
    )
    row = claim(rows.order_by("created_at"), lambda row: row.state if row.state == State.CANCELED else State.RUNNING)
    if row is None:
        return False
    carry_out(row)
    return True


thread = RunThread("imports", work_on_one, lambda: SWEEP)
