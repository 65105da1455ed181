"""May this actor do that to an organization?"""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import PermissionDenied
from micelio.accounts.actor import Actor, require_signed_in
from micelio.organizations.models import Membership, Role


def role_of(actor: Actor, organization_id: UUID) -> str | None:
    """ "admin", "member", or None for an actor who does not belong to it."""
    if actor.user_id is None:
        return None
    found = Membership.objects.filter(organization_id=organization_id, user_id=actor.user_id)
    return found.values_list("role", flat=True).first()


def require_create(actor: Actor) -> UUID:
    """Anybody with an account may make an organization. Raises Unauthenticated."""
    return require_signed_in(actor)


def require_manage(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor is an admin of the organization."""
    require_signed_in(actor)
    if role_of(actor, organization_id) != Role.ADMIN:
        raise PermissionDenied(f"Only an admin of {handle} may do this.", hint=f"Ask an admin of {handle}.")


def require_member(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor belongs to the organization."""
    require_signed_in(actor)
    if role_of(actor, organization_id) is None:
        raise PermissionDenied(f"Only members of {handle} may see this.", hint=f"Ask an admin of {handle}.")
