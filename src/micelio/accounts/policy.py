"""May this actor do that to an account?"""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import ConfirmationNeeded, PermissionDenied
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.grant import Scope
from micelio.config import current

# The one who runs `micelio ...` on the machine itself: whoever can read the data directory can do everything anyway.
OPERATOR = Actor(user_id=None, handle="operator", name="Operator", email="", is_admin=True, via="command")


def may_sign_up(*, invited: bool = False) -> bool:
    """Whether somebody without an account may make one: anybody, or who was invited."""
    mode = current().sign_up
    return mode in ("open", "approval") or (mode == "invite" and invited)


def waits_for_approval(*, invited: bool) -> bool:
    """Whether an account that somebody makes is shut until an administrator approves. An invitation is an approval."""
    return current().sign_up == "approval" and not invited


def require_operator(actor: Actor) -> None:
    """Raises PermissionDenied unless the actor stands at the machine itself."""
    if actor is not OPERATOR:
        raise PermissionDenied("Only the operator of the forge may do this.", hint="Use the `micelio` command.")


def require_self(actor: Actor, user_id: UUID) -> None:
    """Raises Unauthenticated or PermissionDenied unless the account is the actor's own and no token limits them."""
    require_whole(actor)
    if require_signed_in(actor) != user_id:
        raise PermissionDenied("This account belongs to somebody else.", hint="Change your own at /-/account.")


def require_admin(actor: Actor) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor looks after the forge."""
    if actor is not OPERATOR:
        require_signed_in(actor)
    if not actor.is_admin:
        raise PermissionDenied("Only an administrator of the forge may see this.", hint="Ask one of them.")


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raises PermissionDenied when the actor's token lacks a scope.

    To be asked before anything is looked up: the answer must not depend on what is there.
    """
    if actor.grant is not None and not actor.grant.has(scope):
        raise PermissionDenied(
            f"The token in use lacks the scope {scope}.",
            hint="`mic auth token create` makes another; a token cannot be widened.",
        )


def require_page(actor: Actor, message: str, page: str) -> None:
    """Raises ConfirmationNeeded with this sentence unless the actor comes with a browser, or stands at the machine.

    For what weakens the protection of others: no token can confirm who holds it, and this must not be had by stealing
    one. Doors that a browser comes through ask it for a fresh confirmation beforehand. `page` is where to do it.
    """
    if actor.via not in ("web", "command"):
        raise ConfirmationNeeded(message, hint=f"Do it at {page}, where you confirm that it is you.")


def covers(actor: Actor, project_id: UUID) -> bool:
    """Whether the actor's token, if any, is for this project."""
    return actor.grant is None or actor.grant.projects is None or project_id in actor.grant.projects


def require_unlimited(actor: Actor) -> None:
    """Raises PermissionDenied when the actor's token is for some projects only: for what belongs to none of them."""
    if actor.grant is not None and actor.grant.projects is not None:
        raise PermissionDenied(
            "The token in use is for some projects only.",
            hint="Use one that is for all, or sign in with `mic auth login`.",
        )


def require_whole(actor: Actor) -> None:
    """Raises PermissionDenied for whoever comes with a limited token: an account is changed by its owner alone."""
    if actor.grant is not None:
        raise PermissionDenied(
            "A token cannot change its account, nor make, list or revoke tokens.", hint="Sign in with `mic auth login`."
        )
