"""Removing the objects of deleted projects, without taking anything from their forks.

The rows go first, when nobody can restore them any more, the objects later and only when every fork is independent.
What is to go is marked in the store, so that it goes even when the database with the job is lost.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from micelio.projects import line_registry, registry
from micelio.projects.ledgers import ledger
from micelio.projects.models import Project
from micelio.projects.names import UNDO
from micelio.projects.queries import rows, view


def erase(project_id: UUID) -> int | None:
    """Remove a deleted project's objects, or a deleted branch's; how many there were, None when its forks were let go
    just now.

    Then it should be called again when nobody reads through the old ties any more. What can still be restored is left
    alone. A project that is not deleted was restored, or the database is older than its erasure: its entry is written
    again. Raises Corrupt naming the object when a fork cannot be made whole; nothing is removed then.
    """
    row = rows(Project.lines).filter(id=project_id, deleted_at=None).first()
    if row is not None:
        _enter(row)
        ledger().pardon(project_id.hex)
        return 0
    if not _strike_out(project_id):
        return 0
    ledger().condemn(project_id.hex)
    # They go with it: nobody copies for them what they read here.
    removed = sum(map(_erase_line, list(line_registry.entries(project_id))))
    registry.strike(project_id)
    if ledger().release_forks(project_id.hex):
        return None
    removed += ledger().erase(project_id.hex)
    line_registry.strike(project_id)  # last, and only of a branch: its origin has forgotten it by now
    return removed


def _erase_line(line: line_registry.RegisteredLine) -> int:
    removed = ledger().erase(line.id.hex)
    line_registry.strike(line.id)
    return removed


def _enter(row: Project) -> None:
    if row.line_of_id is None:
        registry.enter(view(row, None))
    else:
        line_registry.enter(row)


def _strike_out(project_id: UUID) -> bool:
    """Remove the row of a project or branch whose days are over, if there is one; False when it can still be
    restored."""
    with transaction.atomic():
        row = Project.lines.filter(id=project_id).select_for_update(of=("self",)).first()
        if row is None:
            return True
        if row.deleted_at is None or row.deleted_at > timezone.now() - UNDO:
            return False
        # Before the commit: when that fails the row is still there, and the next run is here again.
        ledger().condemn(project_id.hex)
        if row.line_of_id is None:
            registry.strike(project_id)
        row.delete()
    return True


def unfinished() -> list[UUID]:
    """Projects that are marked as deleted and whose objects are still there."""
    return [UUID(name) for name in ledger().condemned()]


def overdue() -> list[UUID]:
    """Deleted projects and branches that can no longer be restored, and still have their row."""
    found = Project.lines.filter(deleted_at__lte=timezone.now() - UNDO)
    return list(found.values_list("id", flat=True))
