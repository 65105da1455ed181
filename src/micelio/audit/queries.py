"""Reading the audit log. Who may read which part of it is judged by the domain that the part belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from micelio.audit.chain import line
from micelio.audit.models import AuditEvent

MAX_PAGE = 1000


def by_project(project_id: UUID) -> QuerySet[AuditEvent]:
    """What was done to a project and its sessions."""
    return AuditEvent.objects.filter(project_id=project_id)


def by_organization(organization_id: UUID) -> QuerySet[AuditEvent]:
    """What was done to an organization and its projects."""
    return AuditEvent.objects.filter(organization_id=organization_id)


def by_account(user_id: UUID) -> QuerySet[AuditEvent]:
    """What an account did, and what was done to it."""
    return AuditEvent.objects.filter(Q(actor_id=user_id) | Q(object_type="account", object_id=str(user_id)))


def everything() -> QuerySet[AuditEvent]:
    """All of it."""
    return AuditEvent.objects.all()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of a log: an actor's by handle, of an act (`project.update`) or a kind (`project`), of some days.

    Both days are whole days of UTC and belong to it. What is empty or None does not matter.
    """

    actor: str = ""
    act: str = ""
    since: date | None = None
    until: date | None = None

    def of(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Those of the events that are wanted."""
        if self.actor:
            events = events.filter(actor_handle=self.actor)
        if self.act:
            events = events.filter(Q(action=self.act) | Q(action__startswith=f"{self.act}."))
        if self.since is not None:
            events = events.filter(at__gte=_midnight(self.since))
        if self.until is not None:
            events = events.filter(at__lt=_midnight(self.until) + timedelta(days=1))
        return events


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def newest(events: QuerySet[AuditEvent], before: int | None, limit: int) -> list[AuditEvent]:
    """One page, newest first, those before event number `before`."""
    if before is not None:
        events = events.filter(id__lt=before)
    return list(events.order_by("-id")[: min(limit, MAX_PAGE)])


def lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """All of them as JSON Lines, oldest first."""
    for event in events.order_by("id").iterator():
        yield line(event) + b"\n"
