"""Background work of those who run the forge: erasing, and looking for copies that came late."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from mic.core.errors import NotFound
from micelio.config import current
from micelio.jobs.job import job
from micelio.operators import purges
from micelio.projects import cdn
from micelio.projects.ledgers import open_ledger
from micelio.sessions.git_view import kept_objects

# An upload that was under way during an erasure waits a week at most, and goes a day later.
_LATE_DAYS = 9


@job(limit=timedelta(hours=12))
def carry_out_purge(purge_id: str) -> bool:
    """Erase what was asked for and confirmed; whether it was this run that came to its end."""
    return purges.carry_out(UUID(purge_id))


@job(limit=timedelta(minutes=5))
def tell_edge(urls: list[str]) -> int:
    """Tell the edge network what is gone, until it says that it heard; how many addresses."""
    if current().cdn_purge_url:
        cdn.tell_gone(urls)
    return len(urls)


@job(daily=True, limit=timedelta(hours=12))
def sweep_erased() -> int:
    """Once a day: take up erasures that nobody is working at, and remove late copies. How many objects had one."""
    for purge_id in purges.unfinished():
        carry_out_purge.enqueue(str(purge_id))
    found = 0
    for project_id in purges.lately(_LATE_DAYS):
        try:
            found += len(open_ledger(project_id).sweep())
            kept_objects(project_id).erase()
        except NotFound:
            continue  # the project is gone
    return found
