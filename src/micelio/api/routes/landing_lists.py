"""Lists of landings: all of them, narrowed down by what for, who, with what, where and when, or those of a path."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from mic.core.errors import InvalidInput
from micelio.api.answers import begin, page, page_until
from micelio.api.paths import path_of
from micelio.api.request import ApiRequest
from micelio.api.routes.landings import Landing, router, shape
from micelio.api.shapes import AskedPage, OnLine, Page, Position
from micelio.projects.queries import get_project
from micelio.sessions import path_landings as path_history
from micelio.sessions import queries
from micelio.sessions.narrowed import Wanted, find_landings


class AskedLandings(AskedPage):
    """Which of them. What is not asked does not narrow them down."""

    goal: Annotated[str, Field(description="Words of what it was for.", max_length=1000)] = ""
    author: Annotated[str, Field(description="A handle, or a part of the author's name.", max_length=1000)] = ""
    agent: Annotated[str, Field(description="A part of its name.", max_length=1000)] = ""
    path: Annotated[str, Field(description="A file that it touched, or a directory above one.", max_length=1000)] = ""
    since: Annotated[date | None, Field(description="The first day, UTC, of when the work was done.")] = None
    until: Annotated[date | None, Field(description="The last day, UTC.")] = None

    def wanted(self) -> Wanted:
        """As the query takes it: days from midnight to midnight."""
        # There is no midnight behind the last day of all.
        until = self.until if self.until is not None and self.until < date.max else None
        return Wanted(
            self.author.strip(),
            self.agent.strip(),
            self.path.strip("/").encode(),
            _midnight(self.since) if self.since is not None else None,
            _midnight(until) + timedelta(days=1) if until is not None else None,
            self.goal.strip(),
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


class PathLanding(Landing):
    """A landing that touched a path."""

    touch: Literal["added", "modified", "deleted", "below"] = Field(
        description="What became of the path; `below`: of something below it."
    )
    came_from: str | None = Field(
        description="Of one that added it, where the record says what it was before: its history goes on there."
    )
    came_at: int | None = Field(description="The position up to which `came_from` is looked at.")


class AskedHistory(AskedPage):
    """Which of them."""

    at: Annotated[Position | None, Field(description="Up to this position; left out: up to the head.")] = None
    after: Annotated[Position | None, Field(description="Behind this position only.")] = None


@router.get("/projects/{owner}/{project}/landings", response=Page[Landing], summary="List landings")
def list_landings(
    request: ApiRequest, owner: str, project: str, asked: Query[AskedLandings], on: Query[OnLine]
) -> HttpResponse:
    """Newest first. A page that is narrowed down may hold fewer than `limit` and have a next one."""
    found = get_project(request.actor, owner, project, on.branch)
    before, wanted = begin(request, asked), asked.wanted()
    if wanted:
        some, further = find_landings(request.actor, found, wanted, before, asked.limit)
        return page_until(request, asked, [shape(row) for row in some], further)
    rows = queries.list_landings(request.actor, found, before, asked.limit + 1)
    return page(request, asked, rows, shape, lambda row: row.position)


def _touched(each: path_history.PathLanding) -> PathLanding:
    return PathLanding(
        **dict(shape(each.row)),
        touch=each.what,  # type: ignore[arg-type]
        came_from=each.came_from.decode("utf-8", "replace") or None,
        came_at=each.came_at if each.came_from else None,
    )


@router.get(
    "/projects/{owner}/{project}/history/{file:path}", response=Page[PathLanding], summary="List the landings of a path"
)
def list_path_landings(
    request: ApiRequest, owner: str, project: str, path: str, asked: Query[AskedHistory], on: Query[OnLine]
) -> HttpResponse:
    """Those that touched a file, or anything below a directory, newest first. Slashes in the path stay as they are."""
    found = get_project(request.actor, owner, project, on.branch)
    name = path_of(request).rstrip(b"/")
    if not name:
        raise InvalidInput("No path is named.", hint="List all landings at /landings.")
    before = begin(request, asked) or (asked.at + 1 if asked.at is not None else None)
    rows = path_history.path_landings(request.actor, found, name, before, asked.after or 0, asked.limit + 1)
    return page(
        request,
        asked,
        rows,
        _touched,
        lambda each: each.row.position,
    )
