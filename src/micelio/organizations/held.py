"""What the organizations room holds about one account, for whoever asks for their own data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from micelio.organizations.models import Membership


def held(user_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of each thing."""
    found = Membership.objects.filter(user=user_id).select_related("organization").order_by("created_at", "id")
    for membership in found:
        yield (
            "organization",
            {
                "handle": membership.organization.handle, "name": membership.organization.name,
                "role": membership.role, "since": membership.created_at,
            },
        )  # fmt: skip
