"""May this actor do that to a project?"""

from __future__ import annotations

from mic.core.errors import NotFound, PermissionDenied, Unauthenticated
from micelio.accounts.actor import Actor
from micelio.organizations.policy import role_of
from micelio.projects.project_view import ProjectView


def may_read(visibility: str, role: str | None) -> bool:
    """Public projects are everybody's to read, private ones only their members'."""
    return visibility == "public" or role is not None


def hidden(owner: str, handle: str) -> NotFound:
    """The one answer for a project that is not there and for one that this actor may not see."""
    return NotFound(
        f"There is no project {owner}/{handle}, or you may not see it.",
        hint="Check the spelling, or sign in as a member of its organization.",
    )


def require_read(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound unless the actor may read it. Asks for the role anew: views may be old."""
    if project.visibility != "public" and role_of(actor, project.owner_id) is None:
        raise hidden(project.owner, project.handle)


def require_write(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound, Unauthenticated or PermissionDenied unless the actor is a member of the owner."""
    role = role_of(actor, project.owner_id)
    if role is not None:
        return
    if project.visibility != "public":
        raise hidden(project.owner, project.handle)
    if not actor.signed_in:
        raise Unauthenticated("Landing needs an account.", hint="Sign in with `mic auth login`.")
    raise PermissionDenied(
        f"Only members of {project.owner} may write to {project.owner}/{project.handle}.",
        hint=f"Ask an admin of {project.owner} to invite you.",
    )


def require_manage(actor: Actor, project: ProjectView) -> None:
    """Raises like `require_write`, and PermissionDenied unless the actor is an admin of the owner."""
    require_write(actor, project)
    if role_of(actor, project.owner_id) != "admin":
        raise PermissionDenied(
            f"Only admins of {project.owner} may change {project.owner}/{project.handle}.",
            hint=f"Ask an admin of {project.owner}.",
        )
