"""Runs as those see them who may start them, and archives as those see them who may read the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from mic.core.errors import MicError
from micelio.accounts.actor import Actor
from micelio.archives.kept import KeptArchive
from micelio.archives.models import ArchiveRun
from micelio.archives.policy import no_archive, require_fetch, require_read
from micelio.databases import let_go
from micelio.projects.project_view import ProjectView


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. `state`: waiting, running, resting, done, failed, canceled. `stage` names the list that is being read.

    `done` counts records by kind, those of this run alone. `rests_until`: when it goes on by itself. `error_code` is
    "" unless it failed.
    """

    id: UUID
    provider: str
    source: str
    with_token: bool
    state: str
    stage: str
    pages: int
    done: Mapping[str, int]
    warnings: int
    rests_until: datetime | None
    error_code: str
    error: str
    hint: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """An archive. `counts` are by kind, each thing once; `warnings` say what could not be fetched; `size` in bytes."""

    provider: str
    source: str
    fetched_at: datetime
    counts: Mapping[str, int]
    warnings: tuple[str, ...]
    size: int


def run_view(row: ArchiveRun) -> RunView:
    """A row as everybody may see it who may see runs."""
    return RunView(**{name: getattr(row, name) for name in RunView.__slots__})


def newest_run(actor: Actor, project: ProjectView) -> RunView | None:
    """The newest run of a project, None when there is none, or for whoever may not start one."""
    try:
        require_fetch(actor, project)
    except MicError:
        return None
    row = ArchiveRun.objects.filter(project_id=project.id).order_by("-created_at").first()
    return run_view(row) if row else None


def find_archive(actor: Actor, project: ProjectView) -> ArchiveView | None:
    """What was fetched into a project, None when nothing was. Raises NotFound when it may not be read."""
    require_read(actor, project)
    let_go()
    found, _ = KeptArchive(project.id).load()
    if found is None or not found.fetched_at:
        return None
    return ArchiveView(
        found.provider,
        found.source,
        datetime.fromtimestamp(found.fetched_at / 1000, UTC),
        found.counts,
        found.warnings,
        sum(part.bytes for part in found.parts),
    )


def export_archive(actor: Actor, project: ProjectView) -> Iterator[bytes]:
    """The whole archive as lines (docs/formats.md, "Archive"). Raises NotFound before the first one."""
    require_read(actor, project)
    let_go()
    kept = KeptArchive(project.id)
    found, _ = kept.load()
    if found is None or not found.fetched_at:
        raise no_archive(project)
    return kept.lines(found)
