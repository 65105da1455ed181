"""Landings: listed, looked at, made."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated, Literal

from django.http import HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from mic.core import session as session_words
from mic.core.answered import Answered
from mic.core.attribution import MAX_LINE, MAX_NAME, Writer
from mic.core.errors import InvalidInput
from mic.core.ids import parse_ulid, ulid_text
from mic.core.session import MEMBERS, Change, Op, Session
from mic.ledger.project import Landed
from micelio.api.answers import begin, page, said, shown
from micelio.api.request import ApiRequest
from micelio.api.shapes import (
    LAST_POSITION,
    WORDS,
    AskedPage,
    Base64,
    OnLine,
    OwnSessionId,
    Page,
    PathBytes,
    Sent,
    Told,
    path_fields,
)
from micelio.projects.queries import get_project
from micelio.sessions import inline, later, queries
from micelio.sessions.actions import land
from micelio.sessions.queries import LandingRow, LandingView

router = Router(tags=["landings"])
At = Annotated[int, Path(ge=1, le=LAST_POSITION)]


Transcript = Literal["project", "members"]
USAGE = "Tokens by model; empty where no transcript told."
TRANSCRIPT = "Who reads the conversation: all who read the project, or `members`. For others it is empty here."


class Landing(Told):
    """A session that became part of the history."""

    position: int
    session: str
    goal: str
    author: str
    owner: str | None = Field(description="Handle of the account that landed it; null when it is gone.")
    agent: str
    landed_at: datetime
    authored_at: datetime
    base_position: int
    files: int
    decisions: int
    messages: int
    git_commit: str | None = Field(description="Of a landing that was imported.")


class Message(Told):
    """One turn of the conversation."""

    role: str
    author: str
    text: str
    at: datetime | None


class Alternative(Told):
    """A road not taken."""

    what: str
    why_not: str


class Decision(Told):
    """What was decided, and why."""

    what: str
    why: str
    alternatives: list[Alternative]
    by: str
    evidence: str
    at: datetime | None = Field(description="When it was recorded; null where that is not known.")
    message: int | None = Field(
        description="The message of its conversation that it answers, from 1, as whoever recorded it says. "
        "Null where nobody says so, and for those who may not read the conversation."
    )


class AnsweringDecision(Decision):
    """A decision beside its conversation."""

    said_before: int | None = Field(
        description="Where no `message` is named: the last message of a person that is not later. It came before; "
        "nobody says that it decided this."
    )


class Usage(Told):
    """Tokens of one model, as transcripts report them."""

    model: str | None = Field(description="Null where it is not named.")
    read: int
    cached: int = Field(description="Of those read, from a cache.")
    written: int


class WholeLanding(Told):
    """A landing with its words. Its changes are a list of their own."""

    landing: Landing
    tree: str
    transcript: Transcript = Field(description=TRANSCRIPT)
    conversation: list[Message]
    decision_list: list[AnsweringDecision]
    usage: list[Usage] = Field(description=USAGE)


class PathChange(Told):
    """What became of one path."""

    path: str
    path_bytes: PathBytes
    op: Literal["added", "modified", "deleted"]
    mode: str | None = Field(description="Git's, in octal; null when it was deleted.")
    size: int
    hash: str | None = Field(description="SHA-256 of the new content.")
    base_hash: str | None = Field(description="Of the content at the base.")
    copied_from: str | None = Field(description="The path that a new file was made from, where the client said so.")


class SentMessage(Sent):
    """One turn of the conversation."""

    role: Literal["human", "agent", "system"]
    author: str = ""
    text: str
    at_ms: Annotated[int, Field(ge=0, le=253_402_300_799_000)] = Field(0, description="Unix milliseconds; 0: unknown.")


class SentAlternative(Sent):
    """A road not taken."""

    what: str
    why_not: str = ""


class SentDecision(Sent):
    """What was decided, and why."""

    what: str
    why: str = ""
    alternatives: list[SentAlternative] = Field(default_factory=list)
    by: str = ""
    evidence: str = ""
    at_ms: Annotated[int, Field(ge=0, le=253_402_300_799_000)] = Field(
        0, description="When it was decided, in Unix milliseconds; 0: unknown."
    )
    message: Annotated[int, Field(ge=0, le=MAX_LINE)] = Field(
        0, description="The message of `conversation` that it answers, from 1; 0: none is named."
    )


class SentUsage(Sent):
    """Tokens that a model read and wrote."""

    model: str = Field("", max_length=200)
    read: Annotated[int, Field(ge=0, lt=1 << 53)]
    written: Annotated[int, Field(ge=0, lt=1 << 53)]
    cached: Annotated[int, Field(ge=0, lt=1 << 53)] = Field(0, description="Of those read, from a cache.")
    source: str = Field("", max_length=200, description="What reports it: the name of a transcript.")


class SentLines(Sent):
    """Lines of the new content, and who wrote them."""

    first: Annotated[int, Field(ge=1, le=MAX_LINE, description="Counted from 1.")]
    lines: Annotated[int, Field(ge=1, le=MAX_LINE)] = 1
    by: Literal["agent", "person"]
    name: str = Field("", max_length=MAX_NAME, description="Left out: the session's own agent or person.")
    message: Annotated[int, Field(ge=0, le=MAX_LINE)] = Field(
        0, description="The message of the conversation at which they were written, from 1; 0: unknown."
    )


class SentChange(Sent):
    """A file as it should be afterwards: `text` or `base64`, or neither with `delete`."""

    path: str | None = Field(None, description="Use `path_base64` for one that is not UTF-8.")
    path_base64: Base64 | None = None
    text: str | None = Field(None, description="The whole content, which will be UTF-8.")
    base64: Base64 | None = Field(None, description="The whole content, as bytes.")
    delete: bool = False
    copied_from: str | None = Field(None, description="A path at the base that a new file was made from.")
    mode: Literal["100644", "100755", "120000"] | None = Field(None, description="Left out: as it was, else 100644.")
    written: list[SentLines] | None = Field(
        None, description="Who wrote its lines; those in none are untracked. Left out: the session as a whole tells."
    )


class SessionWork(Sent):
    """A session's words and changes with their contents, for what fits into one request; `mic` sends all else."""

    goal: str = Field(
        description="What it is for, in one line or more.", examples=["Say hello"], json_schema_extra=WORDS
    )
    changes: list[SentChange] = Field(examples=[[{"path": "hello.txt", "text": "hello\n"}]])
    base_position: Annotated[int, Field(ge=0, le=LAST_POSITION)] | None = Field(
        None, description="What the contents were made from; left out: the head."
    )
    agent: str = ""
    conversation: list[SentMessage] = Field(default_factory=list)
    transcript: Transcript = Field(
        "project",
        description="Who reads the conversation: all who read the project, or `members`: who may land here, and you.",
    )
    decisions: list[SentDecision] = Field(default_factory=list)
    usage: list[SentUsage] = Field(default_factory=list, max_length=200)


class LandingWanted(SessionWork):
    """A session to land, with its contents."""

    changes: list[SentChange] = Field(
        examples=[[{"path": "hello.txt", "text": "hello\n"}]], json_schema_extra={"minItems": 1}
    )
    session: OwnSessionId | None = Field(None, description="A ULID of your own: the same one again never lands twice.")
    later: bool = Field(False, description="Answer when it is accepted, and land it afterwards.")


class LandingMade(Told):
    """Where it landed, or that it waits."""

    state: Literal["landed", "queued"]
    session: str
    position: int | None
    tree: str | None
    already_landed: bool = Field(description="It had landed before.")
    merged: list[str] = Field(description="Paths that landed with another content than was sent: read them again.")


@router.post("/projects/{owner}/{project}/landings", response={201: LandingMade, 202: LandingMade}, summary="Land")
def land_session(request: ApiRequest, owner: str, project: str, body: LandingWanted, on: Query[OnLine]) -> HttpResponse:
    """Land a small session. What clashes with landings since the base lands nothing: `conflict` names each path."""
    found = get_project(request.actor, owner, project, on.branch)
    session, contents = inline.session(request.actor, found, wanted(body, body.session))
    place = f"/api/v1/projects/{found.owner}/{found.handle}"
    if body.later:
        landed = later.land_later(request.actor, found, session, contents, [])
        if landed is None:
            answer = said(_queued(session), status=202)
            answer.headers["Location"] = f"{place}/sessions/{ulid_text(session.id)}/outcome{on.query}"
            return answer
    else:
        landed = land(request.actor, found, session, contents)
    answer = said(made(landed, session.id), status=201)
    answer.headers["Location"] = f"{place}/landings/{landed.position}{on.query}"
    return answer


@router.get("/projects/{owner}/{project}/landings/{int:position}", response=WholeLanding, summary="Look at a landing")
def get_landing(request: ApiRequest, owner: str, project: str, position: At, on: Query[OnLine]) -> HttpResponse:
    """With its conversation and decisions."""
    found = get_project(request.actor, owner, project, on.branch)
    view = queries.get_landing(request.actor, found, position)
    return shown(
        request,
        WholeLanding(
            landing=shape(view.row),
            tree=view.tree.hex(),
            transcript=transcript(view.session),
            conversation=messages(view.session),
            decision_list=decisions(view.session),
            usage=usage(view.session),
        ),
    )


@router.get(
    "/projects/{owner}/{project}/landings/{int:position}/changes",
    response=Page[PathChange],
    summary="List the changes of a landing",
)
def list_changes(
    request: ApiRequest, owner: str, project: str, position: At, asked: Query[AskedPage], on: Query[OnLine]
) -> HttpResponse:
    """By path."""
    found = get_project(request.actor, owner, project, on.branch)
    view = queries.get_landing(request.actor, found, position)
    begun = begin(request, asked)
    return changes_page(request, asked, view, base64.b64decode(begun) if begun else b"")


def changes_page(request: ApiRequest, asked: AskedPage, view: LandingView, after: bytes) -> HttpResponse:
    """A page of the changes that a session carries."""
    changes = sorted((item for item in view.session.changes if item.path > after), key=lambda item: item.path)
    return page(request, asked, changes[: asked.limit + 1], _change, lambda item: base64.b64encode(item.path).decode())


def shape(row: LandingRow) -> Landing:
    """A landing in a list, as it goes out."""
    return Landing(
        position=row.position,
        session=ulid_text(row.session_id),
        goal=row.goal,
        author=row.author_name,
        owner=row.owner_handle or None,
        agent=row.agent,
        landed_at=row.landed_at,
        authored_at=row.authored_at,
        base_position=row.base_position,
        files=row.files,
        decisions=row.decisions,
        messages=row.messages,
        git_commit=row.git_commit.hex() if row.git_commit else None,
    )


def messages(session: Session) -> list[Message]:
    """The conversation, as it goes out."""
    return [
        Message(
            role=item.role,
            author=item.author,
            text=item.text,
            at=datetime.fromtimestamp(item.at / 1000, UTC) if item.at else None,
        )
        for item in session.conversation
    ]


def usage(session: Session) -> list[Usage]:
    """Tokens, as they go out."""
    return [
        Usage(model=each.model or None, read=each.read, cached=each.cached, written=each.written)
        for each in session_words.by_model(session.usage)
    ]


def transcript(session: Session) -> Transcript:
    """Who reads the conversation."""
    return "members" if session.transcript else "project"


def decisions(session: Session) -> list[AnsweringDecision]:
    """The decisions, as they go out beside their conversation."""
    answered = Answered((turn.role, turn.at) for turn in session.conversation)
    return [
        AnsweringDecision(**dict(decision(each)), said_before=answered.before(each.at, each.message) or None)
        for each in session.decisions
    ]


def decision(item: session_words.Decision) -> Decision:
    """A decision, as it goes out."""
    return Decision(
        what=item.what,
        why=item.why,
        alternatives=[Alternative(what=road.what, why_not=road.why_not) for road in item.alternatives],
        by=item.by,
        evidence=item.evidence,
        at=datetime.fromtimestamp(item.at / 1000, UTC) if item.at else None,
        message=item.message or None,
    )


def made(landed: Landed, session_id: bytes) -> LandingMade:
    """The answer to a session that landed, now or before."""
    return LandingMade(
        state="landed",
        session=ulid_text(session_id),
        position=landed.position,
        tree=landed.tree.hex(),
        already_landed=landed.already,
        merged=[change.path.decode("utf-8", "replace") for change in landed.merged],
    )


def _queued(session: Session) -> LandingMade:
    return LandingMade(
        state="queued", session=ulid_text(session.id), position=None, tree=None, already_landed=False, merged=[]
    )


def _change(change: Change) -> PathChange:
    deleted = change.op == Op.DELETED
    return PathChange(
        **path_fields(change.path),  # type: ignore[arg-type]
        op=Op(change.op).name.lower(),  # type: ignore[arg-type]
        mode=None if deleted else f"{change.mode:06o}",
        size=change.size,
        hash=change.hash.hex() or None,
        base_hash=change.base_hash.hex() or None,
        copied_from=change.copied_from.decode("utf-8", "replace") or None,
    )


def wanted(body: SessionWork, session: str | None) -> inline.Wanted:
    """A session as it was sent; `session` is its id, None for one that is made here."""
    return inline.Wanted(
        goal=body.goal,
        files=[_file(number, item) for number, item in enumerate(body.changes)],
        base_position=body.base_position,
        session_id=parse_ulid(session) if session is not None else b"",
        agent=body.agent,
        conversation=[inline.Message(item.role, item.author, item.text, item.at_ms) for item in body.conversation],
        decisions=[
            inline.Decision(
                item.what,
                item.why,
                tuple(inline.Alternative(road.what, road.why_not) for road in item.alternatives),
                item.by,
                item.evidence,
                item.at_ms,
                item.message,
            )
            for item in body.decisions
        ],
        usage=[
            session_words.Usage(each.model, each.read, each.written, each.cached, each.source) for each in body.usage
        ],
        transcript=MEMBERS if body.transcript == "members" else "",
    )


def _file(number: int, item: SentChange) -> inline.File:
    if (item.path is None) == (item.path_base64 is None):
        raise InvalidInput(f"`changes.{number}` needs either `path` or `path_base64`.", hint="Send one of them.")
    if (item.text is not None) + (item.base64 is not None) + item.delete != 1:
        raise InvalidInput(
            f"`changes.{number}` needs one of `text`, `base64` and `delete`.", hint="Send the whole new content."
        )
    path = item.path.encode() if item.path is not None else base64.b64decode(item.path_base64 or "")
    if item.delete:
        if item.copied_from:
            raise InvalidInput(f"`changes.{number}` is deleted, and no copy.", hint="Leave `copied_from` out.")
        if item.written:
            raise InvalidInput(f"`changes.{number}` is deleted, and has no lines.", hint="Leave `written` out.")
        return inline.File(path, None, None)
    data = item.text.encode() if item.text is not None else base64.b64decode(item.base64 or "")
    mode = int(item.mode, 8) if item.mode is not None else None
    written = None
    if item.written is not None:
        written = [(each.first, each.lines, Writer(each.by, each.name, each.message)) for each in item.written]
    return inline.File(path, data, mode, (item.copied_from or "").encode(), written)
