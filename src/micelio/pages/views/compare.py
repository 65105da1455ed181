"""`/-/compare/A...B`: what changed between two points of the line, and which landings did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mic.core.errors import Erased, InvalidInput, NotFound
from mic.core.tree import Entry
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref, parse_ref
from micelio.pages.answers import Page, page
from micelio.pages.asked import asked_number
from micelio.pages.changes import ChangesPage, PathChange, ShownChanges, op_words
from micelio.pages.diff_look import USUAL, DiffLook, asked_look
from micelio.pages.diffs import LARGEST_COMPARED
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.opened import Opened, open_project
from micelio.pages.session_twin import change_data
from micelio.pages.text import count_words, cut, display_path
from micelio.pages.weight import ROOM, Scale
from micelio.sessions.queries import LandingRow, list_landings

# Landings that are named above the changes; all of them are in the list of landings.
LANDINGS = 20
# Changed paths beyond which two points are not compared on pages.
MOST_CHANGES = 50_000


@dataclass(frozen=True)
class _Compared:
    """Two points of one project."""

    opened: Opened
    old: Ref
    new: Ref
    old_position: int
    new_position: int
    changes: list[PathChange]

    @property
    def here(self) -> str:
        return self.opened.site.compare(self.old, self.new)

    @property
    def forwards(self) -> bool:
        return self.old_position <= self.new_position

    def page(self, scale: Scale, look: DiffLook = USUAL) -> ChangesPage:
        return ChangesPage(self.opened.site, self._read, (), Ref(self.new_position), self.here, scale, look=look)

    def _read(self, entry: Entry) -> bytes:
        try:
            return self.opened.ledger.blob(entry.hash, LARGEST_COMPARED)
        except Erased as erased:
            return str(erased.details["text"]).encode()

    def context(self) -> dict[str, Any]:
        site = self.opened.site
        return {
            **self.opened.context("landings"),
            "old": str(self.old),
            "new": str(self.new),
            "old_position": self.old_position,
            "new_position": self.new_position,
            "here": self.here,
            "turned": site.compare(self.new, self.old),
        }

    def data(self) -> dict[str, Any]:
        return {**self.opened.data(), "from": self.old_position, "to": self.new_position}


def _compared(actor: Actor, owner: str, handle: str, points: str) -> _Compared:
    opened = open_project(actor, owner, handle)
    before, dots, after = points.partition("...")
    if not dots:
        raise NotFound(f"`{points[:60]}` names no two points.", hint="Compare such as `@3...head`.")
    old, new = parse_ref(before or "head"), parse_ref(after or "head")
    (old_position, old_root), (new_position, new_root) = opened.at(old), opened.at(new)
    found = opened.ledger.diff(old_root, new_root)
    if len(found) > MOST_CHANGES:
        raise InvalidInput(
            f"{count_words(len(found), 'file')} differ, which is too much for a page.",
            hint="Compare two points that are closer to each other, or clone the project.",
        )
    changes = [PathChange(change.path, change.old, change.new, number) for number, change in enumerate(found, 1)]
    return _Compared(opened, old, new, old_position, new_position, changes)


@page
def compare_form(request: HttpRequest, actor: Actor, owner: str, handle: str) -> HttpResponse:
    """From the two boxes to the page of the two points."""
    opened = open_project(actor, owner, handle)
    old, new = (parse_ref(request.GET.get(name, "").strip() or "head") for name in ("from", "to"))
    return HttpResponseRedirect(opened.site.compare(old, new))


@page
def compare(request: HttpRequest, actor: Actor, owner: str, handle: str, points: str) -> Page:
    """The landings between the two, then the changes; backwards when the first is the later one."""
    found = _compared(actor, owner, handle, points)
    start, look = asked_number(request, "changes") or 1, asked_look(request)
    if start > max(1, len(found.changes)):
        raise NotFound(f"{count_words(len(found.changes), 'file')} differ.", hint=f"Look at {found.here}.")
    between = abs(found.new_position - found.old_position)
    newest = max(found.old_position, found.new_position)
    rows: list[LandingRow] = []
    if between and start == 1:
        rows = list_landings(actor, found.opened.project, newest + 1, min(between, LANDINGS))
    scale = Scale()
    landings = _landings(found, rows, scale)
    shown = found.page(scale, look).show(found.changes, start)
    context = {
        **found.context(),
        "landings": landings,
        "between": between,
        "backwards": not found.forwards,
        "changes": shown,
        "look": look,
        "total_files": len(found.changes),
        "first_part": start == 1,
        "all_landings": f"{found.opened.site.landings}?before={newest + 1}",
    }
    data = {
        **found.data(),
        "landings": [landing_data(row) for row in rows[: len(landings)]],
        "landings_between": between,
        "changes": [change_data(change) for change in found.changes[:1000]],
        "changes_in_all": len(found.changes),
    }
    return Page("pages/compare.html", context, data, lambda: _markdown(found, rows, shown))


def _landings(found: _Compared, rows: list[LandingRow], scale: Scale) -> list[SafeString]:
    items = [landing_item(found.opened.site, row) for row in rows]
    return scale.fill(items, lambda item, _: render_to_string("pages/_landing.html", {"row": item}), ROOM * 2 // 3)


def _markdown(found: _Compared, rows: list[LandingRow], shown: ShownChanges) -> str:
    name = f"{found.opened.project.owner}/{found.opened.project.handle}"
    text = f"# {name}: @{found.old_position} to @{found.new_position}\n"
    if rows:
        text += "\n## Landings\n\n" + "".join(
            f"- @{row.position} {cut(row.goal.partition(chr(10))[0], 200)}\n" for row in rows
        )
    counted = {file.path: file.summary for file in (*shown.files, *shown.rest)}
    text += f"\n## Changes: {count_words(len(found.changes), 'file')}\n\n"
    return text + "".join(
        f"- {display_path(change.path)} ({counted.get(change.path) or op_words(change)})\n"
        for change in found.changes[:1000]
    )


@page
def compare_change(request: HttpRequest, actor: Actor, owner: str, handle: str, points: str, number: int) -> Page:
    """The difference of one file between two points, by its number among the changed paths."""
    found = _compared(actor, owner, handle, points)
    if not 1 <= number <= len(found.changes):
        raise NotFound(f"{count_words(len(found.changes), 'file')} differ.", hint=f"Look at {found.here}.")
    first, look = max(1, asked_number(request, "from") or 1), asked_look(request)
    file = found.page(Scale(), look).show_one(found.changes, number, first)
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
        "headline": f"From @{found.old_position} to @{found.new_position}",
        "file": file,
        "look": look,
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
