"""Roles in one project, for people who need not belong to the organization that owns it."""

from __future__ import annotations

from django.db import transaction

from mic.core.errors import NotFound
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.audit.actions import record
from micelio.organizations.policy import forget_roles
from micelio.organizations.queries import Member
from micelio.organizations.roles import parse_role
from micelio.projects import policy
from micelio.projects.models import Project, ProjectMember
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project

MAX_PAGE = 1000


def list_project_members(actor: Actor, project: ProjectView, after: str = "", limit: int = 50) -> list[Member]:
    """Who has a role in this project alone, by handle, behind `after`; for those who have a role in it themselves.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    policy.require_listed_members(actor, project)
    roles = dict(ProjectMember.objects.filter(project=project.id).values_list("user_id", "role"))
    people = sorted(accounts.users_by_id(actor, roles).values(), key=lambda user: user.handle)
    members = [Member(user.handle, user.name, roles[user.id]) for user in people if user.handle > after]
    return members[: min(limit, MAX_PAGE)]


@transaction.atomic
def set_project_member(actor: Actor, owner: str, handle: str, member: str, role: str = "member") -> Member:
    """Give an account a role in a project, or another role; as an admin of it. Owners are made by owners.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput.
    """
    project = _held(actor, owner, handle)
    policy.require_manage(actor, project)
    wanted = parse_role(role)
    user = accounts.get_user(actor, member)
    found = ProjectMember.objects.filter(project=project.id, user_id=user.id).first()
    before = found.role if found else None
    policy.require_change(actor, project, before, wanted)
    if before == wanted:
        return Member(user.handle, user.name, wanted)
    ProjectMember.objects.update_or_create(project_id=project.id, user_id=user.id, defaults={"role": wanted})
    forget_roles()
    record(
        actor, "project.member", "project", project.id, f"{project.owner}/{project.handle}",
        organization_id=project.owner_id, member=user.handle, before=before, after=wanted,
    )  # fmt: skip
    return Member(user.handle, user.name, wanted)


@transaction.atomic
def remove_project_member(actor: Actor, owner: str, handle: str, member: str) -> None:
    """Take somebody's role in a project away, as an admin of it, or give one's own up.

    What they landed stays, and so does the role that they have in its owner. Raises NotFound, Unauthenticated,
    PermissionDenied.
    """
    project = _held(actor, owner, handle)
    leaving = actor.signed_in and sought(member) == actor.handle
    if not leaving:
        policy.require_manage(actor, project)
    user = accounts.get_user(actor, member)
    found = ProjectMember.objects.filter(project=project.id, user_id=user.id).first()
    if not leaving:
        policy.require_change(actor, project, found.role if found else None, None)
    if found is None:
        raise NotFound(
            f"{user.handle} has no role in {project.owner}/{project.handle} alone.",
            hint=f"Members of {project.owner} are removed there: `mic org remove`.",
        )
    found.delete()
    forget_roles()
    record(
        actor, "project.member_remove", "project", project.id, f"{project.owner}/{project.handle}",
        organization_id=project.owner_id, member=user.handle, before=found.role, after=None,
    )  # fmt: skip


def _held(actor: Actor, owner: str, handle: str) -> ProjectView:
    """The project, after whoever else changes roles in it; nobody does before this transaction ends."""
    policy.require_changing(actor)
    project = get_project(actor, owner, handle)
    list(Project.objects.filter(id=project.id).select_for_update(of=("self",)).values_list("id"))
    return project
