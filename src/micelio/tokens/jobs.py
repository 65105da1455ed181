"""Background work of the tokens domain."""

from __future__ import annotations

from micelio.jobs.job import job
from micelio.tokens import actions


@job(daily=True)
def purge_expired_tokens() -> int:
    """Once a day: remove tokens that have run out. Returns how many."""
    return actions.purge_expired()
