"""All organizations, for those who run the forge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import require_admin, require_whole
from micelio.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization as an administrator of the forge sees it: its name and size, nothing of what it holds."""

    id: UUID
    handle: str
    name: str
    members: int
    created_at: datetime


def all_organizations(actor: Actor, find: str = "", after: str = "", limit: int = 50) -> list[OrganizationRow]:
    """Organizations by handle, behind `after`; with `find` in handle or name. Raises PermissionDenied."""
    require_whole(actor)
    require_admin(actor)
    found = Organization.objects.filter(handle__gt=sought(after)).annotate(members=Count("memberships"))
    if text := find.replace("\x00", "").strip():
        found = found.filter(Q(handle__icontains=text) | Q(name__icontains=text))
    rows = found.order_by("handle")[: min(limit, 1000)]
    return [OrganizationRow(row.id, row.handle, row.name, row.members, row.created_at) for row in rows]


def count_organizations(actor: Actor) -> int:
    """How many there are. Raises PermissionDenied."""
    require_whole(actor)
    require_admin(actor)
    return Organization.objects.count()
