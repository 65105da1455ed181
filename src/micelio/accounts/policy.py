"""May this actor do that to an account?"""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import PermissionDenied
from micelio.accounts.actor import Actor, require_signed_in
from micelio.config import current

# The one who runs `micelio ...` on the machine itself: whoever can read the data directory can do everything anyway.
OPERATOR = Actor(user_id=None, handle="operator", name="Operator", email="", is_admin=True, via="command")


def may_sign_up() -> bool:
    """Strangers may make an account for themselves."""
    return current().sign_up_open


def require_operator(actor: Actor) -> None:
    """Raises PermissionDenied unless the actor stands at the machine itself."""
    if actor is not OPERATOR:
        raise PermissionDenied("Only the operator of the forge may do this.", hint="Use the `micelio` command.")


def require_self(actor: Actor, user_id: UUID) -> None:
    """Raises Unauthenticated or PermissionDenied unless the account is the actor's own."""
    if require_signed_in(actor) != user_id:
        raise PermissionDenied("This account belongs to somebody else.", hint="Change your own at /-/account.")
