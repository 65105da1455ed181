"""Removing the objects of deleted projects, without taking anything from their forks.

The rows go first and at once, the objects later and only when every fork is independent. What is to go is marked in
the store, so that it goes even when the database with the job is lost.
"""

from __future__ import annotations

from uuid import UUID

from micelio.projects import registry
from micelio.projects.ledgers import ledger
from micelio.projects.queries import rows, view


def erase(project_id: UUID) -> int | None:
    """Remove a deleted project's objects; how many there were, None when its forks were let go just now.

    Then it should be called again when nobody reads through the old ties any more. A project that has rows was not
    deleted after all, since the transaction failed: its entry is written again. Raises Corrupt naming the object when
    a fork cannot be made whole; nothing is removed then.
    """
    row = rows().filter(id=project_id).first()
    if row is not None:
        registry.enter(view(row, None))
        ledger().pardon(project_id.hex)
        return 0
    ledger().condemn(project_id.hex)
    registry.strike(project_id)
    if ledger().release_forks(project_id.hex):
        return None
    return ledger().erase(project_id.hex)


def unfinished() -> list[UUID]:
    """Projects that are marked as deleted and whose objects are still there."""
    return [UUID(name) for name in ledger().condemned()]
