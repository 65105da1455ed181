"""All projects, for those who run the forge: that they exist and how large they are, never what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from mic.core.errors import MicError
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import require_admin, require_whole
from micelio.projects.ledgers import open_ledger
from micelio.projects.models import Project


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as an administrator of the forge sees it. The last three are None when the store does not say them."""

    id: UUID
    owner: str
    handle: str
    visibility: str
    created_at: datetime
    landings: int | None
    files: int | None
    size: int | None  # bytes of the files at the head


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
    return [_row(project) for project in found.order_by("owner__handle", "handle")[: min(limit, 100)]]


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
    names = project.owner.handle, project.handle
    return ProjectRow(project.id, *names, project.visibility, project.created_at, landings, files, size)
