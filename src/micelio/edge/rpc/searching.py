"""Search, as a part of ProjectService."""

from __future__ import annotations

from mic.core.errors import InvalidInput
from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import call, page_size
from micelio.projects.project_view import ProjectView
from micelio.search.asked import parse_asked
from micelio.search.queries import Code, Found, Owner, Said, find, find_all

KINDS = ("code", "sessions", "decisions", "projects", "people")
# As many as one question looks for at most, and of each kind when all are asked for.
MOST, FEW = 50, 5


class Searching:
    """One question over code, sessions, decisions, projects and people."""

    @call
    def Search(self, actor: Actor, request: pb.SearchRequest) -> pb.SearchResponse:
        asked = parse_asked(request.query)
        if not request.kind:
            limit = page_size(request.page_size or FEW, most=MOST)
            each = find_all(actor, asked, limit)
            rows = [_result(row) for kind in KINDS for row in each.get(kind, Found()).rows]
            return pb.SearchResponse(results=rows, cut=any(found.cut for found in each.values()))
        if request.kind not in KINDS:
            raise InvalidInput(
                f"There is no kind of result called `{request.kind[:20]}`.", hint=f"Ask for {', '.join(KINDS)}."
            )
        found = find(actor, request.kind, asked, request.page_token, page_size(request.page_size, most=MOST))
        return pb.SearchResponse(results=map(_result, found.rows), next_page_token=found.after, cut=found.cut)


def _result(row: ProjectView | Owner | Code | Said) -> pb.SearchResult:
    if isinstance(row, Code):
        return pb.SearchResult(
            kind="file",
            organization=row.owner,
            project=row.project,
            path=row.path,
            language=row.language,
            lines=[pb.FoundLine(line=line.number, text="".join(p.text for p in line.parts)) for line in row.lines],
            more_lines=row.more,
        )
    if isinstance(row, Said):
        return pb.SearchResult(
            kind="decision" if row.number else "session",
            organization=row.owner,
            project=row.project,
            position=row.position,
            decision=row.number,
            text=row.text,
            author=row.author,
            agent=row.agent,
            at_ms=convert.ms(row.at),
        )
    if isinstance(row, Owner):
        return pb.SearchResult(kind="person" if row.person else "organization", handle=row.handle, name=row.name)
    return pb.SearchResult(
        kind="project", organization=row.owner, project=row.handle, name=row.name, text=row.description
    )
