"""What stands on the first of the administrators' pages, and what the store says of itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from mic.store.doctor import Report
from mic.store.tiers import TieredStore
from micelio.accounts.actor import Actor
from micelio.accounts.administering import count_accounts
from micelio.audit.actions import record
from micelio.config import current
from micelio.jobs import queue
from micelio.operators.blocks import in_force
from micelio.operators.policy import require_operating
from micelio.organizations.administering import count_organizations
from micelio.projects.administering import count_projects
from micelio.projects.ledgers import ledger
from micelio.projects.stores import examined, good_report

# Of this process; that of a directory is kept nowhere else.
_latest: Report | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of the whole forge."""

    accounts: int
    accounts_active: int
    organizations: int
    projects: dict[str, int]
    jobs: dict[str, int]
    blocks: int


@dataclass(frozen=True, slots=True)
class TierCount:
    """What a tier before the store has answered since the start of this process."""

    name: str
    hits: int
    misses: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Storage:
    """The store. `report` is None while none is kept; bytes of the disk are None for a bucket."""

    address: str
    kind: str
    report: Report | None
    disk_total: int | None
    disk_free: int | None
    tiers: list[TierCount]


def overview(actor: Actor) -> Overview:
    """Raises PermissionDenied."""
    require_operating(actor)
    active, accounts = count_accounts(actor)
    organizations, projects = count_organizations(actor), count_projects(actor)
    return Overview(accounts, active, organizations, projects, queue.counts(), in_force().count())


def storage(actor: Actor) -> Storage:
    """The store as it is, with the newest report there is. Raises PermissionDenied."""
    require_operating(actor)
    settings = current()
    total, free = None, None
    if settings.s3 is None:
        disk = shutil.disk_usage(settings.store_dir)
        total, free = disk.total, disk.free
        address = str(settings.store_dir)
    else:
        address = settings.s3.address
    return Storage(address, settings.storage, _latest or good_report(settings), total, free, _tiers())


def examine_store(actor: Actor) -> Report:
    """Have the doctor look at the store now, which takes some seconds for a bucket. Raises PermissionDenied."""
    global _latest
    require_operating(actor)
    _latest = examined(current())
    return _latest


def jobs(actor: Actor, state: str, limit: int = 50) -> list[queue.JobRow]:
    """Jobs that are `waiting`, `running` or `failed`. Raises PermissionDenied."""
    require_operating(actor)
    return queue.rows(state, limit)


def job_counts(actor: Actor) -> dict[str, int]:
    """How many jobs there are in each state. Raises PermissionDenied."""
    require_operating(actor)
    return queue.counts()


@transaction.atomic
def retry_job(actor: Actor, job_id: UUID) -> str:
    """Run a failed job again; its name. Raises PermissionDenied, NotFound."""
    require_operating(actor)
    name = queue.retry(job_id)
    record(actor, "job.retry", "job", job_id, name)
    return name


def _tiers() -> list[TierCount]:
    store = ledger().driver.store
    if not isinstance(store, TieredStore):
        return []
    found = {name: getattr(store.counts, name) for name in ("ram", "disk", "edge", "bucket")}
    return [TierCount(name, count.hits, count.misses, count.bytes) for name, count in found.items()]
