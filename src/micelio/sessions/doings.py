"""What one person landed, or what landed in one organization: by week, by project, and the newest of it.

Each question is answered from the landings of projects that the reader may read, in the query itself. Histories that
were imported are not in it: nobody landed them here. Nor is what stands on a branch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, Q, QuerySet
from django.db.models.functions import TruncWeek

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.accounts.grant import Scope
from micelio.accounts.policy import require_scope
from micelio.accounts.queries import handle_in
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import Readable
from micelio.projects.reads import note_read
from micelio.sessions.models import Landing
from micelio.sessions.policy import require_read
from micelio.sessions.queries import LandingRow, as_rows

# A year, whatever day it begins on.
WEEKS = 53


@dataclass(frozen=True, slots=True)
class Week:
    """What landed in the seven days from Monday `start`, in UTC: by people alone, and by people with agents."""

    start: date
    people: int = 0
    agents: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """One landing with its project. `token` goes on behind it."""

    project: ProjectView
    row: LandingRow
    token: str


class Doings:
    """The landings of one person or organization, as far as one actor may read them. Raises PermissionDenied."""

    def __init__(
        self,
        actor: Actor,
        person: UUID | None = None,
        organization: UUID | None = None,
        known: Sequence[ProjectView] = (),
    ) -> None:
        """`known` are views that were made for the actor a moment ago."""
        require_scope(actor, Scope.SESSION_READ)
        assert (person is None) != (organization is None)
        self._actor = actor
        self._reach = Readable(actor)
        whose = Q(owner_id=person) if person else Q(project__owner_id=organization, owner_id__isnull=False)
        self._views = {view.id: view for view in known}
        self._found = Landing.objects.filter(whose, Exists(self._reach.of_rows))

    def weeks(self, today: date) -> list[Week]:
        """The `WEEKS` weeks up to the one of `today`, the oldest first."""
        return _weeks(self._found, today)

    def projects(self, limit: int) -> list[tuple[ProjectView, int]]:
        """Where most has landed, with how much. That something of private ones is shown is recorded."""
        counted = self._found.values_list("project_id").annotate(landings=Count("id")).order_by("-landings")
        rows = list(counted)
        views = self._of_ids({project for project, _ in rows[:limit]})
        self._note({project for project, _ in rows})
        return [(views[project], landings) for project, landings in rows[:limit] if project in views]

    def latest(self, before: str, limit: int) -> tuple[list[Done], str]:
        """(the newest behind the token `before`, the token that the next page begins with, "" on the last)."""
        found = self._found.annotate(owner_handle=handle_in("owner_id"))
        if before:
            at, number = _parse(before)
            found = found.filter(Q(landed_at__lt=at) | Q(landed_at=at, id__lt=number))
        rows = list(found.order_by("-landed_at", "-id")[: limit + 1])
        shown = rows[:limit]
        views = self._of_ids({row.project_id for row in shown})
        self._note({row.project_id for row in shown})
        pairs = zip(shown, as_rows(self._actor, shown), strict=True)
        done = [Done(views[row.project_id], seen, _token(row)) for row, seen in pairs if row.project_id in views]
        return done, _token(shown[-1]) if len(rows) > limit else ""

    def _of_ids(self, ids: set[UUID]) -> dict[UUID, ProjectView]:
        """Views of these, each looked up once."""
        missing = ids - set(self._views)
        if missing:
            self._views |= self._reach.of_ids(missing)
        return self._views

    def _note(self, ids: set[UUID]) -> None:
        """Record that something of these is shown, where that is asked for."""
        for view in (self._views[one] for one in ids if one in self._views):
            note_read(self._actor, view)
        unknown = ids - set(self._views)
        if unknown:
            self._reach.note_reads(unknown)


def weeks_of(actor: Actor, project: ProjectView, today: date) -> list[Week]:
    """The `WEEKS` weeks of one project, or of the branch that the view is of, the oldest first."""
    require_read(actor, project)
    return _weeks(Landing.objects.filter(project_id=project.line, owner_id__isnull=False), today)


def _weeks(rows: QuerySet[Landing], today: date) -> list[Week]:
    last = today - timedelta(days=today.weekday())
    first = last - timedelta(weeks=WEEKS - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    counted = (
        rows.filter(landed_at__gte=since)
        .annotate(week=TruncWeek("landed_at", tzinfo=UTC))
        .values_list("week")
        .annotate(people=Count("id", filter=Q(agent="")), agents=Count("id", filter=~Q(agent="")))
    )
    found = {week.date(): (people, agents) for week, people, agents in counted.order_by()}
    starts = [first + timedelta(weeks=number) for number in range(WEEKS)]
    return [Week(start, *found.get(start, (0, 0))) for start in starts]


def _token(row: Landing) -> str:
    return f"{int(row.landed_at.timestamp() * 1_000_000)}-{row.id}"


def _parse(token: str) -> tuple[datetime, int]:
    at, _, number = token.partition("-")
    if not (at.isascii() and at.isdecimal() and number.isascii() and number.isdecimal() and len(token) < 40):
        raise InvalidInput("This is no place in the list.", hint="Begin at its first page.")
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))
    except OverflowError as error:
        raise InvalidInput("This is no place in the list.", hint="Begin at its first page.") from error
    return moment, min(int(number), (1 << 63) - 1)
