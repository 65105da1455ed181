"""Giving a project another address, putting it into the archive and taking it out again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.policy import forget_roles
from micelio.organizations.queries import find as find_organization
from micelio.projects import limits, names, policy
from micelio.projects.actions import entered, held, parse_project_handle
from micelio.projects.models import Confinement, Project
from micelio.projects.project_view import ProjectView


@transaction.atomic
def rename_project(actor: Actor, owner: str, handle: str, new_handle: str) -> ProjectView:
    """Give a project another handle, for admins of its owner. The address before leads to it, and is nobody else's.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, AlreadyExists, Unavailable.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_manage(actor, project)
    new_handle = parse_project_handle(new_handle)
    if new_handle == project.handle:
        return project
    names.require_free(project.owner_id, project.owner, new_handle, project.id)
    names.leave(project.id, project.owner_id, project.handle)
    names.arrive(project.id, project.owner_id, new_handle)
    # Whoever never named it calls it by its handle.
    named = {"name": new_handle} if project.name == project.handle else {}
    Project.objects.filter(id=project.id).update(handle=new_handle, **named)
    _record(actor, "project.rename", project, before={"handle": project.handle}, after={"handle": new_handle})
    return entered(project.id, project.role)


@transaction.atomic
def transfer_project(actor: Actor, owner: str, handle: str, new_owner: str, new_handle: str = "") -> ProjectView:
    """Give a project to another organization, for an owner of the one who may make projects in the other.

    So nobody takes one along, and nobody is given what they did not ask for. Its address before leads to it. What it
    confines is confined to the new owner's members. Raises as `rename_project`, and LimitReached when the new owner may
    not have one more.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_own(actor, project)
    organization = find_organization(new_owner)
    policy.require_create(actor, organization.id, organization.handle)
    if organization.id == project.owner_id:
        raise InvalidInput(f"{project.owner}/{project.handle} is {organization.handle}'s already.")
    new_handle = parse_project_handle(new_handle or project.handle)
    names.require_free(organization.id, organization.handle, new_handle, project.id)
    may = limits.require_room(organization.id, organization.handle, project.visibility)
    names.leave(project.id, project.owner_id, project.handle)
    names.arrive(project.id, organization.id, new_handle)
    full = limits.is_full(organization.id, may)
    Project.objects.filter(id=project.id).update(owner_id=organization.id, handle=new_handle, full=full)
    Project.lines.filter(line_of=project.id).update(owner_id=organization.id)
    confined = Confinement.objects.filter(source=project.id)
    forks = confined.update(organization_id=organization.id)
    places = {"before": {"owner": project.owner}, "after": {"owner": organization.handle, "handle": new_handle}}
    _record(actor, "project.transfer", project, **places)
    forget_roles()
    made = entered(project.id, policy.role_in(actor, project.id))
    # Both owners read of it in their logs.
    _record(actor, "project.receive", made, **places)
    for fork in confined.values_list("project_id", flat=True) if forks else ():
        entered(fork, None)
    return made


@transaction.atomic
def archive_project(actor: Actor, owner: str, handle: str, *, archived: bool = True) -> ProjectView:
    """Let nothing land in a project any more, or again; everything in it is read as before. For admins of its owner.

    Doing it again changes nothing. Raises NotFound, Unauthenticated, PermissionDenied, Unavailable.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_manage(actor, project)
    if (project.archived_at is not None) == archived:
        return project
    Project.objects.filter(id=project.id).update(archived_at=timezone.now() if archived else None)
    _record(actor, "project.archive" if archived else "project.unarchive", project)
    return entered(project.id, project.role)


def _record(actor: Actor, action: str, project: ProjectView, **details: Any) -> None:
    name = f"{project.owner}/{project.handle}"
    record(actor, action, "project", project.id, name, organization_id=project.owner_id, **details)
