"""Background work: files whose time is over, and what is left over of archives that did not arrive."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from mic.core.errors import NotFound
from mic.ledger.archive import ARRIVING, arrived, forget
from micelio.exports import kept
from micelio.exports.actions import expire_old
from micelio.exports.archive_in import SECONDS
from micelio.exports.models import Export
from micelio.jobs.job import job
from micelio.projects.ledgers import ledger
from micelio.projects.queries import exists


@job(every=timedelta(hours=1))
def expire_exports() -> int:
    """Remove files whose day is over, and those that no row tells of; how many."""
    gone = expire_old()
    found = kept.runs()
    known = set(Export.objects.filter(id__in=found).values_list("id", flat=True))
    for run in found - known:
        kept.remove(run)
    return gone + len(found - known)


@job(daily=True)
def forget_arrivals() -> int:
    """Remove what is left over of archives whose import was killed; how many lines."""
    driver, removed = ledger().driver, 0
    late = timezone.now().timestamp() * 1000 - 2 * SECONDS * 1000
    for item in list(driver.store.list(ARRIVING)):
        name = item.key.removeprefix(ARRIVING)
        try:
            since = int(driver.store.get(item.key).data)
        except (NotFound, ValueError):
            continue
        if since > late:
            continue
        if exists(UUID(name)):
            driver.run(arrived(name))
        else:
            driver.run(forget(name))
            removed += 1
    return removed
