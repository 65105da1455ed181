"""Search: code, sessions, decisions, projects and people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, page_until
from micelio.api.request import ApiRequest
from micelio.api.shapes import AskedPage, Page, PathBytes, Told, path_fields
from micelio.projects.project_view import ProjectView
from micelio.search.asked import LONGEST, parse_asked
from micelio.search.queries import Code, Owner, Said, find

router = Router(tags=["search"])
# As many as one question looks for at most: each is read and looked into.
MOST = 50


class AskedSearch(AskedPage):
    """What is looked for."""

    q: str = Field(
        description='Words, "phrases", one /expression/, and filters (repo: path: lang: author: agent: why:). '
        f"At most {LONGEST} characters.",
        examples=["token lang:python", "why:stateless"],
    )
    kind: Literal["code", "sessions", "decisions", "projects", "people"] = "code"


class FoundLine(Told):
    """A line with something of what was looked for; a long one is cut."""

    line: int
    text: str


class SearchResult(Told):
    """A file, a session, a decision, a project, a person or an organization; what it has not is null."""

    kind: Literal["file", "session", "decision", "project", "person", "organization"]
    project: str | None = Field(description="`owner/handle`.")
    handle: str | None = Field(description="Of a person or an organization.")
    name: str | None
    path: str | None
    path_bytes: PathBytes
    language: str | None
    lines: list[FoundLine]
    position: int | None = Field(description="The landing of a session or of a decision.")
    decision: int | None = Field(description="Its number in the session, from 1.")
    text: str | None = Field(description="A goal; what was decided and why; what a project is.")
    author: str | None
    agent: str | None
    at: datetime | None


_NOTHING: dict[str, Any] = dict.fromkeys(name for name in SearchResult.model_fields if name not in ("kind", "lines"))


@router.get("/search", response=Page[SearchResult], summary="Search")
def search(request: ApiRequest, asked: Query[AskedSearch]) -> HttpResponse:
    """Only what you may read is searched. Code is that at the head of each project.

    A page may be empty and have a next one: there was more to look through than one question may.
    """
    limit = min(asked.limit, MOST)
    found = find(request.actor, asked.kind, parse_asked(asked.q), begin(request, asked) or "", limit)
    return page_until(request, asked, [_result(row) for row in found.rows], found.after or None)


def _result(row: ProjectView | Owner | Code | Said) -> SearchResult:
    if isinstance(row, Code):
        lines = [FoundLine(line=line.number, text="".join(part.text for part in line.parts)) for line in row.lines]
        known: dict[str, Any] = {
            "project": f"{row.owner}/{row.project}",
            **path_fields(row.path),
            "language": row.language or None,
        }
        return SearchResult(kind="file", lines=lines, **{**_NOTHING, **known})
    if isinstance(row, Said):
        said: dict[str, Any] = {
            "position": row.position,
            "decision": row.number or None,
            "text": row.text,
            "at": row.at,
        }
        said |= {"project": f"{row.owner}/{row.project}", "author": row.author, "agent": row.agent}
        return SearchResult(kind="decision" if row.number else "session", lines=[], **{**_NOTHING, **said})
    if isinstance(row, Owner):
        who: dict[str, Any] = {"handle": row.handle, "name": row.name}
        return SearchResult(kind="person" if row.person else "organization", lines=[], **{**_NOTHING, **who})
    about: dict[str, Any] = {"project": f"{row.owner}/{row.handle}", "name": row.name, "text": row.description}
    return SearchResult(kind="project", lines=[], **{**_NOTHING, **about})
