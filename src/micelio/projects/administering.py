"""All projects, for those who run the forge: that they exist and how large they are, never what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from mic.core.errors import MicError, NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import require_admin, require_whole
from micelio.organizations.queries import find as find_organization
from micelio.projects import jobs, limits
from micelio.projects.ledgers import open_ledger
from micelio.projects.models import Project
from micelio.projects.project_view import MAIN

# Two objects of the store are read for each: a page, and one to know whether there is another.
MOST = 101


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as an administrator of the forge sees it.

    What the store does not say is None: of the head now, of all objects before somebody first looked.
    """

    id: UUID
    owner: str
    handle: str
    visibility: str
    created_at: datetime
    landings: int | None
    files: int | None
    size: int | None  # bytes of the files at the head
    stored_bytes: int | None
    stored_objects: int | None
    measured_at: datetime | None


def all_projects(actor: Actor, find: str = "", after: str = "", limit: int = 25) -> list[ProjectRow]:
    """Projects by `owner/handle`, behind `after`; with `find` in it. Raises PermissionDenied.

    Two objects of the store are read for each.
    """
    require_whole(actor)
    require_admin(actor)
    found = Project.objects.select_related("owner")
    if text := find.replace("\x00", "").strip().lower():
        owner, slash, handle = text.partition("/")
        if slash:
            found = found.filter(owner__handle=owner, handle__startswith=handle)
        else:
            found = found.filter(Q(owner__handle__contains=text) | Q(handle__contains=text))
    if after:
        last_owner, _, last_handle = sought(after).partition("/")
        found = found.filter(Q(owner__handle__gt=last_owner) | Q(owner__handle=last_owner, handle__gt=last_handle))
    return [_row(project) for project in found.order_by("owner__handle", "handle")[: min(limit, MOST)]]


def usage_of(actor: Actor, owner: str) -> limits.Usage:
    """What an organization has of what it may. Raises PermissionDenied, NotFound."""
    require_whole(actor)
    require_admin(actor)
    return limits.usage(actor, owner)


def measure(actor: Actor, owner: str) -> None:
    """Look soon at what the projects of an organization take in the store. Raises PermissionDenied, NotFound."""
    require_whole(actor)
    require_admin(actor)
    jobs.measure_organization.enqueue(str(find_organization(owner).id))


def count_projects(actor: Actor) -> dict[str, int]:
    """How many there are of each visibility. Raises PermissionDenied."""
    require_whole(actor)
    require_admin(actor)
    counted = Project.objects.values_list("visibility").annotate(count=Count("id")).order_by("visibility")
    return dict(counted)


def _row(project: Project) -> ProjectRow:
    landings, files, size = None, None, None
    try:
        ledger = open_ledger(project.id)
        head = ledger.head()
        landings = head.position
        files, size = ledger.totals(head.tree)
    except MicError:  # the storage page says what is wrong with the store
        pass
    seen = project.measured_at is not None
    return ProjectRow(
        project.id,
        project.owner.handle,
        project.handle,
        project.visibility,
        project.created_at,
        landings,
        files,
        size,
        project.stored_bytes if seen else None,
        project.stored_objects if seen else None,
        project.measured_at,
    )


def project_of_name(actor: Actor, name: str) -> UUID:
    """The line called `owner/handle` or `owner/handle@branch`, also of a project that can still be restored.

    Raises PermissionDenied, NotFound.
    """
    require_whole(actor)
    require_admin(actor)
    named, at, branch = name.strip().partition("@")
    owner, _, handle = named.lower().partition("/")
    found = Project.everything.filter(owner__handle=owner, handle=handle).values_list("id", flat=True).first()
    if found is not None and at and branch != MAIN:
        named_so = Project.lines.filter(line_of=found, branch=branch)
        found = named_so.filter(deleted_at=None).values_list("id", flat=True).first()
    if found is None:
        raise NotFound(f"There is no project {name[:80]}.", hint="`micelio admin projects list` has them all.")
    return found
