"""Who may do what with sessions: writing is the project's rule, a session belongs to whoever started it."""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import NotFound, PermissionDenied
from mic.core.ids import ulid_text
from micelio.accounts.actor import Actor
from micelio.accounts.grant import Scope
from micelio.accounts.policy import require_scope
from micelio.organizations.roles import Role, at_least
from micelio.projects import policy
from micelio.projects.policy import hidden, may_read
from micelio.projects.project_view import ProjectView


def require_read(actor: Actor, project: ProjectView) -> None:
    """As reading the project; a token needs to be for sessions too."""
    require_scope(actor, Scope.SESSION_READ)
    policy.require_read(actor, project)


def require_write(actor: Actor, project: ProjectView) -> None:
    """As writing to the project; a token needs to be for sessions."""
    policy.require_write(actor, project, Scope.SESSION_WRITE)


def require_import(actor: Actor, project: ProjectView) -> None:
    """Whoever may write to the project may fill it with a history; a token needs to be for projects."""
    policy.require_write(actor, project)


def require_own(actor: Actor, session_id: bytes, owner_id: UUID) -> None:
    """Raises PermissionDenied when the session is somebody else's."""
    if actor.user_id != owner_id:
        raise PermissionDenied(
            f"Session {ulid_text(session_id)} was started by somebody else.", hint="Start a session of your own."
        )


def require_bound(actor: Actor, session_id: bytes) -> None:
    """Raises PermissionDenied when the actor's token is for another session. It may start and land its own."""
    if actor.grant is not None and actor.grant.session not in (b"", session_id):
        raise PermissionDenied(
            "The token in use is for one session, and not for this one.",
            hint="Its maker can make one for this session.",
        )


def require_free(actor: Actor) -> None:
    """Raises PermissionDenied for a token of one session: to give the session up is its maker's to decide."""
    if actor.grant is not None and actor.grant.session:
        raise PermissionDenied(
            "The token in use is for landing one session, and for nothing else.", hint="Ask whoever made the token."
        )


def require_listed(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound unless the role in the view allows reading: for views that were just made for this actor."""
    require_scope(actor, Scope.SESSION_READ)
    if not may_read(project.visibility, project.role):
        raise hidden(project.owner, project.handle)


def may_see_open(actor: Actor, project: ProjectView, session_id: bytes = b"") -> bool:
    """Sessions that have not landed are seen by members only, and through a token of one session that one only."""
    if actor.grant is not None and actor.grant.session and actor.grant.session != session_id:
        return False
    return actor.signed_in and project.role is not None


def may_read_transcript(actor: Actor, project: ProjectView, session_id: bytes, owner_id: UUID) -> bool:
    """A conversation that is kept to members: those who may land here, and whose session it is.

    For views that were just made for this actor. Through a token of one session that one only.
    """
    if actor.grant is not None and actor.grant.session not in (b"", session_id):
        return False
    return actor.user_id is not None and (at_least(project.role, Role.MEMBER) or actor.user_id == owner_id)


def hidden_session(session_id: bytes) -> NotFound:
    """The one answer for a session that is not there and for one that this actor may not see."""
    return NotFound(f"There is no session {ulid_text(session_id)} here, or you may not see it.")
