"""Which landing each line of a file came with, who wrote it, and what was decided there; always as somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mic.core.attribution import NOBODY, NOTHING, authors
from mic.core.attribution import Author as WrittenBy
from mic.core.blame import Hunk, Origin
from mic.core.errors import InvalidInput, NotFound
from mic.core.paths import display
from mic.core.scanning import redact
from mic.core.session import Decision
from mic.core.tree import Entry
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.evidence import marks
from micelio.sessions.models import storable
from micelio.sessions.policy import require_read
from micelio.sessions.queries import LandingRow, get_rows
from micelio.sessions.redaction import as_shown

# Lines in one answer. Each may have come with another landing, and with decisions of its own.
MAX_LINES = 5_000
MAX_EXPLAINED = 1_000
# Rows that one query asks for: each is a parameter of it.
_ROWS = 500

Author = Literal["agent", "person", "untracked"]


class WrittenHunk(NamedTuple):
    """Lines of one origin and one author: as `mic.core.blame.Hunk`, numbered from 0.

    `author` is None while nobody has looked where they came from, and untracked where likeness led there. `of_line`:
    the session says so of the lines; else it is what is known of the session as a whole. `writer` is whom it names for
    the lines, "" for its own agent or person, and `message` the turn of its conversation at which they were written, 0
    when that is not known.
    """

    start: int
    lines: int
    origin: Origin
    line: int
    author: Author | None
    of_line: bool = False
    writer: str = ""
    message: int = 0


@dataclass(frozen=True, slots=True)
class Why:
    """What a session decided about a file at a landing. Numbers are those of the session's decisions, from 1.

    Not `about_file`: no decision names the file as its evidence, and these are all of the session. Else `others` is how
    many the session made besides. `lines` are first and last lines, counted from 1 in the file as that landing made it,
    of the decisions whose evidence names lines: they are about no other line.
    """

    position: int
    path: bytes
    about_file: bool
    decisions: tuple[tuple[int, Decision], ...]
    others: int = 0
    lines: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def at(self, hunk: Hunk | WrittenHunk) -> list[tuple[int, Decision]]:
        """The decisions about some line of a hunk."""
        first, last = hunk.line + 1, hunk.line + hunk.lines
        return [
            (number, each)
            for number, each in self.decisions
            if number not in self.lines or any(a <= last and first <= b for a, b in self.lines[number])
        ]


@dataclass(frozen=True, slots=True)
class BlamedFile:
    """A part of a file: its lines `first` to `last` (from 1) of `lines`, in hunks that are numbered from 0.

    `position` is where it was looked at, `written_at` the landing that made it what it is there.
    """

    path: bytes
    position: int
    written_at: int
    entry: Entry
    data: bytes
    lines: int
    first: int
    last: int
    hunks: list[WrittenHunk]
    landings: dict[int, LandingRow]
    whys: dict[tuple[int, bytes], Why]

    @property
    def next(self) -> int:
        """The line that the next part begins with, 0 at the end."""
        return self.last + 1 if self.last < self.lines else 0


def author_of(row: LandingRow) -> Author:
    """Who wrote what came with a landing, as its record says and not further.

    An agent, when the session names one. Untracked, when it came as a Git commit, which does not say. Else the person
    whose session it was.
    """
    if row.agent:
        return "agent"
    return "untracked" if row.git_commit else "person"


def blame_file(
    actor: Actor,
    project: ProjectView,
    path: bytes,
    position: int | None = None,
    first: int = 1,
    lines: int = MAX_LINES,
    why: bool = False,
) -> BlamedFile:
    """At most so many lines from line `first` (from 1) on, as of a position (None: the head).

    Raises NotFound, NotText, TooLarge, Corrupt. At most MAX_LINES at a time, MAX_EXPLAINED with what was decided.
    """
    require_read(actor, project)
    ledger = open_ledger(project.line)
    at = ledger.head().position if position is None else position
    found = ledger.blame(path, at)
    total = len(found.blame.line)
    if first > max(total, 1):
        raise NotFound(f"{display(path)[:200]} has {total} lines at @{at}, and no line {first}.")
    last = min(first - 1 + min(lines, MAX_EXPLAINED if why else MAX_LINES), total)
    hunks = list(found.blame.hunks(first - 1, last))
    origins = {(hunk.origin.position, hunk.origin.path) for hunk in hunks}
    landings = _rows(actor, project, sorted({position for position, _ in origins}))
    written = _written(ledger, hunks, landings)
    blamed = BlamedFile(
        path, at, found.position, found.entry, found.data, total, first, last, written, landings, {}
    )  # fmt: skip
    if why:
        explain(actor, project, blamed, origins)
    return blamed


def _written(ledger: Project, hunks: list[Hunk], landings: dict[int, LandingRow]) -> list[WrittenHunk]:
    """The hunks by who wrote their lines: what each session says of them, and where it says nothing, what it is."""
    settled = {hunk.origin.position for hunk in hunks if hunk.origin.settled and not hunk.origin.alike}
    said = ledger.attributions([position for position in sorted(settled) if landings[position].attributed])
    names = _shown({writer.name for each in said.values() for writer in each.writers})
    found = []
    for hunk in hunks:
        start, _, origin, line = hunk
        if not origin.settled:
            found.append(WrittenHunk(*hunk, None))
            continue
        if origin.alike:
            # Who wrote a line is never guessed, and that it is this line is a guess.
            found.append(WrittenHunk(*hunk, "untracked"))
            continue
        whole = WrittenBy(author_of(landings[origin.position]))
        parts = authors(said.get(origin.position, NOTHING), whole, origin.path, line + 1, hunk.lines)
        for first, lines, author in parts:
            writer = author.writer or NOBODY
            at, name = first - 1, names.get(writer.name, "")
            found.append(
                WrittenHunk(start + at - line, lines, origin, at, author.kind, author.of_line, name, writer.message)
            )
    return found


def _shown(names: set[str]) -> dict[str, str]:
    """Names as they may be shown, however old the rules are that they were searched by when they came."""
    said = sorted(names)
    try:
        changed = redact(said)
    except InvalidInput:
        changed = dict.fromkeys(range(len(said)), ("[redacted: not searchable]", 1))
    return {name: storable(changed[at][0] if at in changed else name) for at, name in enumerate(said)}


def explain(actor: Actor, project: ProjectView, blamed: BlamedFile, origins: Iterable[tuple[int, bytes]]) -> None:
    """Add what was decided at some of the (landing, path) that lines came from."""
    require_read(actor, project)
    ledger = open_ledger(project.line)
    sessions: dict[int, tuple[Decision, ...]] = {}
    for position, path in origins:
        if (position, path) in blamed.whys or not blamed.landings[position].decisions:
            continue
        if position not in sessions:
            sessions[position] = as_shown(ledger.landing(position).session).decisions
        decisions = sessions[position]
        blamed.whys[position, path] = _why(position, path, decisions)


def _why(position: int, path: bytes, decisions: tuple[Decision, ...]) -> Why:
    named: dict[int, list[tuple[int, int]]] = {}
    whole = set[int]()
    for mark in marks(decisions, [path]).get(path, ()):
        lines = named.setdefault(mark.number, [])
        if mark.line is None or mark.last is None:
            whole.add(mark.number)
        else:
            lines.append((mark.line, mark.last))
    numbered = tuple((at, each) for at, each in enumerate(decisions, 1) if not named or at in named)
    lines_of = {number: lines for number, lines in named.items() if number not in whole}
    return Why(position, path, bool(named), numbered, len(decisions) - len(numbered), lines_of)


def _rows(actor: Actor, project: ProjectView, positions: list[int]) -> dict[int, LandingRow]:
    rows: dict[int, LandingRow] = {}
    for start in range(0, len(positions), _ROWS):
        rows |= get_rows(actor, project, positions[start : start + _ROWS])
    return rows
