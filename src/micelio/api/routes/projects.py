"""Projects: made, listed, changed, forked, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.accounts.actor import Actor
from micelio.api.answers import begin, page, require_match, said, shown, wants_match
from micelio.api.confirmed import require_confirmed
from micelio.api.headers import conditional
from micelio.api.request import ApiRequest
from micelio.api.shapes import PROJECT_HANDLE, AskedPage, Page, Sent, Told
from micelio.projects import actions, deletion, forks, queries
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.stars import stars_of

router = Router(tags=["projects"])
Visibility = Literal["public", "private"]


class ProjectSummary(Told):
    """A project in a list."""

    id: str
    owner: str
    handle: str
    name: str
    description: str
    visibility: str
    role: str | None = Field(description="Yours in its owner; null when you do not belong to it.")
    fork_position: int | None = Field(description="Of a fork: the newest landing that it shares with its origin.")
    archived_at: datetime | None = Field(description="Since when it is read and not written.")
    topics: list[str] = Field(description="Words by which it is found.")
    created_at: datetime


class Project(ProjectSummary):
    """A project with its head and its relatives."""

    changeable = ("name", "description", "visibility", "topics")
    head_position: int
    head_tree: str
    forked_from: str | None = Field(description="`owner/handle`; null when it is no fork, or its origin is not to see.")
    forks: int = Field(description="How many you may see.")
    stars: int
    starred: bool = Field(description="By you.")


class ProjectWanted(Sent):
    """A new project, empty or a fork."""

    owner: str = Field(description="The organization it belongs to.", examples=["acme"])
    handle: str = Field(examples=["tool"], json_schema_extra=PROJECT_HANDLE)
    name: str = Field("", description="Empty: the handle.")
    description: str = Field("", description="Empty, of a fork: that of its origin.")
    visibility: Visibility = "private"


class ForkWanted(Sent):
    """Where a fork goes."""

    owner: str = Field(description="An organization that you administer.", examples=["acme"])
    handle: str = Field("", description="Empty: as the origin's.")
    name: str = ""
    description: str = Field("", description="Empty: that of the origin.")
    visibility: Visibility = "private"


class ProjectChange(Sent):
    """What is to be different; what is left out stays."""

    name: str = Field(default_factory=str)
    description: str = Field(default_factory=str)
    visibility: Visibility = Field(default_factory=lambda: "private")
    topics: list[str] = Field(default_factory=list, max_length=100, description="All of them; at most 20.")


class Deleted(Told):
    """What is left of a deleted project."""

    forks: int = Field(description="How many forks of it stay.")
    restorable_until: datetime = Field(description="Until when an admin of its owner can take that back.")


class AskedProjects(AskedPage):
    """Whose projects."""

    owner: Annotated[str, Field(description="Only those of this organization.")] = ""


@router.get("/projects", response=Page[ProjectSummary], summary="List projects")
def list_projects(request: ApiRequest, asked: Query[AskedProjects]) -> HttpResponse:
    """Those that you may read, by owner and handle."""
    found = queries.list_projects(request.actor, asked.owner, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, found, listed, lambda row: f"{row.owner}/{row.handle}")


@router.post("/projects", response={201: Project}, summary="Make a project")
def create_project(request: ApiRequest, body: ProjectWanted) -> HttpResponse:
    """In an organization that you administer."""
    view = actions.create_project(request.actor, body.owner, body.handle, body.name, body.description, body.visibility)
    return made(request, view)


@router.get("/projects/{owner}/{project}", response=Project, summary="Look at a project")
def get_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """With its head. A private one is not found by whoever may not read it."""
    return shown(request, whole(request.actor, queries.get_project(request.actor, owner, project)))


@router.patch("/projects/{owner}/{project}", response=Project, summary="Change a project", openapi_extra=conditional())
def update_project(request: ApiRequest, owner: str, project: str, body: ProjectChange) -> HttpResponse:
    """Its name, description, visibility and topics, for admins of its owner."""
    with transaction.atomic():
        _require_state(request, owner, project)
        changed = actions.update_project(request.actor, owner, project, **body.given())
    return shown(request, whole(request.actor, changed))


@router.delete("/projects/{owner}/{project}", response=Deleted, summary="Delete a project", openapi_extra=conditional())
def delete_project(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """For admins of its owner. Forks of it stay, and for seven days it can be restored."""
    require_confirmed(request)
    with transaction.atomic():
        _require_state(request, owner, project)
        done = deletion.delete_project(request.actor, owner, project)
    return said(Deleted(forks=done.forks, restorable_until=done.until))


@router.post("/projects/{owner}/{project}/forks", response={201: Project}, summary="Fork a project")
def fork_project(request: ApiRequest, owner: str, project: str, body: ForkWanted) -> HttpResponse:
    """Begin another project where this one stands now, in an organization that you administer."""
    view = actions.create_project(
        request.actor,
        body.owner,
        body.handle or project,
        body.name,
        body.description,
        body.visibility,
        f"{owner}/{project}",
    )
    return made(request, view)


def _require_state(request: ApiRequest, owner: str, project: str) -> None:
    """If-Match, judged while nobody else can change the project: until this transaction ends."""
    if wants_match(request):
        held = actions.held(request.actor, owner, project)
        require_match(request, whole(request.actor, held))


def made(request: ApiRequest, view: ProjectView) -> HttpResponse:
    """The answer to what made a project, or gave one back."""
    place = f"/api/v1/projects/{view.owner}/{view.handle}"
    return shown(request, whole(request.actor, view), status=201, location=place)


def listed(view: ProjectView) -> ProjectSummary:
    """A project in a list, as it goes out."""
    return ProjectSummary(**_fields(view))


def whole(actor: Actor, view: ProjectView) -> Project:
    """A project alone, as it goes out, with what the actor may see of its relatives."""
    head, origin = open_ledger(view.id).head(), forks.origin_of(actor, view)
    stars = stars_of(actor, view)
    return Project(
        **_fields(view),
        stars=stars.total,
        starred=stars.own,
        head_position=head.position,
        head_tree=head.tree.hex(),
        forked_from=f"{origin.owner}/{origin.handle}" if origin else None,
        forks=forks.count_forks(actor, view),
    )


def _fields(view: ProjectView) -> dict[str, Any]:
    found = {name: getattr(view, name) for name in ProjectSummary.model_fields}
    return found | {"id": str(view.id), "topics": list(view.topics)}
