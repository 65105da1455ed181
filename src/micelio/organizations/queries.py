"""Reading organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from mic.core.errors import NotFound
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.names import holder_of
from micelio.audit import queries as audit
from micelio.audit.models import AuditEvent
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import (
    is_inside,
    looked_up,
    open_to,
    require_administering,
    require_manage,
    require_member,
    require_seeing,
    role_of,
)

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
    require_seeing(actor)
    found = find(handle)
    return view(found, role_of(actor, found.id))


def get_managed(actor: Actor, handle: str) -> OrganizationView:
    """An organization whose settings the actor may change. Raises as `require_manage`."""
    require_administering(actor)
    found = find(handle)
    require_manage(actor, found.id, found.handle)
    return view(found, role_of(actor, found.id))


def list_organizations(actor: Actor, after: str = "", limit: int = 50) -> list[OrganizationView]:
    """The organizations the actor belongs to, by handle, behind `after`. A visitor belongs to none."""
    require_seeing(actor)
    return _listed(_own(actor, after), limit)


def memberships(actor: Actor, after: str = "", limit: int = 50) -> list[OrganizationView]:
    """As `list_organizations`, for rules that need them to judge about something else."""
    if actor.user_id is None:
        return []
    if after or limit != MAX_PAGE:
        return _memberships(actor, actor.user_id, after, limit)
    # Of all of them every list and search asks; whom they are given to changes nothing in them.
    user_id = actor.user_id
    return list(looked_up(("memberships", actor), lambda: _memberships(actor, user_id, "", limit)))


def _memberships(actor: Actor, user_id: UUID, after: str, limit: int) -> list[OrganizationView]:
    own = _own(actor, after).filter(open_to(user_id, "organization__"))
    rows = own.select_related("organization").order_by("organization__handle")[: min(limit, MAX_PAGE)]
    inside = [row for row in rows if is_inside(actor, *_list_of(row.organization), row.role)]
    return [view(row.organization, row.role) for row in inside]


def _list_of(organization: Organization) -> tuple[str, bool]:
    return organization.networks, organization.networks_let_tokens


def _own(actor: Actor, after: str) -> QuerySet[Membership]:
    if actor.user_id is None:
        return Membership.objects.none()
    return Membership.objects.filter(user_id=actor.user_id, organization__handle__gt=sought(after))


def _listed(own: QuerySet[Membership], limit: int) -> list[OrganizationView]:
    rows = own.select_related("organization").order_by("organization__handle")[: min(limit, MAX_PAGE)]
    return [view(row.organization, row.role) for row in rows]


def list_members(actor: Actor, org_handle: str, after: str = "", limit: int = 50) -> list[Member]:
    """Members by handle, behind `after`; only members may ask. Raises NotFound, PermissionDenied, Unauthenticated."""
    require_seeing(actor)
    organization = find(org_handle)
    require_member(actor, organization.id, organization.handle)
    roles = dict(Membership.objects.filter(organization=organization).values_list("user_id", "role"))
    people = sorted(accounts.users_by_id(actor, roles).values(), key=lambda user: user.handle)
    members = [Member(user.handle, user.name, roles[user.id]) for user in people if user.handle > after]
    return members[: min(limit, MAX_PAGE)]


def organization_events(actor: Actor, handle: str) -> QuerySet[AuditEvent]:
    """What was done to an organization and its projects; only its admins may ask. Raises as `require_manage`."""
    require_administering(actor)
    organization = find(handle)
    require_manage(actor, organization.id, organization.handle)
    return audit.by_organization(organization.id)


def find(handle: str) -> Organization:
    """The row behind a handle, now or before it got another; for rooms that have asked a policy. Raises NotFound."""
    organization = Organization.objects.filter(handle=sought(handle)).first() or _renamed(handle)
    if organization is None:
        raise NotFound(f"There is no organization {handle!r}.", hint="List yours with `mic org list`.")
    return organization


def present_handle(handle: str) -> str:
    """The handle that an earlier one leads to, "" for what was no organization's earlier handle."""
    found = _renamed(handle)
    return found.handle if found is not None else ""


def _renamed(handle: str) -> Organization | None:
    holder = holder_of(handle, "organization")
    return Organization.objects.filter(id=holder).first() if holder is not None else None


def view(organization: Organization, role: str | None) -> OrganizationView:
    """The value of a row, for an actor with this role."""
    return OrganizationView(
        organization.id, organization.handle, organization.name, organization.description, role, organization.created_at
    )
