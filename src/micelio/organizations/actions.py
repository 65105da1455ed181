"""Writing organizations and memberships. Who joins does so by an invitation: see `invitations`."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError

from mic.core.errors import InvalidInput, NotEmpty, NotFound, PermissionDenied
from micelio.accounts.actions import claim_handle
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import parse_handle, sought
from micelio.accounts.names import bury, take_another
from micelio.accounts.profiles import forget_profile
from micelio.audit.actions import record
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import (
    forget_roles,
    require_administering,
    require_change,
    require_create,
    require_manage,
    require_owner,
    role_of,
)
from micelio.organizations.queries import Member, OrganizationView, find, view
from micelio.organizations.roles import Role, parse_role
from micelio.organizations.signals import renamed

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2000


@transaction.atomic
def create_organization(actor: Actor, handle: str, name: str = "", description: str = "") -> OrganizationView:
    """Make an organization with the actor as its owner. Raises Unauthenticated, InvalidInput, AlreadyExists."""
    user_id = require_create(actor)
    handle = parse_handle(handle)
    claim_handle(handle, "organization")
    organization = Organization.objects.create(
        handle=handle,
        name=_line(name, "name", NAME_LENGTH) or handle,
        description=_line(description, "description", DESCRIPTION_LENGTH),
    )
    Membership.objects.create(organization=organization, user_id=user_id, role=Role.OWNER)
    forget_roles()
    record(actor, "organization.create", "organization", organization.id, handle)
    return view(organization, Role.OWNER)


@transaction.atomic
def update_organization(
    actor: Actor, org_handle: str, *, name: str | None = None, description: str | None = None
) -> OrganizationView:
    """Change what an organization is called; None leaves a thing as it is. For its admins.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput.
    """
    organization = held(actor, org_handle)
    require_manage(actor, organization.id, organization.handle)
    wanted: dict[str, str] = {}
    if name is not None:
        wanted["name"] = _line(name, "name", NAME_LENGTH) or organization.handle
    if description is not None:
        wanted["description"] = _line(description, "description", DESCRIPTION_LENGTH)
    before = {field: getattr(organization, field) for field in wanted}
    changed = {field: text for field, text in wanted.items() if text != before[field]}
    if changed:
        Organization.objects.filter(id=organization.id).update(**changed)
        of_those = {field: before[field] for field in changed}
        record(
            actor, "organization.update", "organization", organization.id, organization.handle,
            before=of_those, after=changed,
        )  # fmt: skip
    return _as_it_is(actor, organization.id)


@transaction.atomic
def rename_organization(actor: Actor, org_handle: str, handle: str) -> OrganizationView:
    """Give an organization another handle, for its owners. The old one stays its own, and leads to it.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, AlreadyExists.
    """
    organization = held(actor, org_handle)
    require_owner(actor, organization.id, organization.handle)
    wanted = parse_handle(handle)
    if wanted == organization.handle:
        return _as_it_is(actor, organization.id)
    take_another(organization.handle, wanted, "organization", organization.id)
    changed = {"handle": wanted} | ({"name": wanted} if organization.name == organization.handle else {})
    Organization.objects.filter(id=organization.id).update(**changed)
    record(
        actor, "organization.rename", "organization", organization.id, wanted,
        before=organization.handle, after=wanted,
    )  # fmt: skip
    transaction.on_commit(lambda: renamed.send(Organization, organization_id=organization.id))
    return _as_it_is(actor, organization.id)


@transaction.atomic
def set_role(actor: Actor, org_handle: str, handle: str, role: str) -> Member:
    """Give a member another role, as an admin; owners are made and unmade by owners.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput.
    """
    organization = held(actor, org_handle)
    require_manage(actor, organization.id, organization.handle)
    wanted = parse_role(role)
    member = _member(organization, handle)
    require_change(actor, organization.id, organization.handle, member.role, wanted)
    if member.role != wanted:
        if wanted != Role.OWNER:
            _keep_an_owner(organization, member.user_id)
        Membership.objects.filter(id=member.id).update(role=wanted)
        forget_roles()
        record(
            actor, "organization.role", "organization", organization.id, organization.handle,
            member=member.user.handle, before=member.role, after=wanted,
        )  # fmt: skip
    return Member(member.user.handle, member.user.get_full_name(), wanted)


@transaction.atomic
def remove_member(actor: Actor, org_handle: str, handle: str) -> None:
    """Remove a member, as an admin, or leave oneself; an owner is removed by owners.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    organization = held(actor, org_handle)
    user_id = require_signed_in(actor)
    leaving = sought(handle) == actor.handle
    if not leaving:
        require_manage(actor, organization.id, organization.handle)
    member = _member(organization, handle, "You are" if leaving else "")
    if not leaving:
        require_change(actor, organization.id, organization.handle, member.role, None)
    _keep_an_owner(organization, member.user_id)
    Membership.objects.filter(id=member.id).delete()
    forget_roles()
    act = "organization.leave" if member.user_id == user_id else "organization.remove"
    record(
        actor, act, "organization", organization.id, organization.handle,
        member=member.user.handle, before=member.role, after=None,
    )  # fmt: skip


@transaction.atomic
def transfer_organization(actor: Actor, org_handle: str, handle: str) -> OrganizationView:
    """Hand an organization over: another member becomes an owner, and the actor, an owner, becomes an admin.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput.
    """
    organization = held(actor, org_handle)
    require_owner(actor, organization.id, organization.handle)
    member = _member(organization, handle)
    user_id = require_signed_in(actor)
    if member.user_id == user_id:
        raise InvalidInput(f"{organization.handle} is yours already.", hint="Name another member.")
    if not member.user.is_active:
        raise InvalidInput(f"The account {member.user.handle} is closed.", hint="Name another member.")
    Membership.objects.filter(id=member.id).update(role=Role.OWNER)
    Membership.objects.filter(organization=organization, user_id=user_id).update(role=Role.ADMIN)
    forget_roles()
    record(
        actor, "organization.transfer", "organization", organization.id, organization.handle,
        before=actor.handle, after=member.user.handle,
    )  # fmt: skip
    return _as_it_is(actor, organization.id)


@transaction.atomic
def delete_organization(actor: Actor, org_handle: str, confirm: str) -> None:
    """Delete an organization without projects, for its owners; `confirm` is its handle, typed. Its handle stays taken.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, NotEmpty.
    """
    organization = held(actor, org_handle)
    require_owner(actor, organization.id, organization.handle)
    if confirm.strip().lower() != organization.handle:
        raise InvalidInput(
            f"{confirm.strip()[:60]!r} is not {organization.handle}; nothing was deleted.",
            hint="Type the handle of the organization to delete it.",
        )
    organization_id = organization.id
    forget_profile(organization_id)
    bury(organization.handle, organization_id)
    record(actor, "organization.delete", "organization", organization_id, organization.handle)
    try:
        organization.delete()
    except ProtectedError as error:
        raise _still_holds(organization.handle, error) from error
    forget_roles()


def _still_holds(handle: str, error: ProtectedError) -> NotEmpty:
    """What keeps an organization: its projects, or forks elsewhere that only its members may read."""
    own = sum(getattr(row, "owner_id", None) is not None for row in error.protected_objects)
    if own:
        return NotEmpty(
            f"{handle} still has projects, or some that were deleted and can be restored; nothing was deleted.",
            hint="Delete or transfer them first; what was deleted is gone after a while.",
        )
    return NotEmpty(
        f"Forks elsewhere hold what was private in {handle} and are read by its members only; nothing was deleted.",
        hint="Ask the owners of the forks to delete them.",
    )


def held(actor: Actor, org_handle: str) -> Organization:
    """The organization, for an act of somebody who may administer; nobody else changes it before this one ends."""
    require_administering(actor)
    return Organization.objects.select_for_update().get(id=find(org_handle).id)


def _as_it_is(actor: Actor, organization_id: UUID) -> OrganizationView:
    organization = Organization.objects.get(id=organization_id)
    return view(organization, role_of(actor, organization_id))


def _member(organization: Organization, handle: str, who: str = "") -> Membership:
    """A member, whose account may be closed. Raises NotFound."""
    members = Membership.objects.select_related("user").filter(organization=organization)
    found = members.filter(user__handle=sought(handle)).first()
    if found is None:
        hint = "Look at your organizations."
        if not who:
            who, hint = f"{handle[:60]!r} is", f"`mic org members {organization.handle}` lists them."
        raise NotFound(f"{who} not a member of {organization.handle}.", hint=hint)
    return found


def _keep_an_owner(organization: Organization, leaving: UUID) -> None:
    # The organization's row is locked: of two owners who leave at once, the second sees that the first is gone.
    owners = Membership.objects.filter(organization=organization, role=Role.OWNER, user__is_active=True)
    if set(owners.values_list("user_id", flat=True)) == {leaving}:
        raise PermissionDenied(
            f"{organization.handle} would be left without an owner.", hint="Make somebody else an owner first."
        )


def _line(text: str, what: str, limit: int) -> str:
    text = text.strip()
    if len(text) > limit or "\x00" in text:
        raise InvalidInput(f"The {what} is longer than {limit} characters or holds a NUL.", hint="Shorten it.")
    return text
