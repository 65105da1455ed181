"""May this actor do that to a project?"""

from __future__ import annotations

from mic.core.errors import InvalidInput, NotFound, PermissionDenied, Unauthenticated
from micelio.accounts.actor import Actor
from micelio.organizations.policy import role_of
from micelio.projects.models import Confinement
from micelio.projects.project_view import ProjectView


def may_read(visibility: str, role: str | None) -> bool:
    """Public projects are everybody's to read, private ones only their members'."""
    return visibility == "public" or role is not None


def within(actor: Actor, project: ProjectView) -> bool:
    """Whether the actor may know what a fork took over from private projects: a member of each of their owners may.

    A project is confined when it is made and never later, so a view that says otherwise is still right.
    """
    if not project.confined:
        return True
    owners = Confinement.objects.filter(project_id=project.id).values_list("organization_id", flat=True)
    return all(role_of(actor, owner) is not None for owner in set(owners))


def require_publishable(project: ProjectView) -> None:
    """Raises InvalidInput for a fork of what is private: it shows that, so it stays private itself."""
    if project.confined:
        raise InvalidInput(
            f"{project.owner}/{project.handle} is a fork of a private project and stays private.",
            hint="It can be made public once its origin is public.",
        )


def hidden(owner: str, handle: str) -> NotFound:
    """The one answer for a project that is not there and for one that this actor may not see."""
    return NotFound(
        f"There is no project {owner}/{handle}, or you may not see it.",
        hint="Check the spelling, or sign in as a member of its organization.",
    )


def require_read(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound unless the actor may read it. Asks for the role anew: views may be old."""
    if project.visibility == "public":
        return
    if role_of(actor, project.owner_id) is None or not within(actor, project):
        raise hidden(project.owner, project.handle)


def require_write(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound, Unauthenticated or PermissionDenied unless the actor is a member of the owner."""
    role = role_of(actor, project.owner_id)
    if role is not None and not within(actor, project):
        raise hidden(project.owner, project.handle)
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
