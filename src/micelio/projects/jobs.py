"""Background work of the projects domain: what a deletion leaves to be done."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from micelio.jobs.job import job
from micelio.projects.erasure import erase, unfinished

# Whoever began to read a fork before it was independent may still be reading its origin's objects.
GRACE = timedelta(minutes=10)


@job(limit=timedelta(hours=12))
def erase_project(project_id: str) -> int:
    """Let the forks of a deleted project go, then remove its objects; how many there were."""
    removed = erase(UUID(project_id))
    if removed is None:
        erase_project.using(run_after=timezone.now() + GRACE).enqueue(project_id)
        return 0
    return removed


@job(daily=True)
def finish_erasures() -> int:
    """Once a day: take up deletions that nobody is working at, as after a restored database. Returns how many."""
    waiting = unfinished()
    for project_id in waiting:
        erase_project.enqueue(str(project_id))
    return len(waiting)
