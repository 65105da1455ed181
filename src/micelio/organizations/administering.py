"""All organizations, for those who run the forge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import require_admin, require_whole
from micelio.organizations.models import Invitation, Membership, Organization
from micelio.organizations.roles import Role


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


def owned_alone(actor: Actor, user_id: UUID) -> list[str]:
    """The organizations that would have no owner without this account, by handle. Raises PermissionDenied."""
    require_whole(actor)
    require_admin(actor)
    owned = Membership.objects.filter(role=Role.OWNER)
    others = owned.filter(organization=OuterRef("organization")).exclude(user_id=user_id)
    found = owned.filter(user_id=user_id).exclude(Exists(others))
    return sorted(found.values_list("organization__handle", flat=True))


def forget_addresses(actor: Actor, emails: Iterable[str]) -> int:
    """Remove invitations that were made for one of these addresses; how many. Raises PermissionDenied."""
    require_whole(actor)
    require_admin(actor)
    wanted = Q(pk__in=[])
    for email in emails:
        wanted |= Q(email__iexact=email)
    removed, _ = Invitation.objects.filter(wanted).delete()
    return removed
