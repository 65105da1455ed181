"""Secrets that were found or reported in a project: listed, decided, reported."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from mic.core.ids import parse_ulid, ulid_text
from mic.core.paths import parse_path
from micelio.api.answers import begin, nothing, page, said
from micelio.api.request import ApiRequest
from micelio.api.shapes import (
    LAST_POSITION,
    WORDS,
    AskedPage,
    Base64,
    OwnSessionId,
    Page,
    PathBytes,
    Sent,
    Told,
    path_fields,
)
from micelio.findings import actions
from micelio.findings.models import NOTE, REASON
from micelio.findings.queries import FindingRow
from micelio.findings.queries import list_findings as listed
from micelio.projects.queries import get_project
from micelio.sessions.leaks import MAX_LINE, Spot, report_leak

router = Router(tags=["secrets"])
StateName = Literal["open", "allowed", "revoked"]


class Finding(Told):
    """A secret that was found or reported; never the secret itself."""

    id: int
    source: str = Field(description="import, rules, or report.")
    rule: str
    fingerprint: str
    path: str | None = Field(description="Null for one in words.")
    path_bytes: PathBytes
    session: str | None
    position: int | None = Field(description="Null while it is kept out.")
    line: int
    column: int
    excerpt: str
    note: str
    reporter: str | None
    found_at: datetime
    state: str
    reason: str
    decided_by: str | None
    decided_at: datetime | None


class FindingDecision(Sent):
    """What an admin says of it."""

    state: StateName
    reason: Annotated[str, Field(max_length=REASON, description="Why, on one line.", json_schema_extra=WORDS)]


class Decided(Told):
    """How many were open."""

    decided: int


class SecretReport(Sent):
    """Where a secret is: in a file, or in a session."""

    path: str | None = Field(None, description="Use `path_base64` for one that is not UTF-8.")
    path_base64: Base64 | None = None
    at: Annotated[int, Field(ge=0, le=LAST_POSITION)] | None = Field(None, description="Left out: the head.")
    session: OwnSessionId | None = None
    line: Annotated[int, Field(ge=0, le=MAX_LINE)] = Field(0, description="0: the whole.")
    note: Annotated[str, Field(max_length=NOTE)] = ""


class AskedFindings(AskedPage):
    """Which of them."""

    state: Annotated[StateName | None, Field(description="Left out: all.")] = None


@router.get("/projects/{owner}/{project}/secrets", response=Page[Finding], summary="List findings")
def list_findings(request: ApiRequest, owner: str, project: str, asked: Query[AskedFindings]) -> HttpResponse:
    """What waits for a decision and what was decided, newest first; for admins."""
    found = get_project(request.actor, owner, project)
    rows = listed(request.actor, found, asked.state or "", begin(request, asked), asked.limit + 1)
    return page(request, asked, rows, _finding, lambda row: row.id)


@router.patch("/projects/{owner}/{project}/secrets/{int:finding}", response={204: None}, summary="Decide a finding")
def decide_finding(request: ApiRequest, owner: str, project: str, finding: int, body: FindingDecision) -> HttpResponse:
    """It may stay, its secret is revoked, or it is to be looked at again; for admins."""
    found = get_project(request.actor, owner, project)
    actions.decide(request.actor, found, finding, body.state, body.reason)
    return nothing()


@router.post("/projects/{owner}/{project}/secrets/decide", response=Decided, summary="Decide all open findings")
def decide_open_findings(request: ApiRequest, owner: str, project: str, body: FindingDecision) -> HttpResponse:
    """The same of everything that waits; for admins."""
    found = get_project(request.actor, owner, project)
    return said(Decided(decided=actions.decide_open(request.actor, found, body.state, body.reason)))


@router.post("/projects/{owner}/{project}/secrets", response={204: None}, summary="Report a secret")
def report_secret(request: ApiRequest, owner: str, project: str, body: SecretReport) -> HttpResponse:
    """Tell the admins; whoever can read it can. The same place again changes nothing."""
    found = get_project(request.actor, owner, project)
    path = body.path.encode() if body.path is not None else base64.b64decode(body.path_base64 or "")
    session = parse_ulid(body.session) if body.session is not None else b""
    spot = Spot(body.at, parse_path(path) if path else b"", session)  # type: ignore[arg-type]  # None is the head
    report_leak(request.actor, found, spot, body.line, body.note)
    return nothing()


def _finding(row: FindingRow) -> Finding:
    where = path_fields(row.path) if row.path else {"path": None, "path_bytes": None}
    return Finding(
        **where,
        id=row.id,
        source=row.source,
        rule=row.rule,
        fingerprint=row.fingerprint,
        session=ulid_text(row.session_id) if row.session_id else None,
        position=row.position or None,
        line=row.line,
        column=row.column,
        excerpt=row.excerpt,
        note=row.note,
        reporter=row.reporter or None,
        found_at=row.found_at,
        state=row.state,
        reason=row.reason,
        decided_by=row.decided_by or None,
        decided_at=row.decided_at,
    )
