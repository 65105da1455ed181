"""What the bucket knows of each project's name, so that an empty database can be filled again from it.

`registry/{project id}.json` beside `projects/{project id}/`: owner, handle, name, description, visibility,
time of creation, of a fork also its origin and whose members alone may read it; where it was before, whether it is
archived or deleted, what is protected, and its topics. People and memberships are not here; whoever restores says who
administers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from mic.core.errors import Corrupt
from micelio.projects.ledgers import ledger
from micelio.projects.models import Confinement, FormerAddress, Project
from micelio.projects.project_view import ProjectView

PREFIX = "registry/"


class Confined(msgspec.Struct, frozen=True):
    """What was private when it was forked: the project, and the handle of its owner."""

    source: UUID
    organization: str


class Registered(msgspec.Struct, frozen=True, omit_defaults=True):
    """One project as the bucket knows it."""

    id: UUID
    owner: str
    handle: str
    name: str
    description: str
    visibility: str
    created_at: datetime
    forked_from: UUID | None = None
    fork_position: int | None = None
    confined_to: tuple[Confined, ...] = ()
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str = ""
    protection: str = ""
    former: tuple[str, ...] = ()  # owner/handle
    topics: tuple[str, ...] = ()


def enter(project: ProjectView) -> None:
    """Write the project's entry; a later change of its settings writes it again."""
    entry = Registered(
        project.id,
        project.owner,
        project.handle,
        project.name,
        project.description,
        project.visibility,
        project.created_at,
        project.origin_id,
        project.fork_position,
        tuple(_confined_to(project)),
        *Project.everything.values_list("archived_at", "deleted_at", "deleted_by", "protection").get(id=project.id),
        tuple(_former(project.id)),
        project.topics,
    )
    ledger().driver.store.put(_key(project.id), msgspec.json.encode(entry))


def _confined_to(project: ProjectView) -> Iterator[Confined]:
    found = Confinement.objects.filter(project_id=project.id) if project.confined else Confinement.objects.none()
    for source, organization in found.order_by("source").values_list("source", "organization__handle"):
        yield Confined(source, organization)


def _former(project_id: UUID) -> Iterator[str]:
    found = FormerAddress.objects.filter(project=project_id).order_by("id")
    for owner, handle in found.values_list("owner__handle", "handle"):
        yield f"{owner}/{handle}"


def strike(project_id: UUID) -> None:
    """Remove the entry of a project that is deleted."""
    ledger().driver.store.delete(_key(project_id))


def _key(project_id: UUID) -> str:
    return f"{PREFIX}{project_id.hex}.json"


def entries() -> Iterator[Registered]:
    """Every project that the bucket holds; raises Corrupt naming a damaged entry."""
    store = ledger().driver.store
    for listed in store.list(PREFIX):
        try:
            yield msgspec.json.decode(store.get(listed.key).data, type=Registered)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"{listed.key} is damaged: {error}", hint="restore it from a backup") from error
