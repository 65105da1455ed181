"""`/-/compare/A...B`: what changed between two points of the line, and which landings did it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mic.core.errors import Erased, NotFound
from mic.core.tree import Entry
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref
from micelio.pages.answers import Page, page
from micelio.pages.asked import asked_number
from micelio.pages.changes import ChangesPage, ShownChanges, amount, op_words
from micelio.pages.diff_look import USUAL, DiffLook, asked_look
from micelio.pages.diffs import LARGEST_COMPARED
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.opened import Opened, open_project
from micelio.pages.path_change import PathChange
from micelio.pages.points import Point, compare_address, difference, find_point, parted
from micelio.pages.renames import with_sources
from micelio.pages.session_twin import change_data
from micelio.pages.text import count_words, cut, display_path
from micelio.pages.twin_text import escaped, opening
from micelio.pages.weight import ROOM, Scale
from micelio.sessions.queries import LandingRow, list_landings

# Landings that are named above the changes; all of them are in the list of landings.
LANDINGS = 20
# Changed paths that are compared on pages, the first ones; what a difference has beyond them is left out.
MOST_CHANGES = 50_000


@dataclass(frozen=True)
class _Compared:
    """Two points of one project. With `cut` more differs than `changes` has."""

    opened: Opened
    old: Point
    new: Point
    changes: list[PathChange]
    cut: bool

    @property
    def here(self) -> str:
        return compare_address(self.opened.site, str(self.old), str(self.new))

    @property
    def one_line(self) -> bool:
        return self.old.opened.project.line == self.new.opened.project.line

    @property
    def forwards(self) -> bool:
        return not self.one_line or self.old.position <= self.new.position

    def page(self, scale: Scale, look: DiffLook = USUAL) -> ChangesPage:
        old, new = self.old, self.new
        return ChangesPage(
            new.opened.site,
            self._read,
            (),
            Ref(new.position),
            self.here,
            scale,
            look=look,
            raw_before=lambda path: old.opened.site.raw(Ref(old.position), path),
        )

    def _read(self, entry: Entry) -> bytes:
        # What only the one line has is read from there; each reads through to where it began.
        old = not self.one_line and entry.hash in self._only_old
        try:
            return (self.old if old else self.new).opened.ledger.blob(entry.hash, LARGEST_COMPARED)
        except Erased as erased:
            return str(erased.details["text"]).encode()

    @cached_property
    def _only_old(self) -> frozenset[bytes]:
        there = {change.new.hash for change in self.changes if change.new is not None}
        return frozenset(change.old.hash for change in self.changes if change.old is not None) - there

    def context(self) -> dict[str, Any]:
        site = self.opened.site
        return {
            **self.opened.context("landings"),
            "old": self.old.words,
            "new": self.new.words,
            "old_name": self.old.name,
            "new_name": self.new.name,
            "here": self.here,
            "turned": compare_address(site, str(self.new), str(self.old)),
        }

    def data(self) -> dict[str, Any]:
        lines = {} if self.one_line else {"from_branch": self.old.branch, "to_branch": self.new.branch}
        return {**self.opened.data(), "from": self.old.position, "to": self.new.position, **lines}


def _compared(actor: Actor, owner: str, handle: str, points: str) -> _Compared:
    opened = open_project(actor, owner, handle)
    before, dots, after = points.partition("...")
    if not dots:
        raise NotFound(f"`{points[:60]}` names no two points.", hint="Compare such as `@3...head`, or `main...NAME`.")
    old, new = find_point(opened, before), find_point(opened, after)
    found, is_cut = difference(old, new, MOST_CHANGES)
    changes = [PathChange(path, before, after, number) for number, (path, before, after) in enumerate(found, 1)]
    return _Compared(opened, old, new, with_sources(changes, {}, {}), is_cut)


@page
def compare_form(request: HttpRequest, actor: Actor, owner: str, handle: str) -> HttpResponse:
    """From the two boxes to the page of the two points."""
    opened = open_project(actor, owner, handle)
    old, new = (find_point(opened, request.GET.get(name, "").strip()[:400]) for name in ("from", "to"))
    return HttpResponseRedirect(compare_address(opened.site, str(old), str(new)))


@page
def compare(request: HttpRequest, actor: Actor, owner: str, handle: str, points: str) -> Page:
    """The landings between the two, then the changes; backwards when the first is the later one."""
    found = _compared(actor, owner, handle, points)
    start, look = asked_number(request, "changes") or 1, asked_look(request)
    if start > max(1, len(found.changes)):
        raise NotFound(f"{count_words(len(found.changes), 'file')} differ.", hint=f"Look at {found.here}.")
    # Of two lines: what landed on the second one since they parted.
    since = found.old.position if found.one_line else parted(found.old, found.new)
    between, newest = abs(found.new.position - since), max(since, found.new.position)
    rows: list[LandingRow] = []
    if between and start == 1:
        rows = list_landings(actor, found.new.opened.project, newest + 1, min(between, LANDINGS))
    scale = amount(look).scale()
    landings = _landings(found, rows, scale)
    shown = found.page(scale, look).show(found.changes, start)
    context = {
        **found.context(),
        "landings": landings,
        "between": between,
        "backwards": not found.forwards,
        "changes": shown,
        "look": look,
        "is_cut": shown.is_cut,
        "total_files": len(found.changes),
        "left_out": found.cut,
        "first_part": start == 1,
        "all_landings": f"{found.new.opened.site.landings}?before={newest + 1}",
    }
    data = {
        **found.data(),
        "landings": [landing_data(row) for row in rows[: len(landings)]],
        "landings_between": between,
        "changes": [change_data(change) for change in found.changes[:1000]],
        "changes_in_all": len(found.changes),
        "left_out": found.cut,
    }
    return Page("pages/compare.html", context, data, lambda: _markdown(found, rows, shown))


def _landings(found: _Compared, rows: list[LandingRow], scale: Scale) -> list[SafeString]:
    items = [landing_item(found.new.opened.site, row) for row in rows]
    return scale.fill(items, lambda item, _: render_to_string("pages/_landing.html", {"row": item}), ROOM * 2 // 3)


def _markdown(found: _Compared, rows: list[LandingRow], shown: ShownChanges) -> str:
    name = f"{found.opened.project.owner}/{found.opened.project.handle}"
    text = f"# {escaped(f'{name}: {found.old.name} to {found.new.name}')}\n"
    if rows:
        text += "\n## Landings\n\n" + "".join(
            f"- @{row.position} {escaped(cut(row.goal.partition(chr(10))[0], 200))}\n" for row in rows
        )
    counted = {file.path: file.summary for file in (*shown.files, *shown.rest)}
    text += f"\n## Changes: {count_words(len(found.changes), 'file')}\n\n"
    if found.cut:
        text += "More differ; these are the first ones by path.\n\n"
    return text + "".join(
        f"- {opening(display_path(change.path))} ({escaped(counted.get(change.path) or op_words(change))})\n"
        for change in found.changes[:1000]
    )


@page
def compare_change(request: HttpRequest, actor: Actor, owner: str, handle: str, points: str, number: int) -> Page:
    """The difference of one file between two points, by its number among the changed paths."""
    found = _compared(actor, owner, handle, points)
    if not 1 <= number <= len(found.changes):
        raise NotFound(f"{count_words(len(found.changes), 'file')} differ.", hint=f"Look at {found.here}.")
    first, look = max(1, asked_number(request, "from") or 1), asked_look(request)
    file = found.page(amount(look).scale(), look).show_one(found.changes, number, first)
    if first > max(1, file.rows):
        raise NotFound(f"This difference has {count_words(file.rows, 'line')}.", hint=f"Look at {file.whole}.")

    def neighbour(at: int) -> dict[str, str] | None:
        if not 1 <= at <= len(found.changes):
            return None
        return {
            "name": cut(display_path(found.changes[at - 1].path), 120),
            "address": f"{found.here}/changes/{at}{look.behind}",
        }

    context = {
        **found.context(),
        "state": "",
        "state_words": "",
        "headline": f"From {found.old.name} to {found.new.name}",
        "file": file,
        "look": look,
        "is_cut": file.is_part,
        "number": number,
        "total": len(found.changes),
        "earlier": max(1, first - (file.last - first + 1)) if first > 1 else 0,
        "later": file.last + 1 if file.is_cut else 0,
        "before": neighbour(number - 1),
        "behind": neighbour(number + 1),
    }
    change = found.changes[number - 1]
    data = {**found.data(), "number": number, **change_data(change), "added": file.added, "deleted": file.deleted}
    return Page("pages/change.html", context, data)
