"""Reading organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.names import holder_of
from micelio.audit import queries as audit
from micelio.audit.models import AuditEvent
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import (
    asks_once,
    is_inside,
    looked_up,
    note_role,
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
    # Who belongs to it mostly asks for all of theirs next, which are then known.
    own = _all(actor, actor.user_id) if actor.user_id is not None and asks_once() else None
    mine = next((row.view for row in own or () if row.counts and row.view.handle == sought(handle)), None)
    if mine is not None:
        return mine
    found = find(handle)
    is_complete = own is not None and len(own) < MAX_PAGE
    if actor.user_id is not None and is_complete and all(row.view.id != found.id for row in own or ()):
        note_role(actor.user_id, found.id, None)
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
    if actor.user_id is None:
        return []
    if after or not asks_once():
        return [own.view for own in _looked_for(actor, actor.user_id, after, limit)]
    return [own.view for own in _all(actor, actor.user_id)[:limit]]


def memberships(actor: Actor, after: str = "", limit: int = 50) -> list[OrganizationView]:
    """As `list_organizations`, for rules that need them to judge about something else."""
    if actor.user_id is None:
        return []
    if after or limit != MAX_PAGE:
        return [own.view for own in _looked_for(actor, actor.user_id, after, limit) if own.counts]
    return [own.view for own in _all(actor, actor.user_id) if own.counts]


@dataclass(frozen=True, slots=True)
class _Own:
    """A membership, and what keeps it from being a right: a second factor that is lacking, where the actor is."""

    view: OrganizationView
    open: bool
    inside: bool

    @property
    def counts(self) -> bool:
        return self.open and self.inside


def _all(actor: Actor, user_id: UUID) -> list[_Own]:
    """All of the actor's. Every list and search asks for them; whom they are given to changes nothing in them."""

    def ask() -> list[_Own]:
        found = _looked_for(actor, user_id, "", MAX_PAGE)
        for own in found if len(found) < MAX_PAGE else []:
            note_role(user_id, own.view.id, own.view.role if own.counts else None)
        return found

    return looked_up(("memberships", actor), ask)


def _looked_for(actor: Actor, user_id: UUID, after: str, limit: int) -> list[_Own]:
    own = Membership.objects.filter(user_id=user_id, organization__handle__gt=sought(after))
    rows = own.select_related("organization").annotate(open=Q(open_to(user_id, "organization__")))
    rows = rows.order_by("organization__handle")[: min(limit, MAX_PAGE)]
    return [
        _Own(view(row.organization, row.role), row.open, is_inside(actor, *_list_of(row.organization), row.role))
        for row in rows
    ]


def _list_of(organization: Organization) -> tuple[str, bool]:
    return organization.networks, organization.networks_let_tokens


def kept_out(actor: Actor, organization_id: UUID) -> tuple[bool, bool]:
    """What keeps a member from being one: (a second factor that is asked for, where the actor is now)."""
    require_seeing(actor)
    own = _all(actor, actor.user_id) if actor.user_id is not None else []
    found = next((row for row in own if row.view.id == organization_id), None)
    return (not found.open, not found.inside) if found is not None else (False, False)


def list_members(actor: Actor, org_handle: str, after: str = "", limit: int = 50) -> list[Member]:
    """Members by handle, behind `after`; only members may ask. Raises NotFound, PermissionDenied, Unauthenticated."""
    require_seeing(actor)
    organization = find(org_handle)
    return members_of(actor, view(organization, None), after, limit)


def members_of(actor: Actor, organization: OrganizationView, after: str = "", limit: int = 50) -> list[Member]:
    """`list_members` of an organization that was looked up a moment ago."""
    require_seeing(actor)
    require_member(actor, organization.id, organization.handle)
    found = Membership.objects.filter(organization_id=organization.id, user__handle__gt=after)
    rows = found.order_by("user__handle").values_list("user__handle", "user__name", "role")
    return [Member(handle, name or handle, role) for handle, name, role in rows[: min(limit, MAX_PAGE)]]


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
