"""Reading accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.models import HandleClaim, User


@dataclass(frozen=True, slots=True)
class UserView:
    """What others may see of an account."""

    id: UUID
    handle: str
    name: str


def get_user(actor: Actor, handle: str) -> UserView:
    """The active account with this handle. Names are public here. Raises NotFound."""
    user = User.objects.filter(handle=handle.strip().lower(), is_active=True).first()
    if user is None:
        raise NotFound(f"There is no account {handle!r}.", hint="Check the spelling of the handle.")
    return _view(user)


def users_by_id(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, UserView]:
    """The accounts with these ids, in one query; an id without account is left out."""
    return {user.id: _view(user) for user in User.objects.filter(id__in=list(ids))}


def handle_taken(handle: str) -> bool:
    """A person or an organization has this handle already."""
    return HandleClaim.objects.filter(handle=handle).exists()


def administrator_has_password() -> bool:
    """Some active administrator can sign in with a password, so no one-time link is needed."""
    admins = User.objects.filter(is_admin=True, is_active=True)
    return any(admin.has_usable_password() for admin in admins)


def _view(user: User) -> UserView:
    return UserView(user.id, user.handle, user.get_full_name())
