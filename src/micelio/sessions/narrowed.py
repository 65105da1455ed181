"""Lists of landings narrowed down by what for, who, with what, where and when; and who has landed how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Q, Value

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.queries import get_user, users_by_id
from micelio.projects.project_view import ProjectView
from micelio.projects.reads import note_read
from micelio.sessions.models import Landing, Projection, storable
from micelio.sessions.path_landings import path_landings
from micelio.sessions.policy import require_listed, require_read
from micelio.sessions.queries import MAX_PAGE, LandingRow, as_rows, landings, last_positions

# Positions that one page looks through: 20 ms at worst. The next page goes on behind them.
LOOKED_THROUGH = 20_000
# Landings in which the page of a project looks for its latest sessions.
LATELY = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which landings; an empty word leaves its question open. `since` and `until` are of when the work was done."""

    author: str = ""
    agent: str = ""
    path: bytes = b""
    since: datetime | None = None
    until: datetime | None = None
    goal: str = ""

    def __bool__(self) -> bool:
        return bool(self.goal or self.author or self.agent or self.path or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody with what they have landed. `handle` is empty for who has no account here."""

    name: str
    handle: str
    landings: int
    with_agents: int
    first: int
    last: int


def find_landings(
    actor: Actor, project: ProjectView, wanted: Wanted, before: int | None = None, limit: int = 50
) -> tuple[list[LandingRow], int | None]:
    """(landings, newest first, those before position `before`; where the next page begins, None at the end).

    A page may hold fewer than `limit` and have a next one.
    """
    require_read(actor, project)
    limit = min(limit, MAX_PAGE)
    if wanted.path:
        return _of_path(actor, project, wanted, before, limit)
    newest = Projection.objects.filter(project_id=project.line).values_list("position", flat=True).first() or 0
    before = min(before, newest + 1) if before is not None else newest + 1
    lowest = max(0, before - LOOKED_THROUGH)
    found = landings().filter(_condition(actor, wanted), project_id=project.line)
    rows = list(found.filter(position__lt=before, position__gte=lowest).order_by("-position")[: limit + 1])
    shown = as_rows(actor, rows[:limit])
    if len(rows) > limit:
        return shown, shown[-1].position
    return shown, lowest if lowest > 1 else None


def _of_path(
    actor: Actor, project: ProjectView, wanted: Wanted, before: int | None, limit: int
) -> tuple[list[LandingRow], int | None]:
    touched = path_landings(actor, project, wanted.path, before, 0, MAX_PAGE)
    positions = [each.row.position for each in touched]
    if replace(wanted, path=b""):
        found = landings().filter(_condition(actor, wanted), project_id=project.line, position__in=positions)
        kept = set(found.values_list("position", flat=True))
    else:
        kept = set(positions)
    rows = [each.row for each in touched if each.row.position in kept]
    if len(rows) > limit:
        return rows[:limit], rows[limit - 1].position
    return rows, positions[-1] if len(touched) == MAX_PAGE else None


def _condition(actor: Actor, wanted: Wanted) -> Q:
    found = Q()
    if wanted.goal:
        found &= Q(goal__icontains=storable(wanted.goal))
    if wanted.author:
        found &= Q(author_name__icontains=storable(wanted.author)) | owned_by(actor, wanted.author)
    if wanted.agent:
        found &= Q(agent__icontains=storable(wanted.agent))
    if wanted.since is not None:
        found &= Q(git_commit=None, landed_at__gte=wanted.since) | Q(
            git_commit__isnull=False, authored_at__gte=wanted.since
        )
    if wanted.until is not None:
        found &= Q(git_commit=None, landed_at__lt=wanted.until) | Q(
            git_commit__isnull=False, authored_at__lt=wanted.until
        )
    return found


def owned_by(actor: Actor, handle: str) -> Q:
    """Rows whose `owner_id` is this account; none where there is no such account."""
    try:
        return Q(owner_id=get_user(actor, handle).id)
    except NotFound:
        return Q(pk__in=[])


def newest_of(actor: Actor, projects: Sequence[ProjectView], limit: int = 30) -> list[tuple[ProjectView, LandingRow]]:
    """The newest landings of several projects, in as many queries however many there are.

    The role that a view brings along is believed, as in `latest_landings`.
    """
    for project in projects:
        require_listed(actor, project)
    by_id = {project.id: project for project in projects}
    newest = Projection.objects.filter(project_id__in=by_id, position__gt=0).values_list("project_id", "position")
    some = Q(pk__in=[])
    for project_id, position in newest:
        some |= Q(project_id=project_id, position__gt=position - limit)
    rows = list(landings().filter(some).order_by("-landed_at", "-position")[:limit])
    for project_id in dict.fromkeys(row.project_id for row in rows):
        note_read(actor, by_id[project_id])
    return [(by_id[row.project_id], shown) for row, shown in zip(rows, as_rows(actor, rows), strict=True)]


def latest_sessions(
    actor: Actor, project: ProjectView, head: int, limit: int, directory: bytes = b"", names: Sequence[bytes] = ()
) -> tuple[list[LandingRow], dict[bytes, LandingRow]]:
    """(the newest of the last `LATELY` landings up to `head` that are sessions with a goal, `last_changes`).

    A commit counts as a session when it brought decisions or a conversation along. Both in as many queries as the
    changes alone take.
    """
    require_read(actor, project)
    told = Q(git_commit=None) | Q(decisions__gt=0) | Q(messages__gt=0)
    late = Landing.objects.filter(told, project_id=project.line, position__gt=head - LATELY, position__lte=head)
    newest = late.exclude(goal="").order_by("-position").values("id")[:limit]
    positions = last_positions(project, directory, names)
    touched = landings().filter(project_id=project.line, position__in=set(positions.values()))
    found = landings().filter(id__in=newest).annotate(late=Value(1))
    both = list(found.union(touched.annotate(late=Value(0)), all=True))
    shown = as_rows(actor, both)
    by_position = {row.position: row for row in shown}
    latest = [row for seen, row in zip(both, shown, strict=True) if seen.late]
    changes = {name: by_position[position] for name, position in positions.items() if position in by_position}
    return sorted(latest, key=lambda row: -row.position), changes


def list_contributors(actor: Actor, project: ProjectView, limit: int = 100) -> list[Contributor]:
    """Who has landed most, as far as the rows follow the log; an account once, whatever it was called then."""
    require_read(actor, project)
    found = Landing.objects.filter(project_id=project.line).values("owner_id", "author_name")
    counted = found.annotate(
        landings=Count("id"),
        with_agents=Count("id", filter=~Q(agent="")),
        first=Min("position"),
        last=Max("position"),
    ).order_by("-landings", "author_name")[: 4 * limit]
    people = users_by_id(actor, {row["owner_id"] for row in counted if row["owner_id"]})
    whole: dict[UUID | str, Contributor] = {}
    for row in counted:
        key = row["owner_id"] or row["author_name"]
        person = people.get(row["owner_id"]) if row["owner_id"] else None
        name, handle = (person.name, person.handle) if person else (row["author_name"], "")
        before = whole.get(key, Contributor(name, handle, 0, 0, row["first"], row["last"]))
        whole[key] = Contributor(
            before.name,
            before.handle,
            before.landings + row["landings"],
            before.with_agents + row["with_agents"],
            min(before.first, row["first"]),
            max(before.last, row["last"]),
        )
    return sorted(whole.values(), key=lambda each: (-each.landings, each.name))[:limit]
