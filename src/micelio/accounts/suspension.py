"""Suspending an account: every door is shut at once, until an administrator opens it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from mic.core.errors import InvalidInput, NotFound, PermissionDenied, PreconditionFailed
from micelio.accounts import letters
from micelio.accounts.actions import end_sign_ins
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.models import User
from micelio.accounts.policy import require_admin
from micelio.audit.actions import record
from micelio.cluster.locks import alone
from micelio.config import current
from micelio.mail import outbox

REASON_LENGTH = 500
# Shown at once, the newest first.
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class SuspendedView:
    """A suspended account as administrators see it."""

    handle: str
    name: str
    since: datetime
    reason: str


@transaction.atomic
def suspend(actor: Actor, handle: str, reason: str) -> None:
    """Shut every door to an account, and end its sign-ins and tokens; they do not come back with it.

    Raises PermissionDenied, NotFound, InvalidInput without a reason, PreconditionFailed for the last administrator.
    """
    require_admin(actor)
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH or not reason.isprintable():
        raise InvalidInput(f"A reason has 1 to {REASON_LENGTH} printable characters.", hint="Its owner is told it.")
    alone("administrators")
    user = _one(handle)
    if user.id == actor.user_id:
        raise PermissionDenied("You cannot suspend yourself.", hint="Another administrator can.")
    if user.suspended_at is not None:
        raise PreconditionFailed(f"{user.handle} is suspended already.")
    others = User.objects.filter(is_admin=True, is_active=True).exclude(id=user.id)
    if user.is_admin and not others.exists():
        raise PreconditionFailed(f"{user.handle} is the last administrator.", hint="Make another one first.")
    user.is_active, user.suspended_at, user.suspended_for = False, timezone.now(), reason
    user.save(update_fields=["is_active", "suspended_at", "suspended_for"])
    end_sign_ins(actor, user, tokens_too=True)
    record(actor, "account.suspend", "account", user.id, user.handle, reason=reason)
    if user.email and current().postal is not None:
        outbox.post(user.email, *letters.suspended(user.handle, reason))


@transaction.atomic
def unsuspend(actor: Actor, handle: str) -> None:
    """Open the doors again. Raises PermissionDenied, NotFound, PreconditionFailed for one that is not suspended."""
    require_admin(actor)
    user = _one(handle)
    if user.suspended_at is None:
        raise PreconditionFailed(f"{user.handle} is not suspended.")
    # One that waited for approval when it was suspended goes on waiting.
    user.is_active, user.suspended_at, user.suspended_for = not user.waiting, None, ""
    user.save(update_fields=["is_active", "suspended_at", "suspended_for"])
    record(actor, "account.unsuspend", "account", user.id, user.handle)
    if user.email and current().postal is not None:
        outbox.post(user.email, *letters.unsuspended(user.handle))


def list_suspended(actor: Actor) -> list[SuspendedView]:
    """Who is shut out, and why. Raises PermissionDenied."""
    require_admin(actor)
    rows = User.objects.filter(suspended_at__isnull=False).order_by("-suspended_at")[:MOST_SHOWN]
    return [
        SuspendedView(row.handle, row.get_full_name(), row.suspended_at, row.suspended_for)
        for row in rows
        if row.suspended_at is not None
    ]


def _one(handle: str) -> User:
    user = User.objects.select_for_update().filter(handle=sought(handle)).first()
    if user is None:
        raise NotFound(f"There is no account {handle[:60]!r}.", hint="Check the spelling of the handle.")
    return user
