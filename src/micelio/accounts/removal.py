"""Removing an account for good, with all that hangs on it. What somebody landed is not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from mic.core.errors import NotFound, PreconditionFailed
from micelio.accounts import names
from micelio.accounts.actions import end_sign_ins
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.models import Invitation, User
from micelio.accounts.policy import require_admin, require_whole
from micelio.accounts.profiles import forget_profile
from micelio.audit.actions import record
from micelio.cluster.locks import alone
from micelio.mail import outbox


@dataclass(frozen=True, slots=True)
class Known:
    """What an account is known by here."""

    id: UUID
    handle: str
    names: frozenset[str]
    emails: frozenset[str]


def known(actor: Actor, handle: str) -> Known:
    """What an account is known by. Raises PermissionDenied, NotFound, PreconditionFailed for the last administrator."""
    _require(actor)
    user = User.objects.filter(handle=sought(handle)).first()
    if user is None:
        raise NotFound(f"There is no account {handle[:60]!r}.", hint="Check the spelling of the handle.")
    _require_not_last(user)
    emails = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    return Known(user.id, user.handle, frozenset({user.name, user.handle} - {""}), frozenset(emails - {""}))


@transaction.atomic
def remove(actor: Actor, user_id: UUID) -> bool:
    """Remove an account and its rows; the handle stays taken. False when it is gone already.

    Raises PermissionDenied, PreconditionFailed for the last administrator.
    """
    _require(actor)
    alone("administrators")
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None:
        return False
    _require_not_last(user)
    end_sign_ins(actor, user, tokens_too=True)
    emails = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    outbox.forget(emails - {""})
    Invitation.objects.filter(used_by=user).update(note="")
    names.bury(user.handle, user.id)
    forget_profile(user.id)
    record(actor, "account.remove", "account", user.id, str(user.id))
    user.delete()
    return True


def _require(actor: Actor) -> None:
    require_whole(actor)
    require_admin(actor)


def _require_not_last(user: User) -> None:
    others = User.objects.filter(is_admin=True, is_active=True).exclude(id=user.id)
    if user.is_admin and not others.exists():
        raise PreconditionFailed(f"{user.handle} is the last administrator.", hint="Make another one first.")
