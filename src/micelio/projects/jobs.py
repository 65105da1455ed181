"""Background work of the projects domain: what a deletion leaves to be done, and storing old versions smaller."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from mic.core.errors import MicError
from micelio.jobs.job import job
from micelio.projects.erasure import erase, unfinished
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import all_project_ids

_log = logging.getLogger("micelio.projects")

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


# Of one project in one night: the other jobs wait meanwhile, and a run that cannot be written is not tried for ever.
COMPACTED = 32


@job(daily=True, limit=timedelta(hours=12))
def compact_projects() -> int:
    """Once a day: put the older versions of files into groups, the oldest landings first. Returns how many runs."""
    done = 0
    for project_id in all_project_ids():
        try:
            for _ in range(COMPACTED):
                if not open_ledger(project_id).compact():
                    break
                done += 1
        except (MicError, OSError) as error:
            _log.error("project %s: its old versions stay as they are: %s", project_id, error)
    return done
