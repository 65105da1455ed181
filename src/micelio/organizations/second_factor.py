"""Organizations that ask their members for a second factor."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from mic.core.errors import PreconditionFailed
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.policy import require_page
from micelio.accounts.second_factor import with_factor
from micelio.audit.actions import record
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import forget_roles, require_administering, require_owner
from micelio.organizations.queries import find

# Named on the page; the rest are counted.
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an organization asks, and which of its members have none: handles, at most `MOST_NAMED`, and how many."""

    handle: str
    asks: bool
    lacking: tuple[str, ...]
    lacking_in_all: int


@transaction.atomic
def ask_second_factor(actor: Actor, org_handle: str, wanted: bool) -> Standing:
    """Ask members for a second factor, or no longer; how things are then. Who has none is outside until they have one.

    To ask is for every door, to ask no longer for browsers, which confirm who uses them. What is so already stays, and
    is no event. Raises NotFound, Unauthenticated, PermissionDenied, ConfirmationNeeded for a token that would take the
    protection away, PreconditionFailed for an owner who has no factor.
    """
    require_administering(actor)
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    organization = Organization.objects.select_for_update().get(id=organization.id)
    if wanted == organization.asks_second_factor:
        return _standing(actor, organization)
    if not wanted:
        require_page(
            actor,
            f"A token cannot take away that {organization.handle} asks its members for a second factor.",
            f"/{organization.handle}/-/second-factor",
        )
    if wanted and not with_factor([require_signed_in(actor)]):
        raise PreconditionFailed(
            "Your own account has no second factor, so this would shut you out.",
            hint="Set one up at /-/account/second-factor first.",
        )
    organization.asks_second_factor = wanted
    organization.save(update_fields=["asks_second_factor"])
    forget_roles()
    of, handle = organization.id, organization.handle
    record(actor, "organization.second_factor", "organization", of, handle, before=not wanted, after=wanted)
    return _standing(actor, organization)


def second_factor_standing(actor: Actor, org_handle: str) -> Standing:
    """How things are, for owners. Raises NotFound, Unauthenticated, PermissionDenied."""
    require_administering(actor)
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    return _standing(actor, organization)


def _standing(actor: Actor, organization: Organization) -> Standing:
    ids = set(Membership.objects.filter(organization=organization).values_list("user_id", flat=True))
    lacking = accounts.users_by_id(actor, ids - with_factor(ids)).values()
    handles = sorted(user.handle for user in lacking)
    return Standing(organization.handle, organization.asks_second_factor, tuple(handles[:MOST_NAMED]), len(handles))
