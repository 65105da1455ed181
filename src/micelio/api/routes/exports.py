"""Files to take away: a project whole or as JSON Lines, or one's own data; made in the background, kept for a day."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, page, said, shown
from micelio.api.headers import ranged
from micelio.api.request import ApiRequest
from micelio.api.shapes import AskedPage, Page, Sent, Told
from micelio.exports import actions, queries
from micelio.exports.queries import ExportView
from micelio.pages.handover import export_answer
from micelio.projects.queries import get_named

router = Router(tags=["exports"])


class ExportWanted(Sent):
    """What is to be made."""

    kind: Literal["archive", "json", "user"] = Field(
        description="`archive`: a project with everything. `json`: its history and sessions. `user`: your own data."
    )
    project: str = Field("", description="`owner/handle`; empty for `user`.", examples=["acme/garden"])


class Export(Told):
    """One export."""

    id: str
    kind: str
    project: str = Field(description="`owner/handle`; empty for your own data, and for what you no longer see.")
    state: str = Field(description="waiting, running, done, failed, canceled, expired.")
    done: int = Field(description="Bytes of an archive, landings of a history, lines of your data.")
    total: int = Field(description="0 where nobody knows.")
    size: int = Field(description="Of the file, in bytes.")
    sha256: str
    name: str
    error_code: str = Field(description="Empty unless it failed.")
    error: str
    hint: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="Until when the file can be fetched.")


@router.post("/exports", response={202: Export}, summary="Export a project, or your own data")
def start_export(request: ApiRequest, body: ExportWanted) -> HttpResponse:
    """It is made in the background: one of a person at a time, 20 a day. Whoever may read a project may export it."""
    project = get_named(request.actor, body.project) if body.project else None
    return said(_export(actions.start_export(request.actor, body.kind, project)), status=202)


@router.get("/exports", response=Page[Export], summary="List my exports")
def list_exports(request: ApiRequest, asked: Query[AskedPage]) -> HttpResponse:
    """Your own, the newest first."""
    found = queries.list_exports(request.actor, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, found, _export, lambda view: str(view.id))


@router.get("/exports/{uuid:export}", response=Export, summary="How far is an export?")
def get_export(request: ApiRequest, export: UUID) -> HttpResponse:
    """One of your own."""
    return shown(request, _export(queries.get_export(request.actor, str(export))))


@router.get(
    "/exports/{uuid:export}/file",
    response={200: None},
    summary="Fetch the file of an export",
    openapi_extra=ranged(),
)
def read_export(request: ApiRequest, export: UUID) -> HttpResponse:
    """The file, or the range that was asked for. Where something of the project was erased since, export again."""
    return export_answer(request, queries.ready_export(request.actor, str(export)))


@router.delete("/exports/{uuid:export}", response=Export, summary="Cancel an export, or remove its file")
def cancel_export(request: ApiRequest, export: UUID) -> HttpResponse:
    """What is being made is not made any further; a file that is there goes."""
    return said(_export(actions.cancel_export(request.actor, str(export))))


def _export(view: ExportView) -> Export:
    found = {name: getattr(view, name) for name in ExportView.__slots__}
    return Export(**found | {"id": str(view.id)})
