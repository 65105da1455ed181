"""Accounts that wait for an administrator, where the forge asks for approval of new ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mic.core.errors import NotFound
from micelio.accounts import letters
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.models import HandleClaim, User
from micelio.accounts.policy import require_admin
from micelio.audit.actions import record
from micelio.config import current
from micelio.mail import outbox

# Shown at once, the oldest first: who waits longest is looked at first.
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class WaitingView:
    """An account that waits."""

    handle: str
    name: str
    email: str
    since: datetime


def list_waiting(actor: Actor) -> list[WaitingView]:
    """Who waits. Raises PermissionDenied."""
    require_admin(actor)
    rows = User.objects.filter(waiting=True).order_by("created_at")[:MOST_SHOWN]
    return [WaitingView(row.handle, row.get_full_name(), row.email, row.created_at) for row in rows]


def count_waiting(actor: Actor) -> int:
    """How many wait. Raises PermissionDenied."""
    require_admin(actor)
    return User.objects.filter(waiting=True).count()


@transaction.atomic
def approve(actor: Actor, handle: str) -> None:
    """Let an account in. Raises PermissionDenied, NotFound when it does not wait any more."""
    require_admin(actor)
    user = _one(handle)
    user.waiting, user.is_active = False, user.suspended_at is None
    user.save(update_fields=["waiting", "is_active"])
    record(actor, "account.approve", "account", user.id, user.handle)
    if user.email and current().postal is not None:
        outbox.post(user.email, *letters.approved(user.handle))


@transaction.atomic
def decline(actor: Actor, handle: str) -> None:
    """Remove an account that waits; its handle is free again. Raises PermissionDenied, NotFound."""
    require_admin(actor)
    user = _one(handle)
    record(actor, "account.decline", "account", user.id, user.handle)
    if user.email and current().postal is not None:
        outbox.post(user.email, *letters.declined(user.handle))
    user.delete()
    HandleClaim.objects.filter(handle=user.handle).delete()


def _one(handle: str) -> User:
    user = User.objects.select_for_update().filter(handle=sought(handle), waiting=True).first()
    if user is None:
        raise NotFound(f"{handle[:60]!r} does not wait for approval.", hint="Load the list again.")
    return user
