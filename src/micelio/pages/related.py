"""Which other sessions have to do with one: those that it names, and those that changed the same files before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mic.core.session import Session
from micelio.languages.spoken import gettext, ngettext
from micelio.languages.words import number_words
from micelio.pages.opened import Opened
from micelio.pages.path_change import PathChange
from micelio.pages.text import count_words, cut, display_path
from micelio.sessions.queries import LandingRow, get_rows

# Sessions that are shown, files of one whose history is asked, and landings of each.
MOST = 5
_FILES = 4
_EACH = 3
# Characters of the words in which positions are looked for, as `@42`.
_READ = 40_000
_POSITION = re.compile(r"(?<![\w/@.])@([1-9][0-9]{0,8})\b")


@dataclass(frozen=True)
class Related:
    """A landing and what it has to do with the session: it is `named` there, or changed `paths` of it before."""

    row: LandingRow
    named: bool
    paths: tuple[bytes, ...]

    @property
    def words(self) -> str:
        """For the twins, in English."""
        said = ["named here"] if self.named else []
        if len(self.paths) == 1:
            said.append(f"changed {self._path} before")
        elif self.paths:
            said.append(f"changed {count_words(len(self.paths), 'file')} of these before")
        return ", ".join(said)

    @property
    def shown(self) -> str:
        """For the page, in the language of its reader."""
        said = [gettext("named here")] if self.named else []
        if len(self.paths) == 1:
            said.append(gettext("changed {path} before").format(path=self._path))
        elif self.paths:
            count = len(self.paths)
            words = ngettext("changed {count} file of these before", "changed {count} files of these before", count)
            said.append(words.format(count=number_words(count)))
        return ", ".join(said)

    @property
    def _path(self) -> str:
        return cut(display_path(self.paths[0]), 80)


def related(opened: Opened, session: Session, changes: Sequence[PathChange], position: int) -> list[Related]:
    """At most `MOST` landings: those that goal, decisions or conversation name by `@42`, then those that last changed
    most of the first few files that are changed here. Facts of the record; what is alike in words is for the search.
    """
    named = _named(session, opened.position) - {position}
    shared: dict[int, list[bytes]] = {}
    for change in [change for change in changes if change.old is not None][:_FILES]:
        for at, _ in opened.ledger.path_history(change.path, position, 0, _EACH).touches:
            shared.setdefault(at, []).append(change.path)
    order = sorted(named, reverse=True) + sorted(set(shared) - named, key=lambda at: (-len(shared[at]), -at))
    rows = get_rows(opened.actor, opened.project, order[:MOST]) if order else {}
    return [Related(rows[at], at in named, tuple(shared.get(at, ()))) for at in order[:MOST] if at in rows]


def _named(session: Session, newest: int) -> set[int]:
    words = [session.goal, *(f"{d.what} {d.why} {d.evidence}" for d in session.decisions)]
    words += [message.text for message in session.conversation if message.role != "system"]
    found = {int(match[1]) for match in _POSITION.finditer("\n".join(words)[:_READ])}
    return {at for at in found if at <= newest}
