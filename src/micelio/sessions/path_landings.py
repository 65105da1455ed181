"""Which landings touched a path, or anything below it, always as somebody."""

from __future__ import annotations

from dataclasses import dataclass

from mic.ledger.came_from import base_of, came_from
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.policy import require_read
from micelio.sessions.queries import MAX_PAGE, LandingRow, get_rows

# What became of the path itself; "below": something below it was touched.
WHAT = ("added", "modified", "deleted", "below")


@dataclass(frozen=True, slots=True)
class PathLanding:
    """A landing that touched a path; `what` is one of WHAT.

    Where it added the path and the record says what that was before, `came_from` is that path, at `came_at`.
    """

    row: LandingRow
    what: str
    came_from: bytes = b""
    came_at: int = 0


def path_landings(
    actor: Actor, project: ProjectView, path: bytes, before: int | None = None, after: int = 0, limit: int = 50
) -> list[PathLanding]:
    """Newest first, those before position `before` when given and behind `after`; fewer than `limit` are all.

    From the log, not from rows: exact, and as new as the head. Raises NotFound, Corrupt.
    """
    require_read(actor, project)
    ledger, limit = open_ledger(project.line), min(limit, MAX_PAGE)
    found: list[tuple[int, int]] = []
    at = before or 0
    while True:
        history = ledger.path_history(path, at, after, limit - len(found))
        found += history.touches
        # It also stops where much had to be read because rollups are not there yet.
        if len(found) >= limit or history.reached <= after:
            break
        at = history.reached + 1
    rows = get_rows(actor, project, [position for position, _ in found])
    return [_landing(ledger, path, rows[position], WHAT[what]) for position, what in found]


def _landing(ledger: Project, path: bytes, row: LandingRow, what: str) -> PathLanding:
    if what != "added":
        return PathLanding(row, what)
    record, session = ledger.landing(row.position)
    before = came_from(record, session, path)
    return PathLanding(row, what, before, base_of(record) if before else 0)
