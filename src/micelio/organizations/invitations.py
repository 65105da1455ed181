"""Joining an organization: somebody is invited, and accepts or declines, within a week.

An account is invited by its handle, and answers where it is signed in. An address is invited by a link, which whoever
is signed in with it accepts, once; the forge does not tell whose address it is. The link is told to whoever invites,
so that it works where no mail is sent.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, TooLarge
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import sought
from micelio.audit.actions import record
from micelio.config import current
from micelio.mail import outbox
from micelio.mail.contents import Contents
from micelio.organizations import policy
from micelio.organizations.actions import held
from micelio.organizations.models import Invitation, Membership, Organization
from micelio.organizations.queries import OrganizationView, find, view
from micelio.organizations.roles import Role, at_least, parse_role, stronger

# Where a link leads, with its token behind it.
LINK_PATH = "/-/invitations/"
LIFETIME = timedelta(days=7)
# Open ones of one organization: enough for a large team at once, and no way to fill the database.
MOST_OPEN = 500
MAX_PAGE = 1000
# How long a closed or expired one is kept, for whoever comes late to be told the same as everybody.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An open invitation. `handle` is the invited account's, "" where a link was made for `email`.

    `email` is "" for whoever may not know it.
    """

    id: UUID
    organization: str
    organization_name: str
    handle: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @property
    def whom(self) -> str:
        """What the invitation is addressed to."""
        return self.handle or self.email


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made. `token` is that of its link, told this once; "" for an account's."""

    invitation: InvitationView
    token: str


@transaction.atomic
def invite(actor: Actor, org_handle: str, whom: str, role: str = "member") -> Invited:
    """Invite an account by its handle, or whoever reads the mail of an address. Instead of an earlier invitation.

    For admins; to become an owner, for owners. Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput,
    AlreadyExists for a member, TooLarge.
    """
    organization = held(actor, org_handle)
    policy.require_manage(actor, organization.id, organization.handle)
    wanted = parse_role(role)
    policy.require_change(actor, organization.id, organization.handle, None, wanted)
    email = _address(whom) if "@" in whom else ""
    user = None if email else accounts.get_user(actor, whom)
    if user is not None and Membership.objects.filter(organization=organization, user_id=user.id).exists():
        raise AlreadyExists(
            f"{user.handle} is a member of {organization.handle} already.", hint="`mic org role` gives another role."
        )
    now = timezone.now()
    waiting = Invitation.objects.filter(organization=organization, closed_at=None)
    same = waiting.filter(email=email) if user is None else waiting.filter(user_id=user.id)
    same.update(closed_at=now)
    if waiting.filter(expires_at__gt=now).count() >= MOST_OPEN:
        raise TooLarge(
            f"{organization.handle} has {MOST_OPEN} open invitations, and that is the most.", hint="Revoke some first."
        )
    token = secrets.token_urlsafe(32) if email else ""
    made = Invitation.objects.create(
        organization=organization,
        user_id=user.id if user else None,
        email=email,
        token_hash=_hash(token) if token else None,
        role=wanted,
        invited_by_id=require_signed_in(actor),
        expires_at=now + LIFETIME,
    )
    if token and current().postal is not None:
        outbox.post(email, *_letter(actor, organization, wanted, token), LIFETIME)
    record(
        actor, "organization.invite", "organization", organization.id, organization.handle,
        member=user.handle if user else "", email=email, role=wanted,
    )  # fmt: skip
    return Invited(_view(_with_names().get(id=made.id)), token)


def list_invitations(actor: Actor, org_handle: str, after: str = "", limit: int = 50) -> list[InvitationView]:
    """The open invitations of an organization, by id behind `after`; for its admins. Raises as `require_manage`."""
    policy.require_administering(actor)
    organization = find(org_handle)
    policy.require_manage(actor, organization.id, organization.handle)
    found = _open().filter(organization=organization).order_by("id")
    if after:
        found = found.filter(id__gt=_id(after))
    return [_view(row) for row in found[: min(limit, MAX_PAGE)]]


def own_invitations(actor: Actor) -> list[InvitationView]:
    """Where the actor's account is invited to, the newest first. Raises Unauthenticated, PermissionDenied."""
    policy.require_seeing(actor)
    user_id = require_signed_in(actor)
    return [_view(row) for row in _open().filter(user_id=user_id).order_by("-created_at")[:MAX_PAGE]]


def count_own_invitations(actor: Actor) -> int:
    """How many invitations wait for the actor's answer."""
    return _open().filter(user_id=actor.user_id).count() if actor.user_id is not None else 0


def invitation_of_link(actor: Actor, token: str) -> InvitationView:
    """What a link invites to, for whoever has it; whose address it was made for stays with the organization.

    Raises NotFound when it is good no more.
    """
    policy.require_seeing(actor)
    return _view(_of_link(token), tell_email=False)


@transaction.atomic
def accept_invitation(actor: Actor, *, organization: str = "", token: str = "") -> OrganizationView:
    """Join, by the account's own invitation to an organization or by a link. A stronger role is kept.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    policy.require_administering(actor)
    user_id = require_signed_in(actor)
    row = _answered(user_id, organization, token)
    _require_good(row)
    before = Membership.objects.filter(organization_id=row.organization_id, user_id=user_id)
    role_before = before.values_list("role", flat=True).first()
    role = stronger(role_before, row.role)
    assert role is not None
    Membership.objects.update_or_create(organization_id=row.organization_id, user_id=user_id, defaults={"role": role})
    policy.forget_roles()
    _close(row)
    record(
        actor, "organization.join", "organization", row.organization_id, row.organization.handle,
        before=role_before, after=role, invited_by=row.invited_by.handle,
    )  # fmt: skip
    return view(row.organization, role)


@transaction.atomic
def decline_invitation(actor: Actor, *, organization: str = "", token: str = "") -> None:
    """Say no to one's own invitation, or to a link. Raises NotFound, Unauthenticated, PermissionDenied."""
    policy.require_administering(actor)
    row = _answered(require_signed_in(actor), organization, token)
    _close(row)
    record(actor, "organization.decline", "organization", row.organization_id, row.organization.handle)


@transaction.atomic
def revoke_invitation(actor: Actor, org_handle: str, invitation_id: str) -> None:
    """Take an open invitation back, for admins. Raises NotFound, Unauthenticated, PermissionDenied."""
    organization = held(actor, org_handle)
    policy.require_manage(actor, organization.id, organization.handle)
    row = _open().filter(organization=organization, id=_id(invitation_id)).first()
    if row is None:
        raise NotFound(
            f"{organization.handle} has no such open invitation.", hint="List them: `mic org invitations ORG`."
        )
    _close(row)
    record(
        actor, "organization.revoke_invitation", "organization", organization.id, organization.handle,
        member=row.user.handle if row.user else "", email=row.email, role=row.role,
    )  # fmt: skip


def purge_invitations() -> int:
    """Remove those that were answered or ran out long ago. Returns how many."""
    before = timezone.now() - KEPT
    removed, _ = Invitation.objects.filter(expires_at__lt=before).delete()
    return removed


def _answered(user_id: UUID, organization: str, token: str) -> Invitation:
    """The open invitation that is meant, which nobody else answers before this transaction ends.

    Raises NotFound, and AlreadyExists for a member.
    """
    if token:
        row = _of_link(token)
    else:
        asked = find(organization)
        found = _open().filter(user_id=user_id, organization=asked).first()
        if found is None:
            if Membership.objects.filter(user_id=user_id, organization=asked).exists():
                raise AlreadyExists(f"You are a member of {asked.handle} already.", hint="You need no invitation.")
            raise NotFound(f"You have no open invitation to {sought(organization)[:39]}.", hint="List yours first.")
        row = found
    # Of two answers at once the second waits here, and finds it closed.
    Organization.objects.select_for_update().get(id=row.organization_id)
    if not _open().filter(id=row.id).exists():
        raise _spent()
    return row


def _require_good(row: Invitation) -> None:
    """Whoever made it must still be somebody who may: an admin who has left lets nobody in."""
    inviting = Membership.objects.filter(
        organization_id=row.organization_id, user_id=row.invited_by_id, user__is_active=True
    )
    role = inviting.values_list("role", flat=True).first()
    if not at_least(role, Role.OWNER if row.role == Role.OWNER else Role.ADMIN):
        raise PermissionDenied(
            f"{row.invited_by.handle}, who made this invitation, may not invite to {row.organization.handle} any more.",
            hint=f"Ask an admin of {row.organization.handle} for another.",
        )


def _letter(actor: Actor, organization: Organization, role: str, token: str) -> tuple[str, Contents]:
    """Subject and contents. The address begins with the configured one of the forge."""
    forge = current().hostname
    words = (
        f"{actor.handle} invites you to {organization.handle} on {forge}, as {role}.",
        "Whoever is signed in with this link can accept, once, within a week. If you do not want to, do nothing.",
    )
    link = f"{current().base_url}{LINK_PATH}{token}"
    return f"Join {organization.handle} on {forge}", Contents(words, link, "Look at the invitation")


def _close(row: Invitation) -> None:
    Invitation.objects.filter(id=row.id).update(closed_at=timezone.now())


def _with_names() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organization", "user", "invited_by")


def _open() -> QuerySet[Invitation]:
    return _with_names().filter(closed_at=None, expires_at__gt=timezone.now())


def _of_link(token: str) -> Invitation:
    row = _open().filter(token_hash=_hash(token)).first()
    if row is None:
        raise _spent()
    return row


def _spent() -> NotFound:
    """The one answer for an invitation that was answered, taken back, has run out or never was."""
    return NotFound(
        "This invitation is good no more: it was answered, taken back, or is older than a week.",
        hint="Ask whoever invited you for another.",
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not the id of an invitation.", hint="List them first.") from error


def _address(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{text[:80]!r} is not an e-mail address.", hint="Use the form name@example.org.") from error
    if len(email) > 254:
        raise InvalidInput("The e-mail address is longer than 254 characters.", hint="Check the address.")
    return email


def _view(row: Invitation, *, tell_email: bool = True) -> InvitationView:
    return InvitationView(
        id=row.id,
        organization=row.organization.handle,
        organization_name=row.organization.name,
        handle=row.user.handle if row.user else "",
        email=row.email if tell_email else "",
        role=row.role,
        invited_by=row.invited_by.handle,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
