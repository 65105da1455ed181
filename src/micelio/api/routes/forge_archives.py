"""What another forge knew of a project: fetched, looked at, canceled."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.accounts.actor import Actor
from micelio.api.answers import said, shown
from micelio.api.request import ApiRequest
from micelio.api.shapes import Sent, Told
from micelio.archives import actions, queries
from micelio.archives.queries import ArchiveView, RunView
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project

router = Router(tags=["imports"])
Provider = Literal["", "github", "gitlab", "gitea", "forgejo"]
TOKEN = "Of the other forge, for this run alone: it is kept nowhere."  # noqa: S105 - says what one is for


class ArchiveWanted(Sent):
    """Where issues, pull requests and reviews are fetched from."""

    url: str = Field(description="The repository's page there.", examples=["https://github.com/acme/tool"])
    provider: Provider = Field("", description="What kind of forge that is. Empty where the host tells it.")
    token: str = Field("", description=TOKEN)


class Archive(Told):
    """What was fetched."""

    provider: str
    source: str
    fetched_at: datetime
    counts: dict[str, int] = Field(
        description="How many of each kind: label, milestone, issue, change, comment, review, review_comment."
    )
    warnings: list[str] = Field(description="What could not be fetched.")
    size: int = Field(description="In bytes, as it is stored.")


class ArchiveRun(Told):
    """One run that fetches."""

    id: str
    provider: str
    source: str
    with_token: bool
    state: str = Field(description="waiting, running, resting, done, failed, canceled.")
    stage: str = Field(description="The list that is being read.")
    pages: int
    done: dict[str, int] = Field(description="Records by kind, of this run.")
    warnings: int
    rests_until: datetime | None = Field(description="When it goes on by itself; the other forge asked for a pause.")
    error_code: str = Field(description="Empty unless it failed, or rests because something did not answer.")
    error: str
    hint: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class ArchiveStanding(Told):
    """What there is, and how far the newest run is."""

    archive: Archive | None = Field(description="Null when nothing was fetched yet.")
    run: ArchiveRun | None = Field(description="Null when there was none, or for whoever may start none.")


@router.get(
    "/projects/{owner}/{project}/forge-archive",
    response=ArchiveStanding,
    summary="What was fetched from another forge?",
)
def get_forge_archive(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Issues, pull requests and reviews, in numbers. `mic export issues` hands them out."""
    view = get_project(request.actor, owner, project)
    return shown(request, standing(request.actor, view, queries.newest_run(request.actor, view)))


@router.post(
    "/projects/{owner}/{project}/forge-archive",
    response={202: ArchiveStanding},
    summary="Fetch issues, pull requests and reviews of another forge",
)
def start_forge_archive(request: ApiRequest, owner: str, project: str, body: ArchiveWanted) -> HttpResponse:
    """In the background. Again: what changed since, or where a run stopped. For members; one at a time."""
    view = get_project(request.actor, owner, project)
    run = actions.start_fetch(request.actor, view, body.url, body.provider, body.token)
    return said(standing(request.actor, view, run), status=202)


@router.post(
    "/projects/{owner}/{project}/forge-archive/cancel",
    response=ArchiveStanding,
    summary="Stop fetching from another forge",
)
def cancel_forge_archive(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """What the open run has fetched is removed, what earlier ones did stays. For members."""
    view = get_project(request.actor, owner, project)
    return said(standing(request.actor, view, actions.cancel_fetch(request.actor, view)))


def standing(actor: Actor, view: ProjectView, run: RunView | None) -> ArchiveStanding:
    """An archive and its newest run, as they go out."""
    found = queries.find_archive(actor, view)
    return ArchiveStanding(archive=_archive(found) if found else None, run=shown_run(run) if run else None)


def shown_run(run: RunView) -> ArchiveRun:
    """A run, as it goes out."""
    found = {name: getattr(run, name) for name in RunView.__slots__}
    return ArchiveRun(**found | {"id": str(run.id), "done": dict(run.done)})


def _archive(view: ArchiveView) -> Archive:
    found = {name: getattr(view, name) for name in ArchiveView.__slots__}
    return Archive(**found | {"counts": dict(view.counts), "warnings": list(view.warnings)})
