"""Reading what was found."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mic.core.errors import NotFound
from mic.core.scanning import RULES_VERSION
from micelio.accounts.actor import Actor
from micelio.findings.models import Searched, SecretFinding, State
from micelio.findings.policy import may_decide, require_decide
from micelio.projects.project_view import ProjectView

MAX_PAGE = 200
# Beyond these a page says "more than".
COUNTED = 99
# Seconds that another process's new finding may go unmentioned on a project's page.
REMEMBERED = 60.0
_MOST_REMEMBERED = 100_000
_none_since: dict[UUID, float] = {}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as an admin sees it. `path` is b"" for words; `position` is 0 while it is kept out."""

    id: int
    source: str
    rule: str
    fingerprint: str
    path: bytes
    session_id: bytes
    position: int
    line: int
    column: int
    excerpt: str
    note: str
    reporter: str
    found_at: datetime
    state: str
    reason: str
    decided_by: str
    decided_at: datetime | None


def list_findings(
    actor: Actor, project: ProjectView, state: str = "", before: int | None = None, limit: int = 50
) -> list[FindingRow]:
    """Newest first, of one state or of all, those before number `before` when given."""
    require_decide(actor, project)
    found = SecretFinding.objects.filter(project_id=project.id)
    if state:
        found = found.filter(state=state)
    if before is not None:
        found = found.filter(id__lt=before)
    return [_row(row) for row in found.order_by("-id")[: min(limit, MAX_PAGE)]]


def count_open(actor: Actor, project: ProjectView) -> int:
    """How many findings wait for an admin, counted up to `COUNTED` + 1; 0 for anybody else.

    That there are none is believed for a minute: nearly every project has none, and its page asks each time.
    """
    if not may_decide(actor, project) or time.monotonic() - _none_since.get(project.id, -REMEMBERED) < REMEMBERED:
        return 0
    found = SecretFinding.objects.filter(project_id=project.id, state=State.OPEN)
    count = len(found.values_list("id")[: COUNTED + 1])
    if not count:
        if len(_none_since) >= _MOST_REMEMBERED:
            _none_since.clear()
        _none_since[project.id] = time.monotonic()
    return count


def forget_count(project_id: UUID) -> None:
    """For whoever adds a finding or opens one again: this process tells of it with the next page."""
    _none_since.pop(project_id, None)


def own_finding(actor: Actor, project: ProjectView, finding_id: int) -> SecretFinding:
    """One finding of the project. Raises NotFound."""
    require_decide(actor, project)
    row = SecretFinding.objects.filter(project_id=project.id, id=finding_id).first()
    if row is None:
        raise NotFound(f"There is no finding {finding_id} in {project.owner}/{project.handle}.")
    return row


def decided(project_id: UUID, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (place, fingerprint) an admin has allowed or called revoked, for the forge's own judgement."""
    places = {place for place, _ in keys}
    found: set[tuple[str, str]] = set()
    for some in _portions(sorted(places)):
        rows: Any = SecretFinding.objects.filter(project_id=project_id, place__in=some).exclude(state=State.OPEN)
        found.update(rows.values_list("place", "fingerprint"))
    return found & set(keys)


def searched() -> set[UUID]:
    """Projects that today's rules have seen all of, for the forge's own upkeep."""
    return set(Searched.objects.filter(rules=RULES_VERSION, done=True).values_list("project_id", flat=True))


def searched_to(project_id: UUID) -> int:
    """How far today's rules have looked through a project's landings, for the forge's own upkeep."""
    row = Searched.objects.filter(project_id=project_id, rules=RULES_VERSION).first()
    return row.position if row is not None else 0


def _portions(places: list[str], most: int = 500) -> list[list[str]]:
    return [places[at : at + most] for at in range(0, len(places), most)]


def _row(row: SecretFinding) -> FindingRow:
    return FindingRow(
        row.id,
        row.source,
        row.rule,
        row.fingerprint,
        bytes(row.path),
        bytes(row.session_id or b""),
        row.position,
        row.line,
        row.column,
        row.excerpt,
        row.note,
        row.reporter,
        row.found_at,
        row.state,
        row.reason,
        row.decided_by,
        row.decided_at,
    )
