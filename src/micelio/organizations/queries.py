"""Reading organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mic.core.errors import NotFound
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import require_member, role_of

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """An organization as one actor sees it; `role` is the actor's own, None for outsiders."""

    id: UUID
    handle: str
    name: str
    description: str
    role: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """One account in an organization."""

    handle: str
    name: str
    role: str


def get_organization(actor: Actor, handle: str) -> OrganizationView:
    """The organization with this handle; its name is public. Raises NotFound."""
    found = find(handle)
    return view(found, role_of(actor, found.id))


def list_organizations(actor: Actor, after: str = "", limit: int = 50) -> list[OrganizationView]:
    """The organizations the actor belongs to, by handle, behind `after`. A visitor belongs to none."""
    if actor.user_id is None:
        return []
    own = Membership.objects.filter(user_id=actor.user_id, organization__handle__gt=after)
    rows = own.select_related("organization").order_by("organization__handle")[: min(limit, MAX_PAGE)]
    return [view(row.organization, row.role) for row in rows]


def list_members(actor: Actor, org_handle: str, after: str = "", limit: int = 50) -> list[Member]:
    """Members by handle, behind `after`; only members may ask. Raises NotFound, PermissionDenied, Unauthenticated."""
    organization = find(org_handle)
    require_member(actor, organization.id, organization.handle)
    roles = dict(Membership.objects.filter(organization=organization).values_list("user_id", "role"))
    people = sorted(accounts.users_by_id(actor, roles).values(), key=lambda user: user.handle)
    members = [Member(user.handle, user.name, roles[user.id]) for user in people if user.handle > after]
    return members[: min(limit, MAX_PAGE)]


def find(handle: str) -> Organization:
    """The row behind a handle. Raises NotFound."""
    organization = Organization.objects.filter(handle=handle.strip().lower()).first()
    if organization is None:
        raise NotFound(f"There is no organization {handle!r}.", hint="List yours with `mic org list`.")
    return organization


def view(organization: Organization, role: str | None) -> OrganizationView:
    """The value of a row, for an actor with this role."""
    return OrganizationView(
        organization.id, organization.handle, organization.name, organization.description, role, organization.created_at
    )
