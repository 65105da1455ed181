"""The Atom feeds of a project, an organization, a person and a search."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.pages.answers import page
from micelio.pages.feeds import MOST, Entry, entry, feed, landing_entry
from micelio.pages.found import said_address
from micelio.pages.opened import open_project
from micelio.pages.views.organization import open_organization
from micelio.projects.queries import list_projects
from micelio.search.asked import parse_asked
from micelio.search.matching import Part
from micelio.search.queries import Said, find, landed_by
from micelio.sessions.narrowed import newest_of
from micelio.sessions.queries import list_landings

# Projects of one organization whose landings are looked at.
_PROJECTS = 100


@page
def project_feed(request: HttpRequest, actor: Actor, owner: str, handle: str) -> HttpResponse:
    """What landed in a project, newest first."""
    opened = open_project(actor, owner, handle)
    project = opened.project
    rows = list_landings(actor, project, None, MOST)
    branch = opened.site.branch
    entries = [landing_entry(project.owner, project.handle, row, with_project=False, branch=branch) for row in rows]
    title = f"Landings of {project.address}"
    return feed(request, title, opened.site.root, opened.site.feed, entries)


@page
def organization_feed(request: HttpRequest, actor: Actor, owner: str) -> HttpResponse:
    """What landed in the projects of an organization that the actor may see."""
    found = open_organization(actor, owner)
    projects = list_projects(actor, found.handle, limit=_PROJECTS)
    landed = newest_of(actor, projects, MOST)
    entries = [landing_entry(project.owner, project.handle, row, with_project=True) for project, row in landed]
    page_of = f"/{quote(found.handle)}"
    return feed(request, f"Landings of {found.handle}", page_of, f"{page_of}/-/landings.atom", entries)


@page
def person_feed(request: HttpRequest, actor: Actor, handle: str) -> HttpResponse:
    """What somebody landed where the actor may look. Nobody of that name and nothing to see are answered alike."""
    found = landed_by(actor, handle, MOST)
    address = f"/-/people/{quote(handle, safe='')}.atom"
    page_of = f"/-/search?{urlencode({'q': f'author:{handle}', 'type': 'sessions'})}"
    return feed(request, f"Landings of {handle}", page_of, address, [_said(row) for row in found])


@page
def search_feed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Sessions and decisions that a search finds."""
    query = request.GET.get("q", "")
    asked = parse_asked(query)
    if not asked.finds_text:
        raise InvalidInput("A feed needs something to search for.", hint="Give `?q=` three characters or more.")
    found = [row for kind in ("sessions", "decisions") for row in find(actor, kind, asked, "", MOST).rows]
    entries = sorted((_said(row) for row in found if isinstance(row, Said)), key=lambda each: each.at, reverse=True)
    asked_for = urlencode({"q": query})
    return feed(request, f"Search: {query}", f"/-/search?{asked_for}", f"/-/search.atom?{asked_for}", entries[:MOST])


def _said(row: Said) -> Entry:
    name = f"{row.owner}/{row.project}@{row.position}" + (f" D{row.number}" if row.number else "")
    text = row.text.partition("\n")[2]
    return entry(said_address(row), f"{name}: {_joined(row.title)}", text, row.author, row.at)


def _joined(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts)
