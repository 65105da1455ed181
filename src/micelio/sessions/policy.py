"""Who may do what with sessions: writing is the project's rule, a session belongs to whoever started it."""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import NotFound, PermissionDenied
from mic.core.ids import ulid_text
from micelio.accounts.actor import Actor
from micelio.projects.policy import hidden, may_read, require_read, require_write
from micelio.projects.project_view import ProjectView

__all__ = ["hidden_session", "may_see_open", "require_listed", "require_own", "require_read", "require_write"]


def require_own(actor: Actor, session_id: bytes, owner_id: UUID) -> None:
    """Raises PermissionDenied when the session is somebody else's."""
    if actor.user_id != owner_id:
        raise PermissionDenied(
            f"Session {ulid_text(session_id)} was started by somebody else.", hint="Start a session of your own."
        )


def require_listed(project: ProjectView) -> None:
    """Raises NotFound unless the role in the view allows reading: for views that were just made for the same actor."""
    if not may_read(project.visibility, project.role):
        raise hidden(project.owner, project.handle)


def may_see_open(actor: Actor, project: ProjectView) -> bool:
    """Sessions that have not landed are seen by members only."""
    return actor.signed_in and project.role is not None


def hidden_session(session_id: bytes) -> NotFound:
    """The one answer for a session that is not there and for one that this actor may not see."""
    return NotFound(f"There is no session {ulid_text(session_id)} here, or you may not see it.")
