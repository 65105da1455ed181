"""Tokens of an account: made, listed, renewed, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from mic.core.ids import parse_ulid
from micelio.api.answers import nothing, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import WORDS, Sent, SessionId, Told
from micelio.projects.queries import get_project
from micelio.tokens import actions, queries
from micelio.tokens.actions import DEFAULT_DAYS, MOST_DAYS, MOST_PROJECTS, MadeToken
from micelio.tokens.policy import require_keeper
from micelio.tokens.queries import TokenView

router = Router(tags=["tokens"])
ScopeName = Literal["project:read", "project:write", "session:read", "session:write", "org:read", "org:admin"]


class Token(Told):
    """A token, without its value."""

    id: str
    name: str
    scopes: list[str]
    projects: list[str] | None = Field(description="`owner/handle`; `(gone)` for one you no longer see; null for all.")
    session: str | None = Field(description="The one session that an agent's token lands.")
    mixes: bool = Field(description="It may read private projects and write public ones.")
    anywhere: bool = Field(description="It passes the networks of organizations that let tokens of their admins pass.")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")


class Tokens(Told):
    """All tokens that are good, newest first; at most 200."""

    items: list[Token]


class NewToken(Told):
    """A token just made. `value` is said this once."""

    value: str
    token: Token


class TokenWanted(Sent):
    """What a personal token may do, and for how long."""

    name: str = Field(
        description="What will use it.", examples=["release script"], json_schema_extra={**WORDS, "maxLength": 100}
    )
    scopes: list[ScopeName] = Field(examples=[["project:read"]], json_schema_extra={"minItems": 1})
    projects: list[str] = Field(
        default_factory=list, max_length=MOST_PROJECTS, description="`owner/handle`; none means all that you reach."
    )
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DEFAULT_DAYS
    mixes: bool = Field(False, description="Let it read private projects and write public ones.")
    anywhere: bool = Field(False, description="Let it pass the networks of organizations that allow it to admins.")


class SessionTokenWanted(Sent):
    """What an agent's token is called."""

    name: str = Field("", description="Empty: the session's id.")


@router.get("/me/tokens", response=Tokens, summary="List my tokens")
def list_tokens(request: ApiRequest) -> HttpResponse:
    """Tokens that are good. For a token with a scope this is refused, as is all that follows here."""
    return said(Tokens(items=[_token(view) for view in queries.list_tokens(request.actor)]))


@router.post("/me/tokens", response={201: NewToken}, summary="Make a token")
def create_token(request: ApiRequest, body: TokenWanted) -> HttpResponse:
    """Make a personal token. Its value is in this answer and nowhere else."""
    require_confirmed(request)
    made = actions.create_token(
        request.actor, body.name, body.scopes, body.projects, body.days, mixes=body.mixes, anywhere=body.anywhere
    )
    return _made(made)


@router.post("/me/tokens/{uuid:token}/renew", response=Token, summary="Renew an agent's token")
def renew_session_token(request: ApiRequest, token: UUID) -> HttpResponse:
    """Another 15 minutes for the token of a session that can still land."""
    require_keeper(request.actor)
    return said(_token(actions.renew_session_token(request.actor, token)))


@router.delete("/me/tokens/{uuid:token}", response={204: None}, summary="Revoke a token")
def revoke_token(request: ApiRequest, token: UUID) -> HttpResponse:
    """It opens nothing from now on."""
    require_keeper(request.actor)
    actions.revoke_token(request.actor, token)
    return nothing()


@router.post(
    "/projects/{owner}/{project}/sessions/{session}/tokens", response={201: NewToken}, summary="Make an agent's token"
)
def create_session_token(
    request: ApiRequest, owner: str, project: str, session: SessionId, body: SessionTokenWanted
) -> HttpResponse:
    """A token that reads one project and lands one session, good for 15 minutes. The session need not be there yet."""
    require_confirmed(request)
    require_keeper(request.actor)  # before the project: a token learns nothing here
    found = get_project(request.actor, owner, project)
    return _made(actions.create_session_token(request.actor, found, parse_ulid(session), body.name))


def _made(made: MadeToken) -> HttpResponse:
    answer = said(NewToken(value=made.value, token=_token(made.token)), status=201)
    answer.headers["Location"] = f"/api/v1/me/tokens/{made.token.id}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _token(view: TokenView) -> Token:
    return Token(
        id=str(view.id),
        name=view.name,
        scopes=list(view.scopes),
        projects=None if view.projects is None else list(view.projects),
        session=view.session or None,
        mixes=view.mixes,
        anywhere=view.anywhere,
        created_at=view.created_at,
        expires_at=view.expires_at,
        last_used_at=view.last_used_at,
    )
