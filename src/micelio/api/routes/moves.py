"""Another address for a project, the archive, and deletions that are taken back."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, page, shown
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.routes.projects import Project, whole
from micelio.api.shapes import HANDLE, PROJECT_HANDLE, AskedPage, Page, Sent, Told
from micelio.projects import deletion, moves
from micelio.projects.deletion import DeletedProject

router = Router(tags=["projects"])


class NewHandle(Sent):
    """What it is called from now on."""

    handle: str = Field(examples=["tool"], json_schema_extra=PROJECT_HANDLE)


class NewOwner(Sent):
    """Where it goes."""

    owner: str = Field(
        description="An organization where you may make projects.", examples=["acme"], json_schema_extra=HANDLE
    )
    handle: str = Field("", description="Empty: as it is.")


class RestorableProject(Told):
    """A deleted project that can be restored."""

    owner: str
    handle: str
    name: str
    visibility: str
    deleted_at: datetime
    deleted_by: str
    restorable_until: datetime


@router.post("/projects/{owner}/{project}/rename", response=Project, summary="Give a project another handle")
def rename_project(request: ApiRequest, owner: str, project: str, body: NewHandle) -> HttpResponse:
    """For admins. The address before leads to it, and is nobody else's."""
    moved = moves.rename_project(request.actor, owner, project, body.handle)
    return shown(request, whole(request.actor, moved))


@router.post("/projects/{owner}/{project}/transfer", response=Project, summary="Give a project to another owner")
def transfer_project(request: ApiRequest, owner: str, project: str, body: NewOwner) -> HttpResponse:
    """For its owners, where they may make projects too. The address before leads to it."""
    require_confirmed(request)
    moved = moves.transfer_project(request.actor, owner, project, body.owner, body.handle)
    return shown(request, whole(request.actor, moved))


@router.put("/projects/{owner}/{project}/archive", response=Project, summary="Archive a project")
def archive_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Everything in it is read as before, and nothing lands. For admins."""
    return shown(request, whole(request.actor, moves.archive_project(request.actor, owner, project)))


@router.delete("/projects/{owner}/{project}/archive", response=Project, summary="Take a project out of the archive")
def unarchive_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Sessions land again. For admins."""
    return shown(request, whole(request.actor, moves.archive_project(request.actor, owner, project, archived=False)))


@router.post("/projects/{owner}/{project}/restore", response=Project, summary="Take a deletion back")
def restore_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Within seven days, for admins of its owner; to everybody else there is no such project."""
    return shown(request, whole(request.actor, deletion.restore_project(request.actor, owner, project)))


@router.get(
    "/orgs/{org}/deleted-projects", response=Page[RestorableProject], summary="List deleted projects that can come back"
)
def list_deleted_projects(request: ApiRequest, org: str, asked: Query[AskedPage]) -> HttpResponse:
    """By handle, for admins of the organization."""
    found = deletion.list_deleted(request.actor, org, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, found, _deleted, lambda row: row.handle)


def _deleted(row: DeletedProject) -> RestorableProject:
    return RestorableProject(
        owner=row.owner,
        handle=row.handle,
        name=row.name,
        visibility=row.visibility,
        deleted_at=row.deleted_at,
        deleted_by=row.deleted_by,
        restorable_until=row.until,
    )
