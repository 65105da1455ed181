"""Reading accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import OuterRef, Q, QuerySet, Subquery

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import sought
from micelio.accounts.models import HandleClaim, User
from micelio.accounts.once import asked
from micelio.accounts.policy import require_admin, require_whole
from micelio.audit import queries as audit
from micelio.audit.models import AuditEvent


@dataclass(frozen=True, slots=True)
class UserView:
    """What others may see of an account."""

    id: UUID
    handle: str
    name: str


def get_user(actor: Actor, handle: str) -> UserView:
    """The active account with this handle, now or before it got another. Names are public here. Raises NotFound."""
    open_accounts = User.objects.filter(is_active=True)
    user = open_accounts.filter(handle=sought(handle)).first() or _renamed(open_accounts, handle)
    if user is None:
        raise NotFound(f"There is no account {handle!r}.", hint="Check the spelling of the handle.")
    return _view(user)


def _renamed(accounts: QuerySet[User], handle: str) -> User | None:
    claims = HandleClaim.objects.filter(handle=sought(handle), kind="user", holder__isnull=False)
    return accounts.filter(id__in=claims.values("holder")).first()


def find_users(actor: Actor, text: str, after: str = "", limit: int = 20) -> list[UserView]:
    """Active accounts with `text` in their handle or name, by handle behind `after`.

    Who has an account here is shown to those who have one: a visitor finds nobody.
    """
    if not actor.signed_in:
        return []
    found = User.objects.filter(Q(handle__icontains=text) | Q(name__icontains=text), is_active=True, handle__gt=after)
    return [_view(user) for user in found.order_by("handle")[:limit]]


def users_by_id(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, UserView]:
    """The accounts with these ids, in one query at most; an id without account is left out."""
    wanted = set(ids)
    now = asked.get()
    known: dict[UUID, UserView] = now.setdefault("users", {}) if now is not None else {}
    missing = wanted - set(known)
    if missing:
        known |= {user.id: _view(user) for user in User.objects.filter(id__in=missing)}
    return {one: known[one] for one in wanted if one in known}


def handle_in(column: str) -> Subquery:
    """A part of a query whose rows have the id of an account in `column`: its handle, null for no account."""
    return Subquery(User.objects.filter(id=OuterRef(column)).values("handle")[:1])


def proven_addresses(actor: Actor) -> list[str]:
    """The actor's e-mail addresses that were shown to be theirs, in lower case. What somebody says is no proof."""
    own = EmailAddress.objects.filter(user_id=actor.user_id, verified=True)
    return [email.lower() for email in own.values_list("email", flat=True)]


def handles_of(holders: Iterable[UUID]) -> list[str]:
    """Every handle that these accounts and organizations have had before: nobody else ever gets one of them."""
    return list(HandleClaim.objects.filter(holder__in=list(holders)).values_list("handle", flat=True))


def handle_taken(handle: str) -> bool:
    """A person or an organization has this handle already."""
    return HandleClaim.objects.filter(handle=handle).exists()


def nobodys(handles: Iterable[str]) -> set[str]:
    """Those of these handles that no person and no organization has or ever had: anybody could take them yet."""
    wanted = set(handles)
    if not wanted:
        return set()
    return wanted - set(HandleClaim.objects.filter(handle__in=wanted).values_list("handle", flat=True))


def administrator_has_password() -> bool:
    """Some active administrator can sign in with a password, so no one-time link is needed."""
    admins = User.objects.filter(is_admin=True, is_active=True)
    return any(admin.has_usable_password() for admin in admins)


def own_events(actor: Actor) -> QuerySet[AuditEvent]:
    """What the actor's account did, and what was done to it. Raises Unauthenticated, PermissionDenied for a token."""
    require_whole(actor)
    return audit.by_account(require_signed_in(actor))


def all_events(actor: Actor) -> QuerySet[AuditEvent]:
    """The whole audit log, for administrators. Raises Unauthenticated, PermissionDenied."""
    require_admin(actor)
    return audit.everything()


def _view(user: User) -> UserView:
    return UserView(user.id, user.handle, user.get_full_name())
