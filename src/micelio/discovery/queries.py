"""Projects to look at, always as somebody: what they may read is a part of the query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, Q, QuerySet

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.discovery.jobs import SHARE
from micelio.discovery.models import Gathering, Kind, Standing
from micelio.projects.policy import require_read
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import Readable
from micelio.search.languages import language_named
from micelio.search.models import Language

ORDERS = ("popular", "recent")
MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A language, and how many thousandths of a project's programs are written in it."""

    language: str
    thousandths: int


@dataclass(frozen=True, slots=True)
class Found:
    """A project with what speaks for it; numbers of a week are those of the last one. `token` continues behind it."""

    project: ProjectView
    stars: int
    new_stars: int
    landings: int
    people: int
    agents: int
    moved_at: datetime
    languages: Sequence[Share]
    token: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A topic or a language, and how many public projects have it."""

    name: str
    projects: int


def explore(
    actor: Actor, order: str = "popular", topic: str = "", language: str = "", after: str = "", limit: int = 30
) -> list[Found]:
    """Projects that the actor may read, the most popular first or those that moved last; as of a few minutes ago.

    With a topic, and written to a tenth at least in a language, where these are given. Raises InvalidInput.
    """
    readable = Readable(actor)
    if order not in ORDERS:
        raise InvalidInput(f"{order[:40]!r} is no order of projects.", hint="Use popular or recent.")
    found: QuerySet[Standing] = Standing.objects.filter(Exists(readable.of_rows))
    if topic:
        found = found.filter(project__named_topics__name=topic.strip().lower()[:35])
    if language:
        found = found.filter(
            project__languages__name=language_named(language.strip())[:24], project__languages__share__gte=SHARE
        )
    column = "score" if order == "popular" else "moved_at"
    if after:
        found = found.filter(_behind(column, after))
    rows = list(found.order_by(f"-{column}", "project_id")[: min(limit, MAX_PAGE + 1)])
    views = readable.of_ids([row.project_id for row in rows])
    shares = shares_of(views)
    return [
        Found(
            views[row.project_id],
            row.stars,
            row.new_stars,
            row.landings,
            row.people,
            row.agents,
            row.moved_at,
            shares.get(row.project_id, ()),
            _token(getattr(row, column), row.project_id),
        )
        for row in rows
        if row.project_id in views
    ]


def languages_of(actor: Actor, project: ProjectView) -> Sequence[Share]:
    """What a project, which the actor may read, is written in: the most first."""
    require_read(actor, project)
    return shares_of([project.id]).get(project.id, ())


def shares_of(ids: Collection[UUID]) -> dict[UUID, list[Share]]:
    """What these projects are written in, for whoever has them from a query as somebody."""
    found: dict[UUID, list[Share]] = {}
    columns = "project_id", "name", "share"
    for project_id, name, share in (
        Language.objects.filter(project_id__in=list(ids)).order_by("-share", "name").values_list(*columns)
    ):
        found.setdefault(project_id, []).append(Share(name, share))
    return found


def gatherings() -> tuple[list[Gathered], list[Gathered]]:
    """Topics and languages of public projects, those of the most first."""
    found: dict[int, list[Gathered]] = {Kind.TOPIC: [], Kind.LANGUAGE: []}
    for kind, name, projects in Gathering.objects.order_by("-projects", "name").values_list("kind", "name", "projects"):
        found[kind].append(Gathered(name, projects))
    return found[Kind.TOPIC], found[Kind.LANGUAGE]


def _token(value: Any, project_id: UUID) -> str:
    number = int(value.timestamp() * 1_000_000) if isinstance(value, datetime) else value
    return f"{number}-{project_id.hex}"


def _behind(column: str, token: str) -> Q:
    number, _, project = token.partition("-")
    try:
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise ValueError(number)
        last: Any = int(number)
        project_id = UUID(hex=project)
        if column == "moved_at":
            last = datetime.fromtimestamp(last // 1_000_000, UTC).replace(microsecond=last % 1_000_000)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise InvalidInput("This is no place in the list of projects.", hint="Begin at its first page.") from error
    return Q(**{f"{column}__lt": last}) | Q(**{column: last}, project_id__gt=project_id)
