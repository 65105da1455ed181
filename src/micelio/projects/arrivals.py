"""A project that comes with its whole history: rows for what the store has already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.queries import find as find_organization
from micelio.projects import cdn, limits, line_registry, names, policy
from micelio.projects.actions import entered, parse_project_handle
from micelio.projects.branch_names import parse_branch
from micelio.projects.models import Project, Visibility
from micelio.projects.project_view import ProjectView
from micelio.projects.protection import protection_of


@dataclass(frozen=True, slots=True)
class ComingBranch:
    """A branch: its line, the one that it began from (None when that is not here), where, by whom and when."""

    id: UUID
    name: str
    origin: UUID | None
    position: int
    begun_by: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Coming:
    """What a project is called and made of. `protection` is as its row has it, "" for none."""

    id: UUID
    source: str
    name: str
    description: str
    visibility: str
    protection: str
    branches: tuple[ComingBranch, ...] = ()


def require_arrival(actor: Actor, owner: str, handle: str, visibility: str) -> UUID:
    """Whether the actor may make such a project now. Raises as `admit_project`."""
    policy.require_creating(actor)
    organization = find_organization(owner)
    policy.require_create(actor, organization.id, organization.handle)
    if visibility not in ("", *Visibility.values):
        raise InvalidInput(f"{visibility[:40]!r} is not a visibility.", hint="Use public or private.")
    with transaction.atomic():
        names.require_free(organization.id, organization.handle, parse_project_handle(handle))
        limits.require_room(organization.id, organization.handle, visibility or Visibility.PRIVATE)
    return organization.id


@transaction.atomic
def admit_project(actor: Actor, owner: str, handle: str, coming: Coming) -> ProjectView:
    """Make the rows of a project whose data is in the store, in an organization that the actor administers.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, AlreadyExists, LimitReached, Corrupt.
    """
    require_arrival(actor, owner, handle, coming.visibility)
    organization = find_organization(owner)
    handle = parse_project_handle(handle)
    protection_of(coming.protection)
    row = Project.objects.create(
        id=coming.id,
        owner_id=organization.id,
        handle=handle,
        name=coming.name[:200].strip() or handle,
        description=coming.description[:2000].strip(),
        visibility=coming.visibility,
        cdn_key=cdn.new_cdn_key(coming.visibility),
        protection=coming.protection,
    )
    for branch in coming.branches:
        line = Project.lines.create(
            id=branch.id,
            owner_id=organization.id,
            handle=f"@{branch.id.hex}",
            name=parse_branch(branch.name),
            visibility=coming.visibility,
            forked_from_id=branch.origin,
            fork_position=branch.position,
            line_of_id=row.id,
            branch=branch.name,
            begun_by=branch.begun_by[:39],
        )
        Project.lines.filter(id=line.id).update(created_at=branch.begun_at)
        line_registry.enter(Project.lines.get(id=line.id))
    record(
        actor, "project.import_archive", "project", row.id, f"{organization.handle}/{handle}",
        organization_id=organization.id, source=coming.source[:1000], visibility=coming.visibility,
        branches=len(coming.branches),
    )  # fmt: skip
    return entered(row.id, policy.role_in(actor, row.id))
