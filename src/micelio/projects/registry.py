"""What the bucket knows of each project's name, so that an empty database can be filled again from it.

`registry/{project id}.json` beside `projects/{project id}/`: owner, handle, name, description, visibility,
time of creation. People and memberships are not here; whoever restores says who administers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from mic.core.errors import Corrupt
from micelio.projects.ledgers import ledger
from micelio.projects.project_view import ProjectView

PREFIX = "registry/"


class Registered(msgspec.Struct, frozen=True):
    """One project as the bucket knows it."""

    id: UUID
    owner: str
    handle: str
    name: str
    description: str
    visibility: str
    created_at: datetime


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
    )
    ledger().driver.store.put(f"{PREFIX}{project.id.hex}.json", msgspec.json.encode(entry))


def entries() -> Iterator[Registered]:
    """Every project that the bucket holds; raises Corrupt naming a damaged entry."""
    store = ledger().driver.store
    for listed in store.list(PREFIX):
        try:
            yield msgspec.json.decode(store.get(listed.key).data, type=Registered)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"{listed.key} is damaged: {error}", hint="restore it from a backup") from error
