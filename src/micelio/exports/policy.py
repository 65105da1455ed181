"""Who may take what away: what somebody may read they may export, and an export is theirs alone."""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.policy import require_whole
from micelio.projects.project_view import ProjectView
from micelio.sessions.policy import may_see_open, require_free, require_read


def require_export(actor: Actor, project: ProjectView) -> None:
    """Whoever may read a project and its sessions, and is signed in: it costs what nobody unknown should have done.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    require_read(actor, project)
    require_free(actor)
    require_signed_in(actor)


def require_own_data(actor: Actor) -> UUID:
    """The account, of which no token of less than all tells what is held. Raises Unauthenticated, PermissionDenied."""
    require_whole(actor)
    return require_signed_in(actor)


def sees_open(actor: Actor, project: ProjectView) -> bool:
    """Whether sessions that have not landed are part of what this actor takes away."""
    return may_see_open(actor, project)


def no_such_export() -> NotFound:
    """The one answer for an export that is not there, is somebody else's, or may not be fetched any more."""
    return NotFound("There is no such export of yours.", hint="`mic export list` shows them; a file is kept for a day.")
