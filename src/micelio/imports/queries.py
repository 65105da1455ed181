"""Imports as those see them who may import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from micelio.accounts.actor import Actor
from micelio.imports.models import GitImport
from micelio.imports.policy import no_such_import, require_import
from micelio.projects.project_view import ProjectView

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class ImportView:
    """One run. `state`: receiving, waiting, running, done, failed, canceled; `stage`: metadata, objects, landings,
    validation, finalisation.

    `received` of `size` bytes of its pack are here; both are 0 while a forge that fetches by itself has not begun.
    Totals are 0 until they are known. `marked` counts what git's fsck calls errors, `aside` says under which other
    names refs are kept. `error_code` is "" unless it failed; `document` says more of the error, such as where secrets
    are. `position` is where main stands when it is done.
    """

    id: UUID
    source: str
    from_forge: bool
    state: str
    stage: str
    pack: str
    size: int
    received: int
    refs: int
    objects_done: int
    objects_total: int
    landings_done: int
    landings_total: int
    marked: Mapping[str, int]
    aside: Mapping[str, str]
    position: int
    error_code: str
    error: str
    hint: str
    document: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


def view_of(row: GitImport) -> ImportView:
    """A row as everybody may see it who may see imports."""
    return ImportView(**{name: getattr(row, name) for name in ImportView.__slots__})


def get_import(actor: Actor, project: ProjectView, import_id: UUID | None = None) -> ImportView:
    """An import of the project, the newest when none is named. Raises NotFound, PermissionDenied."""
    require_import(actor, project)
    rows = GitImport.objects.filter(project_id=project.id).order_by("-created_at")
    row = (rows if import_id is None else rows.filter(id=import_id)).first()
    if row is None:
        raise no_such_import()
    return view_of(row)


def list_imports(actor: Actor, project: ProjectView, limit: int = MAX_PAGE) -> list[ImportView]:
    """The imports of a project, the newest first. Raises NotFound, PermissionDenied."""
    require_import(actor, project)
    rows = GitImport.objects.filter(project_id=project.id).order_by("-created_at")
    return [view_of(row) for row in rows[: min(limit, MAX_PAGE)]]
