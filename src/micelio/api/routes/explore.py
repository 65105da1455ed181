"""Finding projects: popular ones and those that moved last, by topic and language."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, page
from micelio.api.request import ApiRequest
from micelio.api.routes.projects import ProjectSummary, listed
from micelio.api.shapes import AskedPage, Page, Told
from micelio.discovery.queries import Found
from micelio.discovery.queries import explore as find

router = Router(tags=["projects"])


class LanguageShare(Told):
    """A language of a project."""

    language: str
    thousandths: int = Field(description="Of the characters of programs at the head of main.")


class ExploredProject(Told):
    """A project with what speaks for it, as of a few minutes ago; all but `stars` is of the last seven days."""

    project: ProjectSummary
    stars: int
    new_stars: int
    landings: int
    people: int = Field(description="Who landed without an agent.")
    agents: int = Field(description="Agents that landed, by name.")
    moved_at: datetime = Field(description="The newest landing, or when it was made.")
    languages: list[LanguageShare] = Field(description="The most first.")


class AskedExplored(AskedPage):
    """Which projects."""

    order: Literal["popular", "recent"] = "popular"
    topic: Annotated[str, Field(description="Only those with this topic.", max_length=100)] = ""
    language: Annotated[str, Field(description="Only those written in it to a tenth at least.", max_length=100)] = ""


@router.get("/explore", response=Page[ExploredProject], summary="Find projects")
def explore(request: ApiRequest, asked: Query[AskedExplored]) -> HttpResponse:
    """Those that you may read. Popular: a star counts one, and ten more in its first week; this week's landings one
    each, fifty at most; a person who landed this week five."""
    after = begin(request, asked) or ""
    found = find(request.actor, asked.order, asked.topic, asked.language, after, asked.limit + 1)
    return page(request, asked, found, _explored, lambda row: row.token)


def _explored(row: Found) -> ExploredProject:
    return ExploredProject(
        project=listed(row.project),
        stars=row.stars,
        new_stars=row.new_stars,
        landings=row.landings,
        people=row.people,
        agents=row.agents,
        moved_at=row.moved_at,
        languages=[LanguageShare(language=share.language, thousandths=share.thousandths) for share in row.languages],
    )
