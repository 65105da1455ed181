"""Who may search what: whoever may read it. The rule itself is part of the query, see `queries`."""

from __future__ import annotations

from micelio.accounts.actor import Actor
from micelio.accounts.grant import Scope
from micelio.accounts.policy import require_scope
from micelio.projects.policy import require_reading


def require_search(actor: Actor) -> None:
    """Raises PermissionDenied for a token that reads no projects."""
    require_reading(actor)


def require_sessions(actor: Actor) -> None:
    """Raises PermissionDenied for a token that reads no sessions."""
    require_scope(actor, Scope.SESSION_READ)


def may_read_sessions(actor: Actor) -> bool:
    """Whether sessions are among what the actor reads."""
    return actor.grant is None or actor.grant.has(Scope.SESSION_READ)
