"""Writing to the audit log."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from micelio.audit.models import AuditEvent


class Acting(Protocol):
    """What the log needs to know of whoever acts."""

    @property
    def user_id(self) -> UUID | None: ...
    @property
    def handle(self) -> str: ...
    @property
    def via(self) -> str: ...


def record(actor: Acting, action: str, object_type: str, object_id: UUID | str, name: str = "", **details: Any) -> None:
    """Add one event. Must run inside the transaction that does the act, so that both happen or neither."""
    assert connection.in_atomic_block, "an audit event belongs to the transaction of its act"
    AuditEvent.objects.create(
        actor_id=actor.user_id,
        actor_handle=actor.handle,
        via=actor.via,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        object_name=name,
        details=details,
    )
