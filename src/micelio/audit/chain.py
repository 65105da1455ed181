"""The hash chain over the audit log: what was sealed cannot be changed, left out or put in unseen.

    digest of an event = SHA-256(digest before it | the event as JSON)

An event as JSON has its keys in order, no spaces, UTF-8, and its time in microseconds of UTC. A seal keeps the digest
after the last event of a stretch, so anybody with the events of that stretch can check it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from micelio.audit.models import AuditEvent

# Before the first event.
BEGINNING = bytes(32)


def as_data(event: AuditEvent) -> dict[str, Any]:
    """An event with every field, as it is exported and hashed."""
    return {
        "id": event.pk,
        "at": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor_id": str(event.actor_id) if event.actor_id else None,
        "actor": event.actor_handle,
        "via": event.via,
        "address": event.address,
        "token": event.token,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "object": event.object_name,
        "project_id": str(event.project_id) if event.project_id else None,
        "organization_id": str(event.organization_id) if event.organization_id else None,
        "details": event.details,
    }


def line(event: AuditEvent) -> bytes:
    """An event as one line of JSON, without the line end."""
    return json.dumps(as_data(event), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def advance(digest: bytes, events: Iterable[AuditEvent]) -> tuple[bytes, int]:
    """(the digest after these events, how many there were)."""
    count = 0
    for event in events:
        digest = hashlib.sha256(digest + line(event)).digest()
        count += 1
    return digest, count
