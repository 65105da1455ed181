"""A project that comes from another forge: begun, looked at, canceled."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.api.answers import said, shown
from micelio.api.request import ApiRequest
from micelio.api.routes.forge_archives import TOKEN, ArchiveRun, Provider, shown_run
from micelio.api.routes.projects import Visibility
from micelio.api.shapes import PROJECT_HANDLE, Sent, Told
from micelio.archives.coming import Coming, Wanted, cancel_coming, get_coming, import_into, import_project
from micelio.imports.queries import ImportView
from micelio.projects.queries import get_project

router = Router(tags=["imports"])


class ImportWanted(Sent):
    """What is fetched from where."""

    url: str = Field(
        description="The repository's page, or where Git fetches it.", examples=["https://github.com/acme/tool"]
    )
    history: bool = Field(True, description="All branches, tags and commits. The forge fetches what is public.")
    issues: bool = Field(True, description="Issues, pull requests and reviews, into an archive.")
    provider: Provider = Field("", description="What kind of forge that is. Empty where the host tells it.")
    token: str = Field("", description=TOKEN)
    accept_secrets: str = Field(
        "", description="Of an admin: why the history may hold what looks like secrets. Empty: then it is kept out."
    )


class ProjectImportWanted(ImportWanted):
    """What is fetched from where, and into which project."""

    owner: str = Field(description="The organization it belongs to.", examples=["acme"])
    handle: str = Field(
        description="Of a project that is made, or of one of yours.", examples=["tool"],
        json_schema_extra=PROJECT_HANDLE,
    )  # fmt: skip
    visibility: Visibility = Field("private", description="Of a project that is made.")
    description: str = Field("", description="Of a project that is made.")


class HistoryRun(Told):
    """One run that imports a Git repository."""

    id: str
    source: str
    state: str = Field(description="receiving, waiting, running, done, failed, canceled.")
    stage: str = Field(description="metadata, objects, landings, validation, finalisation.")
    size: int = Field(description="Bytes of the pack; 0 until it is known.")
    received: int
    refs: int
    objects_done: int
    objects_total: int = Field(description="0 until it is known; the next too.")
    landings_done: int
    landings_total: int
    marked: dict[str, int] = Field(description="What git's fsck calls errors and is kept, by message id.")
    aside: dict[str, str] = Field(description="Refs that are kept under another name.")
    position: int = Field(description="Where main stands when it is done.")
    error_code: str = Field(description="Empty unless it failed.")
    error: str
    hint: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class ImportStanding(Told):
    """How far the newest runs are."""

    owner: str
    handle: str
    under_way: bool
    history: HistoryRun | None
    issues: ArchiveRun | None


@router.post("/projects/import", response={202: ImportStanding}, summary="Import a project from another forge")
def import_project_here(request: ApiRequest, body: ProjectImportWanted) -> HttpResponse:
    """History, issues, pull requests and reviews, in the background. `Location` says how far it is."""
    found = import_project(
        request.actor, body.owner, body.handle, _wanted(body), visibility=body.visibility, description=body.description
    )
    return _begun(found)


@router.post(
    "/projects/{owner}/{project}/import", response={202: ImportStanding}, summary="Import into a project once more"
)
def start_project_import(request: ApiRequest, owner: str, project: str, body: ImportWanted) -> HttpResponse:
    """What is new there, or where a run stopped. For members."""
    return _begun(import_into(request.actor, get_project(request.actor, owner, project), _wanted(body)))


@router.get("/projects/{owner}/{project}/import", response=ImportStanding, summary="How far is an import?")
def get_project_import(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """Stages and counters of the newest runs. For members."""
    return shown(request, _standing(get_coming(request.actor, get_project(request.actor, owner, project))))


@router.post("/projects/{owner}/{project}/import/cancel", response=ImportStanding, summary="Cancel an import")
def cancel_project_import(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """What it has fetched is removed. For members."""
    return said(_standing(cancel_coming(request.actor, get_project(request.actor, owner, project))))


def _wanted(body: ImportWanted) -> Wanted:
    return Wanted(body.url, body.history, body.issues, body.provider, body.token, body.accept_secrets)


def _begun(found: Coming) -> HttpResponse:
    answer = said(_standing(found), status=202)
    answer.headers["Location"] = f"/api/v1/projects/{found.project.owner}/{found.project.handle}/import"
    return answer


def _standing(found: Coming) -> ImportStanding:
    return ImportStanding(
        owner=found.project.owner,
        handle=found.project.handle,
        under_way=found.under_way,
        history=_history(found.history) if found.history else None,
        issues=shown_run(found.issues) if found.issues else None,
    )


def _history(run: ImportView) -> HistoryRun:
    found = {name: getattr(run, name) for name in HistoryRun.model_fields}
    return HistoryRun(**found | {"id": str(run.id), "marked": dict(run.marked), "aside": dict(run.aside)})
