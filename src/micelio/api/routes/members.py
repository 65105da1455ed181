"""Roles in one project, for people who need not belong to its owner."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Query, Router

from micelio.api.answers import begin, nothing, page, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.routes.organizations import Member, MemberRole, shape_member
from micelio.api.shapes import AskedPage, Page
from micelio.projects import members
from micelio.projects.queries import get_project

router = Router(tags=["projects"])


@router.get("/projects/{owner}/{project}/members", response=Page[Member], summary="List members of a project")
def list_project_members(request: ApiRequest, owner: str, project: str, asked: Query[AskedPage]) -> HttpResponse:
    """Who has a role in this project alone, by handle; for those who have one in it themselves."""
    found = get_project(request.actor, owner, project)
    after = begin(request, asked) or ""
    rows = members.list_project_members(request.actor, found, after, asked.limit + 1)
    return page(request, asked, rows, shape_member, lambda row: row.handle)


@router.put(
    "/projects/{owner}/{project}/members/{handle}", response=Member, summary="Give somebody a role in a project"
)
def put_project_member(request: ApiRequest, owner: str, project: str, handle: str, body: MemberRole) -> HttpResponse:
    """For admins of the project; owners are made by owners."""
    require_confirmed(request)
    return said(shape_member(members.set_project_member(request.actor, owner, project, handle, body.role)))


@router.delete(
    "/projects/{owner}/{project}/members/{handle}", response={204: None}, summary="Take a role in a project away"
)
def remove_project_member(request: ApiRequest, owner: str, project: str, handle: str) -> HttpResponse:
    """For admins, and for members about themselves. A role in the owner stays."""
    if handle != request.actor.handle:
        require_confirmed(request)
    members.remove_project_member(request.actor, owner, project, handle)
    return nothing()
