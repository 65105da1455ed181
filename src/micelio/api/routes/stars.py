"""Stars: projects that one wants to find again."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from ninja import Query, Router

from micelio.api.answers import begin, page, said
from micelio.api.request import ApiRequest
from micelio.api.routes.projects import ProjectSummary, listed
from micelio.api.shapes import AskedPage, Page, Told
from micelio.projects import stars

router = Router(tags=["stars"])


class Stars(Told):
    """The stars of a project."""

    stars: int
    starred: bool


class Starred(Told):
    """A project in the list of one's stars."""

    project: ProjectSummary
    starred_at: datetime


@router.get("/me/stars", response=Page[Starred], summary="List my stars")
def list_stars(request: ApiRequest, asked: Query[AskedPage]) -> HttpResponse:
    """Newest first, as far as you may still see the projects. Nobody sees another's."""
    found = stars.list_stars(request.actor, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, found, _starred, lambda row: row.token)


@router.put("/projects/{owner}/{project}/star", response=Stars, summary="Star a project")
def star_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Doing it again changes nothing."""
    return _stars(stars.star_project(request.actor, owner, project))


@router.delete("/projects/{owner}/{project}/star", response=Stars, summary="Take a star back")
def unstar_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Doing it again changes nothing."""
    return _stars(stars.star_project(request.actor, owner, project, starred=False))


def _stars(found: stars.Stars) -> HttpResponse:
    return said(Stars(stars=found.total, starred=found.own))


def _starred(row: stars.Starred) -> Starred:
    return Starred(project=listed(row.project), starred_at=row.at)
