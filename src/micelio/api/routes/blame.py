"""Blame: where the lines of a file came from, and why."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from mic.core.errors import InvalidInput
from micelio.api.answers import shown
from micelio.api.paths import path_of
from micelio.api.request import ApiRequest
from micelio.api.routes.landings import Decision, Landing, decision, shape
from micelio.api.shapes import Flag, OnLine, PathBytes, Position, Told, Whole, path_fields
from micelio.projects.queries import get_project
from micelio.sessions.blame import MAX_EXPLAINED, MAX_LINES, BlamedFile, Why, WrittenHunk, author_of, blame_file

router = Router(tags=["landings"])
_LAST_LINE = 1 << 31
_Line = Annotated[int, Field(ge=1, le=_LAST_LINE, description="The first line, counted from 1.", examples=[1]), Whole]
_Lines = Annotated[
    int,
    Field(
        ge=1,
        le=MAX_LINES,
        description=f"How many lines at most, 1 to {MAX_LINES}; with `why` {MAX_EXPLAINED} at most.",
        examples=[100],
    ),
    Whole,
]


class AskedBlame(OnLine):
    """Which lines, as of when."""

    at: Annotated[Position | None, Field(description="A position; left out: the head.", examples=[1])] = None
    first: _Line = 1
    lines: _Lines = MAX_LINES
    why: Annotated[Flag, Field(description="With what was decided where they came from.")] = False


class BlameHunk(Told):
    """Lines that came with one landing and stood next to each other there too."""

    first: int = Field(description="The first of them, counted from 1.")
    lines: int
    position: int = Field(description="The landing that they came with.")
    first_there: int = Field(description="The number of the first line in the file as that landing made it.")
    path: str = Field(description="The path of the file there.")
    path_bytes: PathBytes
    settled: bool = Field(
        description="False: they stood there already, and nobody looked further back. Ask again to look further."
    )
    alike: bool = Field(
        description="True: followed by likeness. The file there went away when one much like it came, and nothing says "
        "that it was moved."
    )
    written_by: Literal["agent", "person", "untracked"] | None = Field(description="Null when not settled.")
    of_line: bool = Field(
        description="Whether the session says so of these lines; else it is known of the session as a whole."
    )
    writer: str | None = Field(description="Whom the session names for these lines; null: its own agent or person.")
    message: int | None = Field(description="The message of its conversation at which they were written, from 1.")


class BlamedLanding(Landing):
    """A landing that lines came with."""

    written_by: Literal["agent", "person", "untracked"] = Field(
        description="What is known of the session as a whole; `untracked` came as a Git commit."
    )


class DecidedLines(Told):
    """Lines that the evidence of a decision names, counted from 1 in the file as the landing made it."""

    first: int
    last: int


class NumberedDecision(Decision):
    """A decision, with its number in the session."""

    number: int
    lines: list[DecidedLines] = Field(description="When there are some, it is about no other line.")


class LineWhy(Told):
    """What a session decided."""

    position: int
    path: str
    path_bytes: PathBytes
    about_file: bool = Field(
        description="False: no decision names the file as its evidence, and these are all of the session."
    )
    decisions: list[NumberedDecision]
    others: int = Field(description="Decisions of the session that are not about the file, and not here.")


class Blame(Told):
    """Where the lines of a file came from."""

    position: int = Field(description="Where it was looked at.")
    written_at: int = Field(description="The landing that made the file what it is there.")
    hash: str
    size: int
    total_lines: int
    hunks: list[BlameHunk]
    landings: list[BlamedLanding]
    whys: list[LineWhy]
    next: int | None = Field(description="The line to go on with; null at the end.")


@router.get("/projects/{owner}/{project}/blame/{file:path}", response=Blame, summary="Blame a file")
def blame(request: ApiRequest, owner: str, project: str, path: str, asked: Query[AskedBlame]) -> HttpResponse:
    """Which landing each line came with, who wrote it, and why. Slashes in the path stay as they are."""
    found = get_project(request.actor, owner, project, asked.branch)
    name = path_of(request)
    if not name:
        raise InvalidInput("No path is named.", hint="Name a file.")
    return shown(request, _blame(blame_file(request.actor, found, name, asked.at, asked.first, asked.lines, asked.why)))


def _blame(found: BlamedFile) -> Blame:
    return Blame(
        position=found.position,
        written_at=found.written_at,
        hash=found.entry.hash.hex(),
        size=found.entry.size,
        total_lines=found.lines,
        hunks=list(map(_hunk, found.hunks)),
        landings=[BlamedLanding(**dict(shape(row)), written_by=author_of(row)) for row in found.landings.values()],
        whys=list(map(_why, found.whys.values())),
        next=found.next or None,
    )


def _hunk(hunk: WrittenHunk) -> BlameHunk:
    return BlameHunk(
        first=hunk.start + 1,
        lines=hunk.lines,
        position=hunk.origin.position,
        first_there=hunk.line + 1,
        settled=hunk.origin.settled,
        alike=hunk.origin.alike,
        written_by=hunk.author,
        of_line=hunk.of_line,
        writer=hunk.writer or None,
        message=hunk.message or None,
        **path_fields(hunk.origin.path),  # type: ignore[arg-type]
    )


def _why(why: Why) -> LineWhy:
    return LineWhy(
        position=why.position,
        about_file=why.about_file,
        decisions=[
            NumberedDecision(
                **dict(decision(each)),
                number=number,
                lines=[DecidedLines(first=first, last=last) for first, last in why.lines.get(number, ())],
            )
            for number, each in why.decisions
        ],
        others=why.others,
        **path_fields(why.path),  # type: ignore[arg-type]
    )
