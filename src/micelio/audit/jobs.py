"""Background work of the audit log."""

from __future__ import annotations

from datetime import timedelta

from micelio.audit.once import forget_old
from micelio.audit.seals import seal
from micelio.jobs.job import job


@job(every=timedelta(minutes=10))
def seal_events() -> int:
    """Seal the events of the last minutes; how many."""
    return seal()


@job(daily=True)
def forget_what_was_noted() -> int:
    """Remove marks that have run out; how many."""
    return forget_old()
