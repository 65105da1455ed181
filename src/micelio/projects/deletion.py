"""Deleting projects, and taking that back.

A deleted project is gone from every door at once, and its row and objects stay for seven days: that long its address is
held and an admin of its owner can restore it. Then the rows go, and its objects as `erasure` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from mic.core.errors import AlreadyExists
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import covers
from micelio.audit.actions import record
from micelio.organizations.queries import find as find_organization
from micelio.organizations.queries import memberships
from micelio.projects import cdn, ledgers, limits, policy, registry
from micelio.projects.actions import entered, held, rotate_cdn_key
from micelio.projects.jobs import erase_project
from micelio.projects.models import Project
from micelio.projects.names import UNDO
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import MAX_ORGANIZATIONS, MAX_PAGE, confined_elsewhere, get_project, rows, view
from micelio.projects.signals import restored


class Deletion(NamedTuple):
    """What was deleted: where it was, how many forks of it stay, until when it can be restored."""

    owner: str
    handle: str
    forks: int
    until: datetime


@dataclass(frozen=True, slots=True)
class DeletedProject:
    """A project that can be restored."""

    owner: str
    handle: str
    name: str
    visibility: str
    deleted_at: datetime
    deleted_by: str

    @property
    def until(self) -> datetime:
        """When it is erased."""
        return self.deleted_at + UNDO


@transaction.atomic
def delete_project(actor: Actor, owner: str, handle: str) -> Deletion:
    """Delete a project, for admins of its owner: gone from every door at once, for everybody.

    For seven days it can be restored; its forks stay, whatever becomes of it. Raises NotFound, Unauthenticated,
    PermissionDenied, Unavailable.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_manage(actor, project)
    forks = Project.objects.filter(forked_from=project.id).count()
    now = timezone.now()
    name = f"{project.owner}/{project.handle}"
    record(actor, "project.delete", "project", project.id, name, organization_id=project.owner_id, forks=forks)
    gone = Project.objects.filter(id=project.id)
    gone.update(deleted_at=now, deleted_by=actor.handle, cdn_key=None)
    cdn.forget(project.id)
    transaction.on_commit(lambda: cdn.forget(project.id))
    erase_project.using(run_after=now + UNDO).enqueue(str(project.id))
    registry.enter(project)
    return Deletion(project.owner, project.handle, forks, now + UNDO)


@transaction.atomic
def restore_project(actor: Actor, owner: str, handle: str) -> ProjectView:
    """Take a deletion back, for admins of the owner; to everybody else there is no such project.

    Raises NotFound, AlreadyExists for one that is there, Unauthenticated, PermissionDenied for a token, LimitReached,
    Unavailable.
    """
    policy.require_changing(actor)
    found = rows(Project.everything).filter(owner__handle=sought(owner), handle=sought(handle))
    row = found.filter(deleted_at__gt=timezone.now() - UNDO).select_for_update(of=("self",)).first()
    if row is None or not covers(actor, row.id) or not policy.may_restore(actor, view(row, None)):
        there = get_project(actor, owner, handle)
        raise AlreadyExists(f"{there.owner}/{there.handle} is not deleted.", hint="There is nothing to restore.")
    may = limits.require_room(row.owner_id, row.owner.handle, row.visibility)
    full = limits.is_full(row.owner_id, may)
    Project.everything.filter(id=row.id).update(deleted_at=None, deleted_by="", full=full)
    name = f"{row.owner.handle}/{row.handle}"
    record(actor, "project.undelete", "project", row.id, name, organization_id=row.owner_id)
    rotate_cdn_key(row.id, row.visibility)
    # The mark of an erasure that began and could not be committed.
    ledgers.ledger().pardon(row.id.hex)
    transaction.on_commit(lambda: restored.send(Project, project_id=row.id))
    return entered(row.id, policy.role_in(actor, row.id))


def list_deleted(actor: Actor, owner: str, after: str = "", limit: int = 50) -> list[DeletedProject]:
    """What an organization's admins can restore, by handle, behind the handle `after`; only they may ask.

    Raises NotFound, Unauthenticated, PermissionDenied.
    """
    policy.require_changing(actor)
    organization = find_organization(owner)
    policy.require_create(actor, organization.id, organization.handle)
    organizations = [row.id for row in memberships(actor, limit=MAX_ORGANIZATIONS)]
    found = rows(Project.everything).filter(owner=organization.id, handle__gt=sought(after))
    found = found.filter(~Exists(confined_elsewhere(actor, organizations)), deleted_at__gt=timezone.now() - UNDO)
    return [
        DeletedProject(row.owner.handle, row.handle, row.name, row.visibility, row.deleted_at, row.deleted_by)
        for row in found.order_by("handle")[: min(limit, MAX_PAGE)]
        if row.deleted_at is not None
    ]
