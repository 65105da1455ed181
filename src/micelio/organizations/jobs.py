"""Background work of the organizations domain."""

from __future__ import annotations

from micelio.jobs.job import job
from micelio.organizations.invitations import purge_invitations


@job(daily=True)
def purge_answered() -> int:
    """Once a day: remove invitations that were answered or ran out long ago. Returns how many."""
    return purge_invitations()
