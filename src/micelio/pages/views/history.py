"""`/-/history/{ref}/{path}`: the landings that touched a path, or anything below it."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref, Site, parse_ref, path_from_request
from micelio.pages.answers import Page, page, path_data
from micelio.pages.asked import asked_number
from micelio.pages.landing_items import by_day, landing_data, landing_item
from micelio.pages.opened import open_project
from micelio.pages.text import display_path
from micelio.pages.weight import Scale
from micelio.pages.where import Where
from micelio.sessions.path_landings import PathLanding, path_landings

PAGE = 50


@page
def history(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> Page:
    """Newest first, up to a point. Of any path, also one that is not there any more."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, root = opened.at(at)
    name = path_from_request(request).rstrip(b"/")
    before = asked_number(request, "before")
    newest = min(before, position + 1) if before is not None else position + 1
    found = path_landings(actor, opened.project, name, newest, 0, PAGE + 1) if newest > 1 else []
    is_file = opened.ledger.entry(root, name) is not None
    is_directory = not is_file and bool(opened.ledger.list_dir(root, name, b"", 1))
    if not found and before is None and not is_directory:
        raise NotFound(
            f"No landing up to @{position} touched {display_path(name)}.", hint=f"Look at {opened.site.tree(at)}."
        )
    items = [(landing_item(opened.site, each.row), each.what) for each in found[:PAGE]]
    html = Scale().fill(
        items, lambda item, _: render_to_string("pages/_landing.html", {"row": item[0], "touch": item[1]})
    )
    shown = found[: len(html)]
    older = shown[-1].row.position if len(found) > len(shown) else None
    context = {
        **opened.context("files"),
        "where": Where(opened.site, at, name),
        "path": display_path(name),
        "now": opened.site.file(at, name) if is_file else opened.site.tree(at, name) if is_directory else "",
        "days": by_day(zip((item for item, _ in items), html, strict=False)),
        "before": before,
        "older": older,
        "before_it": _before_it(opened.site, shown[-1]) if shown else None,
        "newest": opened.site.history(at, name),
    }
    data = {
        **opened.data(),
        **path_data(name),
        "position": position,
        "landings": [{**landing_data(each.row), "touch": each.what, **_came(each)} for each in shown],
        "next_before": older,
    }
    return Page("pages/history.html", context, data)


def _came(each: PathLanding) -> dict[str, object]:
    return {"came_from": display_path(each.came_from), "came_at": each.came_at} if each.came_from else {}


def _before_it(site: Site, oldest: PathLanding) -> tuple[str, str] | None:
    """What the path was before the oldest landing of the page made it, and the address of that history."""
    if not oldest.came_from:
        return None
    return display_path(oldest.came_from), site.history(Ref(oldest.came_at), oldest.came_from)
