"""Invitations to the forge: links that administrators make, each of which lets one person make an account."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from mic.core.errors import InvalidInput, NotFound, TooLarge
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import Invitation, User
from micelio.accounts.policy import require_admin
from micelio.audit.actions import record

LASTS = timedelta(days=14)
NOTE_LENGTH = 200
# Open at one time. A list that is longer is looked through by nobody.
MOST_OPEN = 200
_SESSION_KEY = "invitation"


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as administrators see it. `used_by` is a handle, "" while it is open."""

    id: UUID
    note: str
    made_by: str
    used_by: str
    created_at: datetime
    expires_at: datetime
    is_open: bool


@transaction.atomic
def create_invitation(actor: Actor, note: str) -> str:
    """A token for `/-/invited/<token>`, good once and for two weeks.

    Raises PermissionDenied, InvalidInput, TooLarge.
    """
    require_admin(actor)
    note = note.strip()
    if len(note) > NOTE_LENGTH or (note and not note.isprintable()):
        raise InvalidInput(f"A note has at most {NOTE_LENGTH} printable characters.", hint="Say for whom it is.")
    now = timezone.now()
    if Invitation.objects.filter(closed_at=None, expires_at__gt=now).count() >= MOST_OPEN:
        raise TooLarge(f"{MOST_OPEN} invitations are open; that is the limit.", hint="Withdraw some.")
    token = secrets.token_urlsafe(32)
    row = Invitation.objects.create(
        token_hash=_hash(token), note=note, made_by_id=actor.user_id, expires_at=now + LASTS
    )
    record(actor, "invitation.create", "invitation", row.id, note)
    return token


@transaction.atomic
def withdraw_invitation(actor: Actor, invitation_id: UUID) -> None:
    """End an open invitation. Raises PermissionDenied, NotFound."""
    require_admin(actor)
    row = Invitation.objects.filter(id=invitation_id, closed_at=None).first()
    if row is None:
        raise NotFound("That invitation is not open any more.", hint="Load the list again.")
    row.closed_at = timezone.now()
    row.save(update_fields=["closed_at"])
    record(actor, "invitation.withdraw", "invitation", row.id, row.note)


def list_invitations(actor: Actor) -> list[InvitationView]:
    """The newest, open ones first. Raises PermissionDenied."""
    require_admin(actor)
    now = timezone.now()
    rows = Invitation.objects.select_related("made_by", "used_by").order_by("-created_at")[:MOST_OPEN]
    views = [
        InvitationView(
            row.id,
            row.note,
            row.made_by.handle if row.made_by else "operator",
            row.used_by.handle if row.used_by else "",
            row.created_at,
            row.expires_at,
            row.closed_at is None and row.expires_at > now,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: not view.is_open)


def is_good(token: str) -> bool:
    """Whether a token would let somebody in."""
    return Invitation.objects.filter(token_hash=_hash(token), closed_at=None, expires_at__gt=timezone.now()).exists()


def spend(token: str, user: User) -> None:
    """The invitation is used by `user`, in the transaction that makes the account. Raises NotFound when it is over."""
    now = timezone.now()
    good = Invitation.objects.filter(token_hash=_hash(token), closed_at=None, expires_at__gt=now)
    # One statement decides: of two accounts at once, one gets it.
    if good.update(closed_at=now, used_by=user) != 1:
        raise NotFound("This invitation was used or has expired.", hint="Ask for a new one.")
    row = Invitation.objects.get(token_hash=_hash(token))
    record(actor_of(user, "web"), "invitation.use", "invitation", row.id, row.note)


def take_along(request: HttpRequest, token: str) -> None:
    """Keep a token for the form of the sign-up, whichever way it is reached."""
    request.session[_SESSION_KEY] = token


def carried(request: HttpRequest) -> str:
    """The good token that this browser carries, "" for none."""
    token = request.session.get(_SESSION_KEY, "")
    return token if isinstance(token, str) and token and is_good(token) else ""


def put_down(request: HttpRequest) -> None:
    """It was used."""
    request.session.pop(_SESSION_KEY, None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
