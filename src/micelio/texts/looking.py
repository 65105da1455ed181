"""Searching the handbook, the changelog and the blog: everybody may read them, so nobody is asked who they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from micelio.search.asked import Asked
from micelio.search.matching import Line, Part, holds, lines_of, path_of
from micelio.texts.blog import blog
from micelio.texts.changelog import changelog
from micelio.texts.handbook import handbook
from micelio.texts.headings import parts, plain

# Lines of one place that are shown.
_LINES = 2


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands under one heading. `address` leads to it, `where` says in which book it is."""

    address: str
    where: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A passage that has what was looked for; `token` is its number among all, as text."""

    token: str
    address: str
    where: str
    title: tuple[Part, ...]
    lines: Sequence[Line]


def look(asked: Asked, after: str, limit: int) -> tuple[list[Told], str]:
    """Passages that have all of it, those first that have it in their heading; and where the next page begins."""
    if asked.about_files or asked.about_people or asked.path or asked.repo or not (asked.words or asked.pattern):
        return [], ""
    found = [passage for passage in (*_fixed(), *_posts()) if holds(asked, f"{passage.title}\n{passage.text}")]
    found.sort(key=lambda passage: not holds(asked, passage.title))
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0
    shown = [
        Told(
            str(start + number + 1), p.address, p.where, path_of(asked, p.title), lines_of(asked, p.text, _LINES).lines
        )
        for number, p in enumerate(found[start : start + limit])
    ]
    return shown, str(start + limit) if len(found) > start + limit else ""


@cache
def _fixed() -> tuple[Passage, ...]:
    """The passages of this version."""
    found: list[Passage] = []
    for sheet in handbook().sheets():
        for part in parts(sheet.body):
            title = f"{sheet.title}: {plain(part.title)}" if part.level else sheet.title
            place = f"#text-{part.anchor}" if part.level else ""
            found.append(Passage(sheet.address + place, sheet.chapter or "Docs", title, plain(part.body)))
    for release in changelog():
        found += [
            Passage(f"/changelog#{change.name}", "Changelog", f"{release.version}: {change.kind}", plain(change.text))
            for change in release.changes
        ]
        if release.text:
            found.append(Passage("/changelog", "Changelog", release.version, plain(release.text)))
    return tuple(found)


def _posts() -> Iterator[Passage]:
    for post in blog().posts:
        yield Passage(post.address, "Blog", post.title, plain(post.body))
