"""Branches: lines of a project besides main."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, nothing, page, shown
from micelio.api.request import ApiRequest
from micelio.api.routes.landings import Landing, shape
from micelio.api.shapes import LAST_POSITION, AskedPage, Page, Sent, Told
from micelio.projects.queries import get_project
from micelio.sessions import branches
from micelio.sessions.branches import Standing

router = Router(tags=["branches"])


class Branch(Told):
    """A line of a project besides main, with a history of its own from where it began."""

    name: str
    origin: str | None = Field(description="The branch that it began from; null when that is gone.")
    position: int = Field(description="The newest landing that it shares with that.")
    head_position: int
    begun_by: str
    begun_at: datetime
    last: Landing | None = Field(description="The newest landing; not told of a branch that was just begun.")


class BranchWanted(Sent):
    """A branch to begin."""

    name: str = Field(examples=["fix/login"])
    origin: str = Field("", description="The branch that it begins from; left out: main.")
    position: Annotated[int, Field(ge=1, le=LAST_POSITION)] | None = Field(
        None, description="A landing of that; left out: where it stands now."
    )


@router.get("/projects/{owner}/{project}/branches", response=Page[Branch], summary="List branches")
def list_branches(request: ApiRequest, owner: str, project: str, asked: Query[AskedPage]) -> HttpResponse:
    """By name, without main. Elsewhere `?branch=` reads and lands on one."""
    found = get_project(request.actor, owner, project)
    rows = branches.list_branches(request.actor, found, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, rows, _shape, lambda row: row.branch.name)


@router.post("/projects/{owner}/{project}/branches", response={201: Branch}, summary="Begin a branch")
def create_branch(request: ApiRequest, owner: str, project: str, body: BranchWanted) -> HttpResponse:
    """For whoever may land on a line of that name."""
    found = get_project(request.actor, owner, project, body.origin)
    made = branches.create_branch(request.actor, found, body.name, body.position)
    place = f"/api/v1/projects/{found.owner}/{found.handle}/branches/{quote(made.name)}"
    return shown(request, _shape(Standing(made, None)), status=201, location=place)


@router.get("/projects/{owner}/{project}/branches/{path:name}", response=Branch, summary="Look at a branch")
def get_branch(request: ApiRequest, owner: str, project: str, name: str) -> HttpResponse:
    """Slashes in the name stay as they are."""
    found = get_project(request.actor, owner, project)
    return shown(request, _shape(branches.get_branch(request.actor, found, name)))


@router.delete("/projects/{owner}/{project}/branches/{path:name}", response={204: None}, summary="Delete a branch")
def delete_branch(request: ApiRequest, owner: str, project: str, name: str) -> HttpResponse:
    """For whoever may land on it. What landed on it is nowhere else, and goes after seven days."""
    branches.delete_branch(request.actor, get_project(request.actor, owner, project), name)
    return nothing()


def _shape(found: Standing) -> Branch:
    branch = found.branch
    return Branch(
        name=branch.name,
        origin=branch.origin or None,
        position=branch.position,
        head_position=found.head,
        begun_by=branch.begun_by,
        begun_at=branch.begun_at,
        last=shape(found.last) if found.last is not None else None,
    )
