"""Writing to the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import connection, transaction

from micelio.audit.models import AuditEvent
from micelio.audit.origin import current_address
from micelio.audit.seals import wait_for_seal


class Acting(Protocol):
    """What the log needs to know of whoever acts."""

    @property
    def user_id(self) -> UUID | None: ...
    @property
    def handle(self) -> str: ...
    @property
    def via(self) -> str: ...
    @property
    def token(self) -> str: ...


class Event(NamedTuple):
    """An event that is yet to be recorded. Whoever makes it stands in the request that it belongs to."""

    actor: Acting
    action: str
    object_type: str
    object_id: UUID | str
    name: str
    project_id: UUID | None
    organization_id: UUID | None
    details: Mapping[str, Any]
    address: str


def make_event(
    actor: Acting,
    action: str,
    object_type: str,
    object_id: UUID | str,
    name: str = "",
    *,
    project_id: UUID | None = None,
    organization_id: UUID | None = None,
    **details: Any,
) -> Event:
    """An event of the request that this thread serves.

    Whoever manages the project or the organization may read it; what the act is done to counts as such by itself.
    """
    if isinstance(object_id, UUID):
        project_id = object_id if object_type == "project" else project_id
        organization_id = object_id if object_type == "organization" else organization_id
    return Event(actor, action, object_type, object_id, name, project_id, organization_id, details, current_address())


def record(
    actor: Acting,
    action: str,
    object_type: str,
    object_id: UUID | str,
    name: str = "",
    *,
    project_id: UUID | None = None,
    organization_id: UUID | None = None,
    **details: Any,
) -> None:
    """Add one event, as `make_event` makes it. Must run inside the transaction of the act: both happen or neither."""
    places = {"project_id": project_id, "organization_id": organization_id}
    record_all([make_event(actor, action, object_type, object_id, name, **places, **details)])


def record_all(events: Sequence[Event]) -> None:
    """Add events, in their order, in one statement. Must run as `record` must."""
    assert connection.in_atomic_block, "an audit event belongs to the transaction of its act"
    wait_for_seal()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            actor_id=event.actor.user_id,
            actor_handle=event.actor.handle,
            via=event.actor.via,
            action=event.action,
            object_type=event.object_type,
            object_id=str(event.object_id),
            object_name=event.name,
            details=dict(event.details),
            address=event.address,
            token=event.actor.token,
            project_id=event.project_id,
            organization_id=event.organization_id,
        )
        for event in events
    )


def record_export(
    actor: Acting, name: str, project_id: UUID | None, organization_id: UUID | None, wanted: Mapping[str, str]
) -> None:
    """Who took a log away, and which part of it. The log itself is read by whom its own domain has let in."""
    kind, thing = ("project", project_id) if project_id is not None else ("organization", organization_id)
    if thing is None:
        kind, thing = "account" if name else "forge", actor.user_id if name else None
    with transaction.atomic():
        details: dict[str, Any] = dict(wanted)
        record(
            actor,
            "audit.export",
            kind,
            thing or "",
            name,
            project_id=project_id,
            organization_id=organization_id,
            **details,
        )
