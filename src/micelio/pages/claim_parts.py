"""What a session says beside what it changed, for its page: each claim leads to its words, each fact to its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from mic.core.session import Op, Session
from micelio.languages.spoken import gettext, gettext_noop, ngettext, ngettext_noop
from micelio.languages.words import number_words
from micelio.pages.answers import path_data
from micelio.pages.path_change import PathChange
from micelio.pages.session_parts import BEHIND_CLAIMS, Part
from micelio.pages.text import cut, display_path
from micelio.pages.twin_text import escaped
from micelio.pages.weight import Scale
from micelio.sessions.claims import Checked, Fact, Facts, Source, Verdict, Where, check, evidence_elsewhere, unmentioned

_SIGNS = {
    Verdict.HOLDS: ("✓", Fact(gettext_noop("holds"))),
    Verdict.FAILS: ("!", Fact(gettext_noop("does not hold"))),
    Verdict.OPEN: ("?", Fact(gettext_noop("not decided here"))),
}
_A_FACT = Fact(gettext_noop("a fact"))
_ELSEWHERE = Fact(gettext_noop("the evidence of a decision is a file that this session did not change"))
# Files of one fact that are named.
_MOST_PATHS = 3


@dataclass(frozen=True)
class _File:
    name: str
    address: str


@dataclass(frozen=True)
class _Row:
    """One line: what is said (`tag` leads to where), a sign with its word, a fact with its files."""

    kind: str
    sign: str
    sign_words: str
    text: str
    tag: str
    address: str
    words: str
    fact: str
    files: tuple[_File, ...]
    more: int


@dataclass(frozen=True)
class SaidAndDone:
    """All that is known of a session's claims; `rows` are what the page shows of it."""

    checked: tuple[Checked, ...]
    elsewhere: tuple[tuple[int, bytes], ...]
    unmentioned: tuple[bytes, ...]
    changes: tuple[PathChange, ...]
    here: str

    def rows(self, say: Callable[[Fact], str]) -> list[_Row]:
        """`say` puts what is said into words: of the reader's language, or with `str` English ones."""
        numbers = {change.path: change.number for change in self.changes}

        def files(paths: Sequence[bytes]) -> tuple[_File, ...]:
            return tuple(
                _File(cut(display_path(path), 120), f"{self.here}/changes/{numbers[path]}" if numbers.get(path) else "")
                for path in paths[:_MOST_PATHS]
            )

        rows = []
        for each in self.checked:
            sign, words = _SIGNS[each.verdict]
            tag, address, said = self._where(each.source, say)
            more = max(0, len(each.paths) - _MOST_PATHS)
            shown = files(each.paths)
            rows.append(
                _Row(each.verdict.value, sign, say(words), each.text, tag, address, said, say(each.said), shown, more)
            )
        for number, path in self.elsewhere:
            tag, address, _ = self._where(Source(Where.DECISION, number), say)
            rows.append(_Row("fact", "·", say(_A_FACT), "", tag, address, "", say(_ELSEWHERE), files([path]), 0))
        if self.unmentioned:
            count = len(self.unmentioned)
            forms = ngettext_noop(
                "{count} changed file is named in no word of the session",
                "{count} changed files are named in no word of the session",
            )
            fact, more = say(Fact(*forms, count)), max(0, count - _MOST_PATHS)
            rows.append(_Row("fact", "·", say(_A_FACT), "", "", "", "", fact, files(self.unmentioned), more))
        return rows

    def _where(self, source: Source, say: Callable[[Fact], str]) -> tuple[str, str, str]:
        """(a short name, an address, words) of where it is said."""
        if source.where is Where.DECISION:
            return f"D{source.number}", f"{self.here}?decisions={source.number}#d{source.number}", ""
        if source.where is Where.MESSAGE:
            address = f"{self.here}?conversation={source.number}#m{source.number}"
            tag = Fact(gettext_noop("message {name}"), name=str(source.number))
            return say(tag), address, say(Fact(gettext_noop("asked for"))) if source.asked else ""
        return "", "", say(Fact(gettext_noop("in the goal"))) if source.where is Where.GOAL else ""

    def data(self) -> list[dict[str, Any]]:
        """The checked claims for machines."""
        return [
            {
                "text": each.text,
                "from": each.source.where.value,
                "number": each.source.number or None,
                "asked": each.source.asked,
                "verdict": each.verdict.value,
                "fact": each.fact,
                "files": [path_data(path) for path in each.paths[:50]],
            }
            for each in self.checked
        ]

    def markdown(self) -> str:
        """The checked claims and the facts as a list, "" when there are none."""
        lines = []
        for row in self.rows(str):
            names = ", ".join(file.name for file in row.files) + (f" and {row.more} more" if row.more else "")
            where = " ".join(part for part in (row.words, row.tag) if part)
            said = f"“{row.text}” " if row.text else ""
            told = f"{said}{f'({where}) ' if where else ''}- {row.fact}{f': {names}' if names else ''}"
            lines.append(f"- {row.sign} {escaped(told)}")
        return "\n".join(lines)


def said_and_done(session: Session, changes: Sequence[PathChange], here: str) -> SaidAndDone:
    """The claims of a session beside its changes; nothing is checked against changes that have not arrived."""
    facts = Facts(tuple((change.path, _op(change)) for change in changes))
    if not facts.changes:
        waits = Fact(gettext_noop("nothing that it changes has arrived yet"))
        listed = tuple(Checked(text, Source(Where.LISTED), Verdict.OPEN, waits) for text in session.claims)
        return SaidAndDone(listed, (), (), (), here)
    left = unmentioned(session, facts)
    return SaidAndDone(
        tuple(check(session, facts)), tuple(evidence_elsewhere(session, facts)), left, tuple(changes), here
    )


def _op(change: PathChange) -> Op:
    if change.old is None:
        return Op.ADDED
    return Op.DELETED if change.new is None else Op.MODIFIED


def _spoken(fact: Fact) -> str:
    said = ngettext(fact.one, fact.many, fact.count) if fact.many else gettext(fact.one)
    return said.format(count=number_words(fact.count), name=fact.name)


def claims_part(scale: Scale, found: SaidAndDone) -> Part:
    """The lines that the page has room for."""
    rows = found.rows(_spoken)

    def render(row: _Row, characters: int) -> str:
        return render_to_string("pages/_claim.html", {"row": row, "characters": min(characters, 400)})

    return Part(scale.fill(rows, render, BEHIND_CLAIMS), 1, len(rows))
