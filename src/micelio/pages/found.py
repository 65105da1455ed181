"""Results of a search as people and machines see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from micelio.languages.spoken import gettext_noop
from micelio.pages.addresses import HEAD, Site
from micelio.pages.answers import path_data
from micelio.pages.twin_text import escaped, opening
from micelio.projects.project_view import ProjectView
from micelio.search.matching import Line, Part
from micelio.search.queries import Code, Owner, Said
from micelio.texts.looking import Told

# Decisions that the first page of a session surely shows.
_DECISIONS = 2
KINDS = {
    "code": gettext_noop("Code"),
    "sessions": gettext_noop("Sessions"),
    "decisions": gettext_noop("Decisions"),
    "projects": gettext_noop("Projects"),
    "people": gettext_noop("People and organizations"),
    "docs": gettext_noop("Docs"),
}

_MORE = {
    "code": gettext_noop("More code"),
    "sessions": gettext_noop("More sessions"),
    "decisions": gettext_noop("More decisions"),
    "projects": gettext_noop("More projects"),
    "people": gettext_noop("More people and organizations"),
    "docs": gettext_noop("More docs"),
}

Result = ProjectView | Owner | Code | Said | Told


@dataclass(frozen=True)
class FoundPart:
    """Results of one kind that are shown, as values and as HTML; `after` continues behind them."""

    name: str
    rows: list[Result]
    html: list[SafeString]
    after: str

    @property
    def words(self) -> str:
        return KINDS[self.name]

    @property
    def more_words(self) -> str:
        """What the link to all of them says."""
        return _MORE[self.name]


def found_token(row: Result) -> str:
    """Where a page begins that continues behind this result."""
    return f"{row.owner}/{row.handle}" if isinstance(row, ProjectView) else row.token


def in_path(row: Result) -> bool:
    """Whether a file has what was looked for in its path."""
    return isinstance(row, Code) and any(part.found for part in row.name)


def result_html(row: Result, characters: int) -> str:
    """One result; long texts are cut."""
    if isinstance(row, Code):
        return render_to_string("pages/_found_code.html", {"row": row, **_code_addresses(row)})
    if isinstance(row, Said):
        address = said_address(row)
        return render_to_string("pages/_found_said.html", {"row": row, "address": address, "characters": characters})
    if isinstance(row, Owner):
        return render_to_string("pages/_found_owner.html", {"row": row})
    if isinstance(row, Told):
        return render_to_string("pages/_found_told.html", {"row": row})
    return render_to_string("pages/_found_project.html", {"row": row, "site": Site(row.owner, row.handle)})


def _code_addresses(row: Code) -> dict[str, Any]:
    site = Site(row.owner, row.project, row.branch)
    lines = [(site.line(HEAD, row.path, line.number), line) for line in row.lines]
    return {"site": site, "file": site.file(HEAD, row.path), "lines": lines}


def said_address(row: Said) -> str:
    """The landing, or the decision in it."""
    address = Site(row.owner, row.project).landing(row.position)
    if not row.number:
        return address
    return f"{address}{f'?decisions={row.number}' if row.number > _DECISIONS else ''}#d{row.number}"


def result_data(row: Result) -> dict[str, Any]:
    """One result for machines."""
    if isinstance(row, Code):
        lines = [{"line": line.number, "text": _text(line)} for line in row.lines]
        return {
            "project": f"{row.owner}/{row.project}",
            **path_data(row.path),
            "language": row.language or None,
            "lines": lines,
            "more": row.more,
            **({"branch": row.branch} if row.branch else {}),
            "address": Site(row.owner, row.project, row.branch).file(HEAD, row.path),
        }
    if isinstance(row, Said):
        return {
            "project": f"{row.owner}/{row.project}",
            "position": row.position,
            **({"decision": row.number} if row.number else {}),
            "text": row.text,
            "author": row.author,
            "agent": row.agent,
            "at": row.at,
            "address": said_address(row),
        }
    if isinstance(row, Owner):
        return {"handle": row.handle, "name": row.name, "kind": "person" if row.person else "organization"}
    if isinstance(row, Told):
        lines = [{"line": line.number, "text": _text(line)} for line in row.lines]
        return {"title": _joined(row.title), "where": row.where, "lines": lines, "address": row.address}
    return {
        "project": f"{row.owner}/{row.handle}",
        "name": row.name,
        "description": row.description,
        "visibility": row.visibility,
        "address": Site(row.owner, row.handle).root,
    }


def _text(line: Line) -> str:
    return "".join(part.text for part in line.parts)


def result_markdown(row: Result) -> str:
    """One result for reading in a terminal."""
    if isinstance(row, Code):
        head = f"- {escaped(f'{row.owner}/{row.project} {_joined(row.name)}')}\n"
        return head + "".join(f"    {line.number}: {escaped(_text(line))}\n" for line in row.lines)
    if isinstance(row, Said):
        name = f"@{row.position}" + (f" D{row.number}" if row.number else "")
        return f"- {escaped(f'{row.owner}/{row.project} {name} {_joined(row.title)}')}\n"
    if isinstance(row, Owner):
        return f"- {escaped(f'{row.handle} {row.name}')}\n"
    if isinstance(row, Told):
        head = f"- [{escaped(_joined(row.title))}]({row.address})\n"
        return head + "".join(f"    {opening(_text(line))}\n" for line in row.lines)
    return f"- {escaped(f'{row.owner}/{row.handle} {row.description[:200]}')}\n"


def _joined(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)


def as_markdown(query: str, parts: list[FoundPart]) -> str:
    """The page of results for reading in a terminal."""
    text = f"# Search: {escaped(query)}\n"
    for part in parts:
        if part.rows:
            text += f"\n## {part.words}\n\n" + "".join(map(result_markdown, part.rows))
    return text if any(part.rows for part in parts) else text + "\nNothing was found.\n"
