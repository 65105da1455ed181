"""What the bucket knows of each branch, so that an empty database can be filled again from it.

`lines/{project id}/{line id}.json` beside `registry/`: its name, the line and the position that it began at, who began
it and when, and whether it is deleted. Its history is a project's, below `projects/{line id}/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from mic.core.errors import Corrupt
from micelio.projects.ledgers import ledger
from micelio.projects.models import Project

PREFIX = "lines/"


class RegisteredLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One branch as the bucket knows it; `origin` is the line that it began from, None when that is gone."""

    id: UUID
    project: UUID
    branch: str
    position: int
    begun_by: str
    created_at: datetime
    origin: UUID | None = None
    deleted_at: datetime | None = None
    deleted_by: str = ""


def enter(row: Project) -> None:
    """Write a branch's entry; its deletion writes it again."""
    assert row.line_of_id is not None
    entry = RegisteredLine(
        row.id,
        row.line_of_id,
        row.branch,
        row.fork_position or 0,
        row.begun_by,
        row.created_at,
        row.forked_from_id,
        row.deleted_at,
        row.deleted_by,
    )
    ledger().driver.store.put(_key(row.line_of_id, row.id), msgspec.json.encode(entry))


def strike(line_id: UUID) -> None:
    """Remove the entry of a branch that is gone, if there is one."""
    store, name = ledger().driver.store, f"/{line_id.hex}.json"
    for key in [listed.key for listed in store.list(PREFIX) if listed.key.endswith(name)]:
        store.delete(key)


def entries(project_id: UUID | None = None) -> Iterator[RegisteredLine]:
    """Every branch that the bucket knows, or those of one project; raises Corrupt naming a damaged entry."""
    store = ledger().driver.store
    for listed in store.list(PREFIX if project_id is None else f"{PREFIX}{project_id.hex}/"):
        try:
            yield msgspec.json.decode(store.get(listed.key).data, type=RegisteredLine)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"{listed.key} is damaged: {error}", hint="restore it from a backup") from error


def _key(project_id: UUID, line_id: UUID) -> str:
    return f"{PREFIX}{project_id.hex}/{line_id.hex}.json"
