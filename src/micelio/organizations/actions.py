"""Writing organizations and memberships."""

from __future__ import annotations

from django.db import transaction

from mic.core.errors import InvalidInput, NotFound, PermissionDenied
from micelio.accounts import queries as accounts
from micelio.accounts.actions import claim_handle
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import parse_handle
from micelio.audit.actions import record
from micelio.organizations.models import Membership, Organization, Role
from micelio.organizations.policy import require_create, require_manage
from micelio.organizations.queries import Member, OrganizationView, find, view


@transaction.atomic
def create_organization(actor: Actor, handle: str, name: str = "", description: str = "") -> OrganizationView:
    """Make an organization with the actor as its admin. Raises Unauthenticated, InvalidInput, AlreadyExists."""
    user_id = require_create(actor)
    handle = parse_handle(handle)
    claim_handle(handle, "organization")
    organization = Organization.objects.create(
        handle=handle, name=_line(name, "name", 200) or handle, description=_line(description, "description", 2000)
    )
    Membership.objects.create(organization=organization, user_id=user_id, role=Role.ADMIN)
    record(actor, "organization.create", "organization", organization.id, handle)
    return view(organization, Role.ADMIN)


@transaction.atomic
def invite_member(actor: Actor, org_handle: str, handle: str, role: str = "member") -> Member:
    """Add an account, or give a member another role. Raises NotFound, PermissionDenied, InvalidInput."""
    organization = find(org_handle)
    require_manage(actor, organization.id, organization.handle)
    if role not in Role.values:
        raise InvalidInput(f"{role[:40]!r} is not a role.", hint="Use admin or member.")
    user = accounts.get_user(actor, handle)
    if role != Role.ADMIN:
        _keep_an_admin(organization, user.id)
    Membership.objects.update_or_create(organization=organization, user_id=user.id, defaults={"role": role})
    record(actor, "organization.invite", "organization", organization.id, organization.handle, member=handle, role=role)
    return Member(user.handle, user.name, role)


@transaction.atomic
def remove_member(actor: Actor, org_handle: str, handle: str) -> None:
    """Remove a member, as an admin or the member itself. Raises NotFound, PermissionDenied."""
    organization = find(org_handle)
    user = accounts.get_user(actor, handle)
    if require_signed_in(actor) != user.id:
        require_manage(actor, organization.id, organization.handle)
    _keep_an_admin(organization, user.id)
    removed, _ = Membership.objects.filter(organization=organization, user_id=user.id).delete()
    if not removed:
        raise NotFound(f"{user.handle} is not a member of {organization.handle}.", hint="List members first.")
    record(actor, "organization.remove", "organization", organization.id, organization.handle, member=user.handle)


def _keep_an_admin(organization: Organization, leaving: object) -> None:
    admins = set(
        Membership.objects.filter(organization=organization, role=Role.ADMIN).values_list("user_id", flat=True)
    )
    if admins == {leaving}:
        raise PermissionDenied(
            f"{organization.handle} would be left without an admin.", hint="Make somebody else an admin first."
        )


def _line(text: str, what: str, limit: int) -> str:
    text = text.strip()
    if len(text) > limit or "\x00" in text:
        raise InvalidInput(f"The {what} is longer than {limit} characters or holds a NUL.", hint="Shorten it.")
    return text
