"""Background work of the projects domain: what a deletion leaves to be done, and storing old versions smaller."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from mic.core.errors import MicError
from mic.store.refused import RefusedStore
from micelio.jobs.job import job
from micelio.projects import limits, registry
from micelio.projects.collecting import collect_apart
from micelio.projects.collector import Asked
from micelio.projects.erasure import erase, overdue, unfinished
from micelio.projects.ledgers import bucket, ledger, open_ledger, stored
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import all_lines, exists, lines_of, rows, view

_log = logging.getLogger("micelio.projects")

# Whoever began to read a fork before it was independent may still be reading its origin's objects.
GRACE = timedelta(minutes=10)


@job(limit=timedelta(hours=12))
def erase_project(project_id: str) -> int:
    """Let the forks of a deleted project go, then remove its objects; how many there were.

    Enqueued with the deletion, for when it can no longer be taken back.
    """
    removed = erase(UUID(project_id))
    if removed is None:
        erase_project.using(run_after=timezone.now() + GRACE).enqueue(project_id)
        return 0
    return removed


@job(daily=True)
def finish_erasures() -> int:
    """Once a day: take up deletions that nobody is working at, as after a restored database. Returns how many."""
    waiting = {*unfinished(), *overdue()}
    for project_id in waiting:
        erase_project.enqueue(str(project_id))
    return len(waiting)


# Where nothing is limited the numbers are for whoever runs the forge, and a look lists all objects.
_SELDOM = timedelta(hours=23)


@job(every=timedelta(hours=6), limit=timedelta(hours=6))
def measure_storage() -> int:
    """Look at how much is stored: four times a day where that is limited, else once. Returns how many projects."""
    return sum(map(_measure, limits.owners()))


@job(limit=timedelta(hours=6))
def measure_organization(organization_id: str) -> int:
    """As `measure_storage`, of one organization and soon: much was uploaded, or somebody wants to know."""
    return _measure(UUID(organization_id), all_of_it=True)


def stored_much(project: ProjectView) -> None:
    """For whoever has stored much at once: look soon at how much its owner stores, if that is limited."""
    if limits.limits_of(project.owner_id).stored_bytes:
        measure_organization.enqueue(str(project.owner_id))


def _measure(owner: UUID, *, all_of_it: bool = False) -> int:
    often = all_of_it or limits.limits_of(owner).stored_bytes
    projects = limits.owned(owner, None if often else timezone.now() - _SELDOM)
    for project_id in projects:
        limits.measured(project_id, *stored(project_id, *lines_of(project_id)))
    limits.weigh(owner)
    return len(projects)


@job()
def enter_again(organization_id: str) -> int:
    """Write the registry's entries that name an organization anew: it has another handle. Returns how many."""
    organization = UUID(organization_id)
    found = rows().filter(Q(owner=organization) | Q(confinements__organization=organization)).distinct()
    for project in found:
        registry.enter(view(project, None))
    return len(found)


@job(limit=timedelta(hours=6))
def roll_project(project_id: str) -> int:
    """Write the rollups of what was sealed, so that who touched a path is told quickly. Returns how many."""
    return open_ledger(UUID(project_id)).roll() if exists(UUID(project_id)) else 0


# Of one project in one night: the other jobs wait meanwhile, and a run that cannot be written is not tried for ever.
COMPACTED = 32


@job(daily=True, limit=timedelta(hours=12))
def compact_projects() -> int:
    """Once a day: put the older versions of files into groups, the oldest landings first. Returns how many runs."""
    done = 0
    for project_id in all_lines():
        try:
            for _ in range(COMPACTED):
                if not open_ledger(project_id).compact():
                    break
                done += 1
        except (MicError, OSError) as error:
            _log.error("project %s: its old versions stay as they are: %s", project_id, error)
    return done


@job(daily=True, limit=timedelta(hours=12))
def collect_projects() -> int:
    """Once a day: a round of removing what nothing names, see `mic.ledger.collect`. Returns how many objects went."""
    lines = [project_id.hex for project_id in all_lines()]
    if not lines or isinstance(bucket(), RefusedStore):
        return 0
    done = 0
    for told in collect_apart(Asked(lines, sequenced=ledger().sequenced)):
        project_id = UUID(told.line)
        if told.error:
            _log.error("project %s: what nothing names stays where it is: %s", project_id, told.error)
        done += told.removed
        for name, why in told.stuck.items():
            _log.error("project %s: %s cannot be removed: %s", project_id, name, why)
    return done
