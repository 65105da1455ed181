"""Searching, always as somebody: what they may read is a part of each query and never sorted out afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, Q, QuerySet

from mic.core.errors import NotFound
from mic.core.paths import display
from mic.core.tree import Entry
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.accounts.queries import UserView, find_users, get_user
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import Readable, get_project
from micelio.search import pieces
from micelio.search.asked import Asked
from micelio.search.documents import LARGEST, text_of
from micelio.search.languages import language_of
from micelio.search.matching import Line, Part, holds, lines_of, path_of
from micelio.search.models import Document, Kind
from micelio.search.policy import may_read_sessions, require_search, require_sessions
from micelio.search.touched import touching

# Documents of one question that are looked into, those that were written last first, and characters of them read at
# once and in all: enough to fill a page from, and never more work than that.
LOOKED_AT = 300
_READ = 4 << 20
_READS = 3
# Seconds after which no further text is looked into.
_SECONDS = 0.5
# Files of a branch that are looked at for one question, by their names and then by their texts; names read at once.
LOOKED_AT_ON_BRANCH = 5_000
_AT_ONCE = 500
# Lines of a file and of a decision that are shown.
LINES = 3
_TEXTS = {"sessions": Kind.SESSION, "decisions": Kind.DECISION}


@dataclass(frozen=True, slots=True)
class Owner:
    """A person or an organization."""

    token: str
    handle: str
    name: str
    person: bool


@dataclass(frozen=True, slots=True)
class Code:
    """A file at the head of main, or of a branch. `lines` are empty when only its path has what was looked for."""

    token: str
    project_id: UUID
    owner: str
    project: str
    path: bytes
    language: str
    name: tuple[Part, ...]
    lines: Sequence[Line]
    more: bool
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a session was for, or one of its decisions (`number`, from 1)."""

    token: str
    project_id: UUID
    owner: str
    project: str
    position: int
    number: int
    author: str
    agent: str
    at: datetime
    title: tuple[Part, ...]
    lines: Sequence[Line]
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results of one kind. `after` is where the next one begins, "" on the last one.

    The `token` of a row says the same of what is behind that row.

    `cut`: there was more to look into than one question may; the next page goes on there.
    """

    rows: Sequence[ProjectView | Owner | Code | Said] = field(default_factory=list)
    after: str = ""
    cut: bool = False


NOTHING = Found()


class Reach:
    """What one actor may read, as every search of one request asks for it."""

    def __init__(self, actor: Actor) -> None:
        require_search(actor)
        self.actor, self.readable = actor, Readable(actor)

    def shown(self, found: Iterable[Found]) -> None:
        """Record which private projects were shown something of, before it is shown."""
        self.readable.note_reads(
            {row.project_id for each in found for row in each.rows if isinstance(row, Code | Said)}
        )

    def documents(self, asked: Asked) -> QuerySet[Document]:
        """Documents that may hold what is asked for, those written last first. None is of a project that is hidden."""
        found = Document.objects.filter(Exists(self.readable.of_rows))
        if wanted := asked.pieces:
            found = found.filter(id__in=pieces.holding(wanted, both_shelves=self.readable.has_private()))
        if asked.repo:
            owner, slash, handle = asked.repo.partition("/")
            found = found.filter(project__owner__handle=owner)
            found = found.filter(project__handle=handle) if slash and handle else found
        return found.order_by("-id")


def find(actor: Actor, kind: str, asked: Asked, after: str = "", limit: int = 20) -> Found:
    """One kind of results (projects, people, code, sessions, decisions). Raises PermissionDenied for a token.

    Empty for what says too little, and for a kind that the filters are not about.
    """
    require_search(actor)
    if kind in _TEXTS:
        require_sessions(actor)
    reach = Reach(actor)
    found = _find(reach, kind, asked, after, limit)
    reach.shown([found])
    return found


def _find(reach: Reach, kind: str, asked: Asked, after: str, limit: int) -> Found:
    if kind == "projects":
        return _projects(reach, asked, after, limit)
    if kind == "people":
        return _people(reach, asked, after, limit)
    if kind == "code":
        return _code(reach, asked, after, limit)
    return _said(reach, _TEXTS[kind], asked, after, limit)


def find_all(actor: Actor, asked: Asked, limit: int = 5) -> dict[str, Found]:
    """A few results of each kind that the actor may search."""
    reach = Reach(actor)
    kinds = ["projects", "people", "code", *(_TEXTS if may_read_sessions(actor) else ())]
    found = {kind: _find(reach, kind, asked, "", limit) for kind in kinds}
    reach.shown(found.values())
    return found


def landed_by(actor: Actor, handle: str, limit: int = 30) -> list[Said]:
    """What an account landed, newest first, as far as the actor may see it.

    Raises NotFound, in the same words, for nobody of that name and for somebody of whom there is nothing to see.
    """
    require_search(actor)
    require_sessions(actor)
    missing = NotFound(
        f"There is nobody called {handle[:60]} here of whom you may see something.", hint="Check the spelling."
    )
    try:
        owner = get_user(actor, handle).id
    except NotFound:
        owner = _NOBODY
    reach = Reach(actor)
    found = reach.documents(Asked()).filter(kind=Kind.SESSION, owner_id=owner)
    rows = list(found.values_list(*_SAID)[:limit])
    if not rows:
        raise missing
    said = [_said_row(row, Asked()) for row in rows]
    reach.shown([Found(said)])
    return said


_NOBODY = UUID(int=0)


def _projects(reach: Reach, asked: Asked, after: str, limit: int) -> Found:
    text = asked.plain
    if not text:
        return NOTHING
    found = reach.readable.projects(text, after, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Found(found[:limit], f"{last.owner}/{last.handle}" if last else "")


def _people(reach: Reach, asked: Asked, after: str, limit: int) -> Found:
    text = asked.plain
    if not text:
        return NOTHING
    people: list[UserView] = find_users(reach.actor, text, after, limit + 1)
    owners = [Owner(row.handle, row.handle, row.name, person=True) for row in people]
    owners += [
        Owner(handle, handle, name, person=False) for handle, name in reach.readable.owners(text, after, limit + 1)
    ]
    owners.sort(key=lambda row: row.handle)
    return Found(owners[:limit], owners[limit - 1].handle if len(owners) > limit else "")


def _behind(found: QuerySet[Document], after: str) -> QuerySet[Document]:
    return found.filter(id__lt=int(after)) if after.isascii() and after.isdigit() and len(after) < 19 else found


_ROW = (
    "id", "project__owner__handle", "project__handle", "project_id", "path", "name", "language", "content", "size",
)  # fmt: skip


def _code(reach: Reach, asked: Asked, after: str, limit: int) -> Found:
    if asked.about_people or not asked.finds_text:
        return NOTHING
    if asked.branch:
        return _on_branch(reach.actor, asked, after, limit)
    found = reach.documents(asked).filter(kind=Kind.CODE)
    if asked.path:
        found = found.filter(name__icontains=asked.path)
    if asked.language:
        found = found.filter(language=asked.language)
    rows = list(_behind(found, after).values_list(*_ROW)[: LOOKED_AT + 1])
    shown: list[Code] = []
    last, begin = "", time.monotonic()
    for row, text in _texts(rows[:LOOKED_AT]):
        if len(shown) == limit or time.monotonic() - begin > _SECONDS:
            return Found(shown, last, cut=len(shown) < limit)
        last = str(row[0])
        if holds(asked, f"{row[5]}\n{text}") and not _erased(row[3], row[7]):
            lines = lines_of(asked, text, LINES)
            path = bytes(row[4])
            shown.append(
                Code(last, row[3], row[1], row[2], path, row[6], path_of(asked, row[5]), lines.lines, lines.more)
            )
    more = len(rows) > LOOKED_AT or last != (str(rows[-1][0]) if rows else "")
    return Found(shown, last if more else "", cut=more and len(shown) < limit)


def _on_branch(actor: Actor, asked: Asked, after: str, limit: int) -> Found:
    """Files at the head of a branch, which no index has: read one after the other by path, so many for one question.

    Raises NotFound for no such project or branch.
    """
    owner, _, handle = asked.repo.partition("/")
    project = get_project(actor, owner, handle, asked.branch)
    ledger = open_ledger(project.line)
    root = ledger.tree_at(ledger.head().position)
    shown: list[Code] = []
    at, read, begin = _path_token(after), 0, time.monotonic()
    for looked, entry in enumerate(_files(ledger, root, at)):
        much = looked == LOOKED_AT_ON_BRANCH or read > _READ or time.monotonic() - begin > _SECONDS
        if len(shown) == limit or much:
            return Found(shown, at.hex(), cut=len(shown) < limit)
        at = entry.path
        name = display(at).replace("\x00", "\ufffd")
        language = language_of(at)
        if asked.path.lower() not in name.lower() or (asked.language and language != asked.language):
            continue
        text = text_of(ledger, entry) if entry.size <= LARGEST else ""
        read += len(text)
        if holds(asked, f"{name}\n{text}"):
            lines, parts = lines_of(asked, text, LINES), path_of(asked, name)
            shown.append(
                Code(
                    at.hex(),
                    project.id,
                    project.owner,
                    project.handle,
                    at,
                    language,
                    parts,
                    lines.lines,
                    lines.more,
                    project.branch,
                )
            )
    return Found(shown)


def _files(ledger: Project, root: bytes, after: bytes) -> Iterator[Entry]:
    while entries := ledger.files(root, b"", after, _AT_ONCE):
        yield from entries
        after = entries[-1].path


def _path_token(token: str) -> bytes:
    try:
        return bytes.fromhex(token)
    except ValueError:
        return b""


def _texts(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The rows with their texts, read in a few steps as far as they are needed."""
    at = 0
    for _ in range(_READS):
        size, stop = 0, at
        while stop < len(rows) and (stop == at or size + rows[stop][8] <= _READ):
            size += rows[stop][8]
            stop += 1
        if stop == at:
            return
        texts = dict(Document.objects.filter(id__in=[row[0] for row in rows[at:stop]]).values_list("id", "text"))
        for row in rows[at:stop]:
            if row[0] in texts:  # else it was written anew meanwhile
                yield row, texts[row[0]]
        at = stop


def _erased(project_id: UUID, content: bytes | None) -> bool:
    """Whether a content was erased a moment ago; what it said is shown to nobody, whatever the rows still hold."""
    return bool(content and open_ledger(project_id).tombstones([bytes(content)]))


def _said(reach: Reach, kind: Kind, asked: Asked, after: str, limit: int) -> Found:
    if asked.about_files or (asked.why and kind != Kind.DECISION):
        return NOTHING
    if not asked.finds_text:
        return NOTHING
    found = reach.documents(asked).filter(kind=kind)
    if asked.author:
        found = found.filter(Q(author__icontains=asked.author) | _own(reach.actor, asked.author))
    if asked.agent:
        found = found.filter(agent__icontains=asked.agent)
    if asked.path:
        found = found.filter(touching(asked.path))
    rows = list(_behind(found, after).values_list(*_SAID)[: LOOKED_AT + 1])
    shown: list[Said] = []
    last = ""
    for row in rows[:LOOKED_AT]:
        if len(shown) == limit:
            return Found(shown, last)
        last = str(row[0])
        if holds(asked, row[8]):
            shown.append(_said_row(row, asked))
    more = len(rows) > LOOKED_AT
    return Found(shown, last if more else "", cut=more and len(shown) < limit)


_SAID = (
    "id", "project__owner__handle", "project__handle", "position", "number", "author", "agent", "at", "text",
    "project_id",
)  # fmt: skip


def _said_row(row: tuple[Any, ...], asked: Asked) -> Said:
    title, _, rest = row[8].strip().partition("\n")
    owner, project, position, number, author, agent, at = row[1:8]
    lines = lines_of(asked, rest, LINES).lines
    return Said(
        str(row[0]), row[9], owner, project, position, number, author, agent, at, path_of(asked, title), lines, row[8]
    )


def _own(actor: Actor, handle: str) -> Q:
    """What the account of this name landed, if there is one."""
    try:
        return Q(owner_id=get_user(actor, handle).id)
    except NotFound:
        return Q(pk__in=[])
