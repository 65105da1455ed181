"""`/{owner}/{project}` and its directories."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.config import current
from micelio.discovery.queries import languages_of
from micelio.findings.queries import count_open
from micelio.pages.addresses import HEAD, Site, explore_address, parse_ref, path_from_request
from micelio.pages.answers import Page, kept, page, path_data
from micelio.pages.cards import project_card
from micelio.pages.json_ld import software
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.language_bar import bar, told
from micelio.pages.listing import Listing, list_directory, parse_after
from micelio.pages.opened import Opened, open_project
from micelio.pages.text import display_path
from micelio.pages.views.cards import card_address
from micelio.pages.weight import ROOM, Scale
from micelio.pages.where import Where
from micelio.projects.forks import count_forks, origin_of
from micelio.projects.models import Visibility
from micelio.projects.project_view import ProjectView
from micelio.sessions.queries import LandingRow, list_landings
from micelio.sessions.tallies import tally

# Compressed bytes of what stands beside the files: last landing, description, numbers, latest sessions.
_FOR_ASIDE = 2500
_LATEST = 4


@kept
@page
def project(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Files, README and what the project is."""
    opened = open_project(actor, owner, handle)
    after = parse_after(request.GET.get("after", ""))
    listing = list_directory(opened, HEAD, opened.tree, b"", Scale(ROOM - _FOR_ASIDE), after, _LATEST)
    files, size = opened.ledger.totals(opened.tree)
    newest = _newest(opened, listing)
    numbers = tally(actor, opened.project)
    decisions, starred = numbers.decisions, numbers.stars
    origin, forks = origin_of(actor, opened.project), count_forks(actor, opened.project)
    languages = languages_of(actor, opened.project)
    card = project_card(opened.project, opened.position, decisions, starred.total)
    public = opened.project.visibility == Visibility.PUBLIC
    context = {
        **opened.context("files", numbers.open_sessions),
        "card": current().base_url + card_address(opened.site, card) if public else "",
        "last": landing_item(opened.site, newest[0]) if newest else None,
        "latest": [landing_item(opened.site, row) for row in listing.latest],
        "json_ld": software(opened.project, newest[0].landed_at if newest else None),
        "files": listing.rows,
        "more": listing.more,
        "begun": bool(after),
        "readme": listing.readme,
        "total_files": files,
        "total_bytes": size,
        "decisions": decisions,
        "origin": Site(origin.owner, origin.handle) if origin else None,
        "origin_name": f"{origin.owner}/{origin.handle}" if origin else "",
        "fork_address": _fork_address(opened),
        "forks": forks,
        "languages": bar(languages),
        "topics": [(topic, explore_address(topic=topic)) for topic in opened.project.topics],
        "stars": starred,
        "signed_in": actor.signed_in,
        "findings": count_open(actor, opened.project),
        "git_address": f"{current().base_url}{opened.site.whole}",
    }
    data = {
        **opened.data(),
        "name": opened.project.name,
        "description": opened.project.description,
        "created_at": opened.project.created_at,
        "last_landing": landing_data(newest[0]) if newest else None,
        "latest_sessions": [landing_data(row) for row in listing.latest],
        "counts": {"files": files, "bytes": size, "landings": opened.position, "decisions": decisions},
        "fork": _fork_data(opened.project, origin),
        "forks": forks,
        "stars": starred.total,
        "topics": list(opened.project.topics),
        "languages": told(languages),
        "archived_at": opened.project.archived_at,
        "files": listing.data(),
        "next_after": listing.more or None,
    }
    return Page("pages/project.html", context, data)


def _newest(opened: Opened, listing: Listing) -> list[LandingRow]:
    """The newest landing, if there is one: it mostly changed something that the listing names, or is the latest
    session, and is known then."""
    listed = [row for row in (*listing.latest, *listing.changes.values()) if row.position == opened.position]
    return listed[:1] or list_landings(opened.actor, opened.project, None, 1)


def _fork_address(opened: Opened) -> str:
    """The newest landing that a fork shares with its origin; of one that began empty, its landings."""
    return opened.site.landing(opened.project.fork_position) if opened.project.fork_position else opened.site.landings


def _fork_data(project: ProjectView, origin: ProjectView | None) -> dict[str, object] | None:
    """Where a fork comes from; None for what is none. `from` is null when that is gone or not the reader's to see."""
    if project.fork_position is None:
        return None
    return {"from": f"{origin.owner}/{origin.handle}" if origin else None, "position": project.fork_position}


@kept
@page
def tree(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str = "") -> Page | HttpResponse:
    """One directory at a point; a file found there is shown as a file."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, root = opened.at(at)
    directory = path_from_request(request).rstrip(b"/")
    after = parse_after(request.GET.get("after", ""))
    listing = list_directory(opened, at, root, directory, Scale(), after)
    if not listing.rows and directory:
        if opened.ledger.entry(root, directory) is not None:
            return HttpResponseRedirect(opened.site.file(at, directory))
        raise NotFound(
            f"There is no directory {display_path(directory)} at @{position}.",
            hint=f"Look at {opened.site.tree(at)}.",
        )
    where = Where(opened.site, at, directory)
    context = {
        **opened.context("files"),
        "where": where,
        "directory": display_path(directory),
        "parent": where.parent,
        "files": listing.rows,
        "more": listing.more,
        "begun": bool(after),
        "readme": listing.readme,
    }
    data = {
        **opened.data(),
        "position": position,
        "tree": root.hex(),
        **path_data(directory),
        "files": listing.data(),
        "next_after": listing.more or None,
    }
    return Page("pages/tree.html", context, data)
