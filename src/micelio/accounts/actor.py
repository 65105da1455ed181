"""Who asks: the one value that every action and query takes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from mic.core.errors import PermissionDenied, Unauthenticated
from micelio.accounts.grant import Grant

if TYPE_CHECKING:
    from django.http import HttpRequest

    from micelio.accounts.models import User

# The scope that lets a token act for its owner. A token without it only proves who somebody is.
SCOPE = "mic"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. `user_id` is None for a visitor; `via` names the door.

    Doors: web, token (signed in with `mic`), personal-token, agent-token, command, visitor, and queue for what is
    carried out later. `grant` is what the token allows; None allows all that the account may.
    """

    user_id: UUID | None
    handle: str
    name: str
    email: str
    is_admin: bool
    via: str
    grant: Grant | None = None

    @property
    def token(self) -> str:
        """The id of the token that limits what this actor may do, "" when there is no such limit."""
        return str(self.grant.token_id) if self.grant is not None else ""

    @property
    def signed_in(self) -> bool:
        """True unless this is a visitor."""
        return self.user_id is not None


ANONYMOUS = Actor(user_id=None, handle="", name="", email="", is_admin=False, via="visitor")


def actor_of(user: User, via: str) -> Actor:
    """The actor that `user` is, coming through the door `via`."""
    return Actor(user.id, user.handle, user.get_full_name(), user.email, user.is_admin, via)


def actor_from_request(request: HttpRequest) -> Actor:
    """The signed-in person behind a page request, else ANONYMOUS."""
    from micelio.accounts.models import User

    user = request.user
    return actor_of(user, "web") if isinstance(user, User) and user.is_active else ANONYMOUS


def actor_from_token(token: str) -> Actor:
    """The account that an access token stands for. Raises Unauthenticated.

    The token must exist, be neither expired nor revoked, carry the scope `mic` and belong to an active account.
    All failures give the same sentence: which of them it was is nobody's business.
    """
    from micelio.accounts.tokens import holder

    found = holder(token) if token else None
    if found is not None:
        return found
    raise invalid_token()


def invalid_token() -> Unauthenticated:
    """The one answer for a token that opens nothing: unknown, expired, revoked, of a closed account, of elsewhere."""
    return Unauthenticated("The access token is not valid here.", hint="Sign in again with `mic auth login`.")


def actor_of_account(user_id: UUID) -> Actor:
    """Who acts when the forge carries out what an account asked for earlier. Raises PermissionDenied without one."""
    from micelio.accounts.models import User

    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise PermissionDenied("The account that asked for this is not active any more.", hint="Ask an administrator.")
    return actor_of(user, "queue")


def require_signed_in(actor: Actor) -> UUID:
    """The actor's account. Raises Unauthenticated for a visitor."""
    if actor.user_id is None:
        raise Unauthenticated("This needs an account.", hint="Sign in, or send a token.")
    return actor.user_id
