"""Accounts as those see and change them who run the forge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from mic.core.errors import NotFound, PreconditionFailed
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.models import User
from micelio.accounts.policy import require_admin, require_page, require_whole
from micelio.audit.actions import record
from micelio.cluster.locks import alone


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with what only administrators see."""

    id: UUID
    handle: str
    name: str
    email: str
    is_admin: bool
    is_active: bool
    created_at: datetime
    signed_in_at: datetime | None
    suspended: str  # why, "" when it is not


def list_accounts(actor: Actor, find: str = "", after: str = "", limit: int = 50) -> list[AccountView]:
    """Accounts by handle, behind `after`; with `find` in handle, name or address. Raises PermissionDenied."""
    _require(actor)
    found = User.objects.filter(handle__gt=sought(after))
    if text := find.replace("\x00", "").strip():
        found = found.filter(Q(handle__icontains=text) | Q(name__icontains=text) | Q(email__icontains=text))
    return [_view(user) for user in found.order_by("handle")[: min(limit, 1000)]]


def get_account(actor: Actor, handle: str) -> AccountView:
    """The account, a closed one too. Raises PermissionDenied, NotFound."""
    _require(actor)
    return _view(_one(handle))


def count_accounts(actor: Actor) -> tuple[int, int]:
    """(accounts that may sign in, all). Raises PermissionDenied."""
    _require(actor)
    return User.objects.filter(is_active=True).count(), User.objects.count()


@transaction.atomic
def set_administrator(actor: Actor, handle: str, wanted: bool) -> AccountView:
    """Make an account one that runs the forge, or no longer. The last administrator stays one.

    For browsers, which confirm who uses them, and the shell. Raises PermissionDenied, ConfirmationNeeded for a token,
    NotFound, PreconditionFailed.
    """
    _require(actor)
    require_page(actor, "A token cannot say who runs the forge.", "/-/admin/accounts")
    alone("administrators")
    user = _one(handle)
    if user.is_admin == wanted:
        return _view(user)
    if wanted and not user.is_active:
        raise PreconditionFailed(f"{user.handle} cannot sign in.", hint="Open the account first.")
    others = User.objects.filter(is_admin=True, is_active=True).exclude(id=user.id)
    if not wanted and not others.exists():
        raise PreconditionFailed(f"{user.handle} is the last administrator.", hint="Make another one first.")
    user.is_admin = wanted
    user.save(update_fields=["is_admin"])
    record(actor, "account.admin", "account", user.id, user.handle, before=not wanted, after=wanted)
    return _view(user)


def _require(actor: Actor) -> None:
    require_whole(actor)
    require_admin(actor)


def _one(handle: str) -> User:
    user = User.objects.filter(handle=sought(handle)).first()
    if user is None:
        raise NotFound(f"There is no account {handle[:60]!r}.", hint="Check the spelling of the handle.")
    return user


def _view(user: User) -> AccountView:
    return AccountView(
        user.id,
        user.handle,
        user.name,
        user.email,
        user.is_admin,
        user.is_active,
        user.created_at,
        user.last_login,
        user.suspended_for if user.suspended_at is not None else "",
    )
