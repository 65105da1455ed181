"""Erasing contents, words and people for good: what it would do, asking for it, and confirming."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import nothing, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import WORDS, Asked, Limit, Sent, Told
from micelio.operators import person_purges, purges, word_purges
from micelio.operators.models import REASON_LENGTH

router = Router(tags=["operators"])

_DIGITS = r"^[0-9a-fA-F]{64}$"
_TYPED = "The first 12 digits of the content's SHA-256, to confirm it."


class Erasure(Told):
    """An erasure that was asked for."""

    id: str
    kind: str = Field("content", description="content, words or person: what goes.")
    project: str = Field(description="Empty for a person.")
    content: str = Field(description="SHA-256; empty for words and people.")
    session: str = Field("", description="Whose words go.")
    handle: str = Field("", description="Of a person, until it is done.")
    typed: str = Field("", description="What confirms it.")
    reason: str = Field(description="secret, takedown or person.")
    note: str
    with_forks: bool
    asked_by: str
    asked_at: datetime
    confirmed_by: str
    state: str = Field(description="waiting for a second administrator, running, done or withdrawn.")
    ended_at: datetime | None


class ErasureList(Told):
    """The newest."""

    items: list[Erasure]


class ErasureLook(Told):
    """What an erasure would do."""

    project: str
    content: str
    size: int = Field(description="Bytes.")
    named: list[str] = Field(description="Landings that name it.")
    forks: list[str] = Field(description="Forks that read it.")
    copies: int = Field(description="Places in the store.")
    bytes: int = Field(description="Of all of them.")
    moved: int = Field(description="Other contents that are written anew.")
    shared: int = Field(description="Parts that stay, since other contents consist of them.")


class WordsLook(Told):
    """What an erasure of a session's words would do. Nothing that was said is in it."""

    project: str
    session: str
    typed: str = Field(description="What confirms it: the end of the id.")
    position: int = Field(description="Where it landed; 0 when it has not.")
    messages: int
    decisions: int
    forks: list[str] = Field(description="Forks that read it.")
    commit: bool = Field(description="It came as a Git commit, which gets another id.")


class NamedLandings(Told):
    """How many landings of a project name somebody."""

    project: str
    landings: int


class PersonLook(Told):
    """What an erasure of a person would do."""

    handle: str
    names: list[str]
    emails: list[str]
    landings: list[NamedLandings] = Field(
        description="As far as rows tell; commits of every branch are looked at, too."
    )
    open_sessions: int = Field(description="Not landed: they go.")
    organizations: list[str] = Field(
        description="Those that would have no owner: nothing is erased while there is one."
    )


class AskedErasures(Asked):
    """How many."""

    limit: Limit = 50


class AskedContent(Asked):
    """Which content: one of the three."""

    project: str = Field(max_length=200, description="`owner/handle`.")
    content: str = Field("", max_length=64, description="Its SHA-256.")
    path: str = Field("", max_length=20_000, description="`PATH@POSITION`.")
    finding: int = Field(0, ge=0, le=(1 << 63) - 1, description="The number of a finding of secrets.")


class AskedWords(Asked):
    """Of which session."""

    project: str = Field(max_length=200, description="`owner/handle`.")
    session: str = Field(max_length=26, description="Its whole id.")


class AskedPerson(Asked):
    """Of whom."""

    handle: str = Field(max_length=64, description="Of the account.")


class WordsWanted(Sent):
    """Whose words are to go."""

    project: str = Field(max_length=200, description="`owner/handle`.", examples=["acme/tool"])
    session: str = Field(max_length=26, description="The session's whole id.")
    reason: Literal["secret", "takedown"]
    note: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=WORDS)]
    typed: str = Field(max_length=12, description="The last 12 characters of the id, to confirm it.")
    with_forks: bool = Field(False, description="Also in the forks that read it.")


class PersonWanted(Sent):
    """Who is to go."""

    handle: str = Field(max_length=64, description="Of the account.")
    note: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=WORDS)]
    typed: str = Field(max_length=64, description="The handle, to confirm it.")


class ErasureWanted(Sent):
    """What is to go."""

    project: str = Field(max_length=200, description="`owner/handle`.", examples=["acme/tool"])
    content: str = Field(pattern=_DIGITS, description="SHA-256.")
    reason: Literal["secret", "takedown"]
    note: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=WORDS)]
    typed: str = Field(max_length=12, description=_TYPED)
    with_forks: bool = Field(False, description="Also in the forks that read it.")


class ErasureConfirmed(Sent):
    """That it is meant."""

    typed: str = Field(max_length=64, description="What the erasure's `typed` says.")


def _shape(row: purges.PurgeView) -> Erasure:
    return Erasure(**{name: getattr(row, name) for name in Erasure.model_fields if name != "id"}, id=str(row.id))


@router.get("/admin/erasures", response=ErasureList, summary="What was erased?")
def list_erasures(request: ApiRequest, asked: Query[AskedErasures]) -> HttpResponse:
    """What was asked for, the newest first."""
    return said(ErasureList(items=[_shape(row) for row in purges.list_purges(request.actor, asked.limit)]))


@router.get("/admin/erasures/look", response=ErasureLook, summary="What would an erasure do?")
def look_at_erasure(request: ApiRequest, asked: Query[AskedContent]) -> HttpResponse:
    """Which landings and forks name the content, and what would be written anew. Changes nothing."""
    content = purges.content_of(
        request.actor, asked.project, content=asked.content, path=asked.path, finding=asked.finding
    )
    found = purges.look(request.actor, asked.project, content)
    return said(ErasureLook(**{name: _plain(getattr(found, name)) for name in ErasureLook.model_fields}))


@router.post("/admin/erasures", response={202: Erasure}, summary="Erase a content for good")
def ask_erasure(request: ApiRequest, body: ErasureWanted) -> HttpResponse:
    """It begins at once, or when a second administrator has confirmed it, where the forge says so."""
    require_confirmed(request)
    content = purges.content_of(request.actor, body.project, content=body.content)
    row = purges.ask(
        request.actor, body.project, content, body.reason, body.note, typed=body.typed, with_forks=body.with_forks
    )
    return said(_shape(row), status=202)


@router.get("/admin/erasures/words/look", response=WordsLook, summary="What would an erasure of words do?")
def look_at_words(request: ApiRequest, asked: Query[AskedWords]) -> HttpResponse:
    """How much was said in the session, and which forks read it. Changes nothing."""
    found = word_purges.look(request.actor, asked.project, asked.session)
    return said(WordsLook(**{name: _plain(getattr(found, name)) for name in WordsLook.model_fields}))


@router.post("/admin/erasures/words", response={202: Erasure}, summary="Erase what was said in a session")
def ask_words(request: ApiRequest, body: WordsWanted) -> HttpResponse:
    """Goal, conversation, decisions: the landing stays. It begins as an erasure of a content does."""
    require_confirmed(request)
    row = word_purges.ask(
        request.actor, body.project, body.session, body.reason, body.note, typed=body.typed, with_forks=body.with_forks
    )
    return said(_shape(row), status=202)


@router.get("/admin/erasures/people/look", response=PersonLook, summary="What would an erasure of a person do?")
def look_at_person(request: ApiRequest, asked: Query[AskedPerson]) -> HttpResponse:
    """By what somebody is known, and how many landings name them. Changes nothing."""
    found = person_purges.look(request.actor, asked.handle)
    landings = [NamedLandings(project=project, landings=count) for project, count in found.landings]
    names = PersonLook.model_fields.keys() - {"landings"}
    return said(PersonLook(**{name: _plain(getattr(found, name)) for name in names}, landings=landings))


@router.post("/admin/erasures/people", response={202: Erasure}, summary="Erase a person")
def ask_person(request: ApiRequest, body: PersonWanted) -> HttpResponse:
    """The account, and who it was in all that it landed; what it landed stays. It begins as that of a content does."""
    require_confirmed(request)
    return said(_shape(person_purges.ask(request.actor, body.handle, body.note, typed=body.typed)), status=202)


@router.post("/admin/erasures/{uuid:erasure}/confirm", response={202: Erasure}, summary="Confirm an erasure")
def confirm_erasure(request: ApiRequest, erasure: UUID, body: ErasureConfirmed) -> HttpResponse:
    """Of another administrator: whoever asked cannot confirm."""
    require_confirmed(request)
    return said(_shape(purges.confirm(request.actor, erasure, body.typed)), status=202)


@router.delete("/admin/erasures/{uuid:erasure}", response={204: None}, summary="Withdraw an erasure")
def withdraw_erasure(request: ApiRequest, erasure: UUID) -> HttpResponse:
    """What waits for a second administrator does not begin."""
    require_confirmed(request)
    purges.withdraw(request.actor, erasure)
    return nothing()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
