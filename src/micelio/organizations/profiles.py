"""What an organization says of itself, who lets it be seen that they belong to it, and how many do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.policy import require_self
from micelio.accounts.profiles import ProfileView, profile_of, store_picture, store_profile
from micelio.audit.actions import record
from micelio.organizations.actions import held
from micelio.organizations.models import Membership, Organization
from micelio.organizations.policy import require_manage, require_seeing
from micelio.organizations.queries import MAX_PAGE, memberships

# Organizations on the page of a person.
MOST = 30


@dataclass(frozen=True, slots=True)
class OrganizationItem:
    """An organization in the margin of a person's page. `members` are those whom the reader may know of."""

    id: UUID
    handle: str
    name: str
    members: int


@transaction.atomic
def update_organization_profile(
    actor: Actor, org_handle: str, *, website: str | None = None, links: Sequence[str] | None = None
) -> ProfileView:
    """Change where else an organization is; None leaves a thing as it is. For its admins.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput.
    """
    organization = held(actor, org_handle)
    require_manage(actor, organization.id, organization.handle)
    before, after = store_profile(organization.id, bio=None, website=website, links=links)
    if before != after:
        record(
            actor, "organization.profile", "organization", organization.id, organization.handle,
            before=before, after=after,
        )  # fmt: skip
    return profile_of(organization.id)


@transaction.atomic
def set_organization_picture(actor: Actor, org_handle: str, data: bytes) -> ProfileView:
    """Show this picture of an organization; empty bytes: the drawn one again. For its admins.

    Raises as `update_organization_profile`, and TooLarge.
    """
    organization = held(actor, org_handle)
    require_manage(actor, organization.id, organization.handle)
    digest = store_picture(organization.id, data)
    record(
        actor, "organization.picture", "organization", organization.id, organization.handle, picture=digest
    )  # fmt: skip
    return profile_of(organization.id)


@transaction.atomic
def show_memberships(actor: Actor, handles: Collection[str]) -> None:
    """Let everybody see that one belongs to these of one's organizations, and to none of the others.

    Raises Unauthenticated, PermissionDenied for a token.
    """
    user_id = require_signed_in(actor)
    require_self(actor, user_id)
    own = Membership.objects.filter(user_id=user_id)
    wanted = set(own.filter(organization__handle__in=list(handles)).values_list("id", flat=True))
    before = set(own.filter(shown=True).values_list("id", flat=True))
    if wanted == before:
        return
    own.filter(id__in=wanted).update(shown=True)
    own.exclude(id__in=wanted).update(shown=False)
    names = sorted(own.filter(id__in=wanted).values_list("organization__handle", flat=True))
    record(actor, "account.memberships", "account", user_id, actor.handle, after=names)


def shown_memberships(actor: Actor) -> list[tuple[str, str, bool]]:
    """(handle, name, whether everybody may know) of the actor's own memberships. Raises Unauthenticated."""
    user_id = require_signed_in(actor)
    require_self(actor, user_id)
    own = Membership.objects.filter(user_id=user_id).order_by("organization__handle")
    return list(own.values_list("organization__handle", "organization__name", "shown"))


def organizations_of(actor: Actor, user_id: UUID) -> list[OrganizationItem]:
    """The organizations of a person that the actor may know of, by handle, the first `MOST`.

    Those of which the person lets it be seen, and those that both belong to. So are their members counted.
    """
    require_seeing(actor)
    own = {row.id for row in memberships(actor, limit=MAX_PAGE)}
    theirs = Membership.objects.filter(user_id=user_id, organization=OuterRef("pk"))
    found = Organization.objects.filter(Exists(theirs.filter(shown=True)) | Q(id__in=own) & Exists(theirs))
    active = Q(memberships__user__is_active=True)
    counted = found.annotate(
        everybody=Count("memberships", filter=active),
        seen=Count("memberships", filter=active & Q(memberships__shown=True)),
    )
    rows = list(counted.order_by("handle")[:MOST])
    return [
        OrganizationItem(
            row.id,
            row.handle,
            row.name,
            row.everybody if row.id in own else row.seen,
        )
        for row in rows
    ]


def shows_membership(user_id: UUID) -> bool:
    """Whether a person lets any of their memberships be seen."""
    return Membership.objects.filter(user_id=user_id, shown=True).exists()
