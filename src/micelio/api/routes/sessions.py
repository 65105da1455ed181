"""Sessions that have not landed, and what became of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from mic.core.head import hlc_ms
from mic.core.ids import parse_ulid, ulid_text
from mic.core.session import Session as CoreSession
from mic.core.session import State
from mic.ledger.project import Landed
from micelio.api.answers import begin, page_until, said, shown
from micelio.api.request import ApiRequest
from micelio.api.routes.landings import (
    TRANSCRIPT,
    USAGE,
    AnsweringDecision,
    Message,
    PathChange,
    SessionWork,
    Transcript,
    Usage,
    changes_page,
    decisions,
    messages,
    transcript,
    usage,
    wanted,
)
from micelio.api.shapes import (
    LAST_POSITION,
    WORDS,
    AskedPage,
    OnLine,
    OwnSessionId,
    Page,
    Sent,
    SessionId,
    Told,
)
from micelio.projects.queries import get_project
from micelio.sessions import actions, inline, push, queries
from micelio.sessions.open_narrowed import WantedOpen, find_open_sessions
from micelio.sessions.queries import LandingView, OpenRow
from micelio.sessions.refusal import refusal_of

router = Router(tags=["sessions"])
OpenState = Literal["active", "queued", "conflicted", "abandoned", "pending_review", "rejected"]


class OpenSession(Told):
    """A session that has not landed, in a list."""

    id: str
    state: str
    goal: str
    owner: str | None
    agent: str
    base_position: int
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime | None = Field(description="When its work was saved last.")


class Refused(Told):
    """Why the last attempt to land did not succeed."""

    code: str
    message: str
    fix: str


class Session(Told):
    """A session whole, landed or not. Its changes are a list of their own."""

    id: str
    state: str
    goal: str
    author: str
    owner: str | None
    agent: str
    base_position: int
    position: int | None = Field(description="Where it landed.")
    created_at: datetime
    messages: int = Field(description="Of its conversation, whoever reads that.")
    transcript: Transcript = Field(description=TRANSCRIPT)
    conversation: list[Message]
    decisions: list[AnsweringDecision]
    usage: list[Usage] = Field(description=USAGE)
    changes: int = Field(description="How many.")
    refused: Refused | None


class Outcome(Told):
    """What became of a session that was accepted to be landed later."""

    state: Literal["queued", "landed", "refused"]
    position: int | None
    tree: str | None
    refused: Refused | None


class SessionWanted(Sent):
    """A session to begin."""

    goal: str = Field(description="What it is for.", examples=["Say hello"], json_schema_extra=WORDS)
    base_position: Annotated[int, Field(ge=0, le=LAST_POSITION)] = Field(
        0, description="What its changes will be made from."
    )
    agent: str = ""
    id: OwnSessionId | None = Field(None, description="A ULID of your own: the same one again changes nothing.")


class AskedSessions(AskedPage):
    """Which of them."""

    state: Annotated[OpenState | None, Field(description="Only these; left out: those that are not given up.")] = None
    goal: Annotated[str, Field(description="Words of what it is for.", max_length=1000)] = ""
    author: Annotated[str, Field(description="A handle.", max_length=1000)] = ""
    agent: Annotated[str, Field(description="A part of its name.", max_length=1000)] = ""
    path: Annotated[
        str, Field(description="A file that it changes, or a directory above one, as far as pushed.", max_length=1000)
    ] = ""


@router.get("/projects/{owner}/{project}/sessions", response=Page[OpenSession], summary="List open sessions")
def list_sessions(
    request: ApiRequest, owner: str, project: str, asked: Query[AskedSessions], on: Query[OnLine]
) -> HttpResponse:
    """Those that have not landed, newest first. Members see them; for others the list is empty.

    A page of a path may hold fewer than `limit` and have a next one.
    """
    found = get_project(request.actor, owner, project, on.branch)
    begun: Any = begin(request, asked)
    after = parse_ulid(begun) if begun else b""
    path = asked.path.strip("/").encode()
    wanted = WantedOpen(asked.goal.strip(), asked.author.strip(), asked.agent.strip(), path, asked.state or "")
    rows, further = find_open_sessions(request.actor, found, wanted, after, asked.limit)
    return page_until(request, asked, [_listed(row) for row in rows], ulid_text(further) if further else None)


@router.post("/projects/{owner}/{project}/sessions", response={201: Session}, summary="Start a session")
def start_session(
    request: ApiRequest, owner: str, project: str, body: SessionWanted, on: Query[OnLine]
) -> HttpResponse:
    """Others see from now on what is being worked on."""
    found = get_project(request.actor, owner, project, on.branch)
    own = parse_ulid(body.id) if body.id is not None else b""
    started = actions.start_session(request.actor, found, body.goal, body.base_position, own, body.agent)
    place = f"/api/v1/projects/{found.owner}/{found.handle}/sessions/{ulid_text(started.id)}{on.query}"
    return shown(request, _own(request, started), status=201, location=place)


@router.get("/projects/{owner}/{project}/sessions/{session}", response=Session, summary="Look at a session")
def get_session(request: ApiRequest, owner: str, project: str, session: SessionId, on: Query[OnLine]) -> HttpResponse:
    """With its conversation and decisions, wherever it stands."""
    return shown(request, _whole(_found(request, owner, project, session, on)))


@router.get(
    "/projects/{owner}/{project}/sessions/{session}/changes",
    response=Page[PathChange],
    summary="List the changes of a session",
)
def list_session_changes(
    request: ApiRequest, owner: str, project: str, session: SessionId, asked: Query[AskedPage], on: Query[OnLine]
) -> HttpResponse:
    """By path, as far as the forge knows them: those of a session that landed, or was sent to land."""
    view = _found(request, owner, project, session, on)
    begun = begin(request, asked)
    return changes_page(request, asked, view, base64.b64decode(begun) if begun else b"")


@router.get(
    "/projects/{owner}/{project}/sessions/{session}/outcome", response=Outcome, summary="What became of a landing?"
)
def get_outcome(request: ApiRequest, owner: str, project: str, session: SessionId, on: Query[OnLine]) -> HttpResponse:
    """Of a session that was sent with `later`: it waits, it landed, or why it did not."""
    found = get_project(request.actor, owner, project, on.branch)
    standing = queries.standing(request.actor, found, parse_ulid(session))
    if standing is None:
        return said(Outcome(state="queued", position=None, tree=None, refused=None))
    if isinstance(standing, Landed):
        return said(Outcome(state="landed", position=standing.position, tree=standing.tree.hex(), refused=None))
    refused = Refused(code=standing.code, message=standing.message, fix=standing.hint)
    return said(Outcome(state="refused", position=None, tree=None, refused=refused))


@router.post("/projects/{owner}/{project}/sessions/{session}/push", response=Session, summary="Save a session's work")
def push_session(
    request: ApiRequest, owner: str, project: str, session: SessionId, body: SessionWork, on: Query[OnLine]
) -> HttpResponse:
    """Keep words and changes without landing them; they replace what was saved before. Begins one that is none."""
    found = get_project(request.actor, owner, project, on.branch)
    work, contents = inline.session(request.actor, found, wanted(body, session))
    return said(_own(request, push.push_session(request.actor, found, work, contents)))


@router.post("/projects/{owner}/{project}/sessions/{session}/abandon", response=Session, summary="Give a session up")
def abandon_session(
    request: ApiRequest, owner: str, project: str, session: SessionId, on: Query[OnLine]
) -> HttpResponse:
    """Its words are kept; it can no longer land."""
    found = get_project(request.actor, owner, project, on.branch)
    return said(_own(request, actions.abandon_session(request.actor, found, parse_ulid(session))))


def _found(request: ApiRequest, owner: str, project: str, session: SessionId, on: OnLine) -> LandingView:
    found = get_project(request.actor, owner, project, on.branch)
    return queries.get_session(request.actor, found, parse_ulid(session))


def _listed(row: OpenRow) -> OpenSession:
    return OpenSession(
        id=ulid_text(row.session_id),
        state=row.state,
        goal=row.goal,
        owner=row.owner_handle or None,
        agent=row.agent,
        base_position=row.base_position,
        created_at=row.created_at,
        updated_at=row.updated_at,
        pushed_at=row.pushed_at,
    )


def _own(request: ApiRequest, session: CoreSession) -> Session:
    """A session of the actor's own."""
    return _shape(session, State(session.state).name.lower(), request.actor.handle, None)


def _whole(view: LandingView) -> Session:
    return _shape(view.session, view.state, view.row.owner_handle, view.row.position or None)


def _shape(session: CoreSession, state: str, owner: str, position: int | None) -> Session:
    refusal = refusal_of(session) if state not in ("landed", "queued") else None
    return Session(
        id=ulid_text(session.id),
        state=state,
        goal=session.goal,
        author=session.author.name,
        owner=owner or None,
        agent=session.agent,
        base_position=session.base_position,
        position=position,
        created_at=datetime.fromtimestamp(hlc_ms(session.hlc_created) / 1000, UTC),
        messages=session.turns,
        transcript=transcript(session),
        conversation=messages(session),
        decisions=decisions(session),
        usage=usage(session),
        changes=len(session.changes),
        refused=Refused(code=refusal.code, message=refusal.message, fix=refusal.hint) if refusal else None,
    )
