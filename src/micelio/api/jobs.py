"""Background work of this door."""

from __future__ import annotations

from datetime import timedelta

from micelio.api import idempotency
from micelio.jobs.job import job


@job(every=timedelta(hours=1))
def purge_kept_answers() -> int:
    """Every hour: forget answers whose time is over. Returns how many."""
    return idempotency.purge_expired()
