"""`/-/blame/{ref}/{path}`: each line with the landing that it came with, who wrote it, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref, parse_ref, path_from_request
from micelio.pages.answers import Page, page, path_data
from micelio.pages.asked import asked_number
from micelio.pages.diff_html import join_rows, line_rows
from micelio.pages.highlight import highlight
from micelio.pages.landing_items import LandingItem, landing_data, landing_item
from micelio.pages.opened import Opened, open_project
from micelio.pages.session_twin import decision_data
from micelio.pages.text import display_path, headline
from micelio.pages.weight import Scale
from micelio.pages.where import Where
from micelio.sessions.blame import Author, BlamedFile, Why, WrittenHunk, author_of, blame_file, explain

# Lines that are looked at for one page: more than fit.
_MOST = 600
# Compressed bytes without which no hunk is begun: its landing, and a few lines.
_LEAST = 300
_DECISIONS = 3


@dataclass(frozen=True)
class _Decision:
    number: int
    what: str
    why: str
    address: str


@dataclass(frozen=True)
class _Origin:
    """What a hunk shows of where it came from."""

    item: LandingItem
    author: Author | None
    of_line: bool
    writer: str
    settled: bool
    alike: bool
    elsewhere: str
    there: str
    about_file: bool
    decisions: list[_Decision]
    more: int
    message: str


@page
def blame(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> Page:
    """A file at a point, as many lines as fit. Raises NotFound, NotText, TooLarge."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position = opened.at(at)[0]
    name = path_from_request(request)
    first = max(1, asked_number(request, "from") or 1)
    found = blame_file(actor, opened.project, name, position, first, _MOST)
    hunks, last = _hunks(opened, found)
    context = {
        **opened.context("files"),
        "where": Where(opened.site, at, name),
        "hunks": hunks,
        "lines": found.lines,
        "written": opened.site.landing(found.written_at),
        "written_at": found.written_at,
        "unsettled": not all(hunk.origin.settled for hunk in found.hunks if hunk.start < last),
        "file": opened.site.line(at, name, first) if first > 1 else opened.site.file(at, name),
        "first_line": first,
        "last_line": last,
        "earlier": max(1, first - (last - first + 1)) if first > 1 else 0,
        "later": last + 1 if last < found.lines else 0,
    }
    return Page("pages/blame.html", context, _data(opened, found, last))


def _hunks(opened: Opened, found: BlamedFile) -> tuple[list[SafeString], int]:
    """As many hunks as fit, the last one perhaps cut; and the last line of them."""
    scale, last = Scale(), found.first - 1
    shown: list[SafeString] = []
    source = highlight(found.data, display_path(found.path), found.entry.hash)
    for hunk in found.hunks:
        explain(opened.actor, opened.project, found, [(hunk.origin.position, hunk.origin.path)])
        head = render_to_string("pages/_origin.html", {"from": _origin(opened, found, hunk)})
        if not scale.add(head, _LEAST) and shown:
            break
        rows = scale.take(_rows(source, hunk)) or ([] if shown else list(_rows(source, hunk))[:1])
        if not rows:
            break
        last = hunk.start + len(rows)
        shown.append(SafeString(head + '<div class="code lines"><pre>' + join_rows(rows) + "</pre></div>"))
        if len(rows) < hunk.lines:
            break
    return shown, last


def _rows(source: Any, hunk: WrittenHunk) -> Iterator[str]:
    return line_rows((source[at] for at in range(hunk.start, hunk.start + hunk.lines)), hunk.start + 1)


def _origin(opened: Opened, found: BlamedFile, hunk: WrittenHunk) -> _Origin:
    site, origin = opened.site, hunk.origin
    row = found.landings[origin.position]
    why = found.whys.get((origin.position, origin.path))
    address = site.landing(origin.position)
    decisions = why.at(hunk) if why is not None else []
    return _Origin(
        landing_item(site, row),
        hunk.author,
        hunk.of_line,
        hunk.writer,
        origin.settled,
        origin.alike,
        display_path(origin.path) if origin.path != found.path else "",
        site.line(Ref(origin.position), origin.path, hunk.line + 1),
        why is not None and why.about_file,
        [_decision(address, number, each.what, each.why) for number, each in decisions[:_DECISIONS]],
        row.decisions - min(len(decisions), _DECISIONS) if why is not None else 0,
        headline(row.goal)[1] if row.git_commit else "",
    )


def _decision(landing: str, number: int, what: str, why: str) -> _Decision:
    # Beyond the first ones a decision may be on a page of its own: one that begins with it shows it.
    begin = f"?decisions={number}" if number > _DECISIONS else ""
    return _Decision(number, what, why, f"{landing}{begin}#d{number}")


def _data(opened: Opened, found: BlamedFile, last: int) -> dict[str, Any]:
    hunks = [hunk for hunk in found.hunks if hunk.start < last]
    positions = sorted({hunk.origin.position for hunk in hunks})
    return {
        **opened.data(),
        "position": found.position,
        **path_data(found.path),
        "written_at": found.written_at,
        "hash": found.entry.hash.hex(),
        "total_lines": found.lines,
        "hunks": [_hunk_data(hunk, last) for hunk in hunks],
        "landings": [
            {**landing_data(row), "written_by": author_of(row)} for row in map(found.landings.get, positions) if row
        ],
        "whys": list(map(_why_data, found.whys.values())),
        "next_from": last + 1 if last < found.lines else None,
    }


def _hunk_data(hunk: WrittenHunk, last: int) -> dict[str, Any]:
    return {
        "first": hunk.start + 1,
        "lines": min(hunk.lines, last - hunk.start),
        "position": hunk.origin.position,
        "first_there": hunk.line + 1,
        **path_data(hunk.origin.path),
        "settled": hunk.origin.settled,
        "alike": hunk.origin.alike,
        "written_by": hunk.author,
        "of_line": hunk.of_line,
        "writer": hunk.writer or None,
        "message": hunk.message or None,
    }


def _why_data(why: Why) -> dict[str, Any]:
    return {
        "position": why.position,
        **path_data(why.path),
        "about_file": why.about_file,
        "decisions": [
            {
                "number": number,
                **decision_data(each),
                "lines": [{"first": first, "last": last} for first, last in why.lines.get(number, ())],
            }
            for number, each in why.decisions
        ],
        "others": why.others,
    }
