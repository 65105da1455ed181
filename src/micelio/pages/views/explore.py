"""`/-/explore`: projects to look at, popular ones and those that moved last, by topic and by language."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.discovery import queries
from micelio.discovery.queries import ORDERS, Found
from micelio.pages.addresses import Site, explore_address
from micelio.pages.answers import Page, kept, page
from micelio.pages.language_bar import told
from micelio.pages.weight import Scale
from micelio.search.languages import language_named, title_of

PAGE = 30
# Topics and languages beside the list.
_BESIDE = 24


def render_found(row: Found, _: int = 0) -> str:
    """A project in a list, with the reasons why it stands there."""
    context = {
        "row": row,
        "address": Site(row.project.owner, row.project.handle).root,
        "topics": [(topic, explore_address(topic=topic)) for topic in row.project.topics],
        "language": title_of(row.languages[0].language) if row.languages else "",
    }
    return render_to_string("pages/_explored.html", context)


def found_data(row: Found) -> dict[str, object]:
    """A project with what speaks for it, for machines."""
    return {
        "project": f"{row.project.owner}/{row.project.handle}",
        "name": row.project.name,
        "description": row.project.description,
        "visibility": row.project.visibility,
        "topics": list(row.project.topics),
        "languages": told(row.languages),
        "stars": row.stars,
        "last_week": {"stars": row.new_stars, "landings": row.landings, "people": row.people, "agents": row.agents},
        "moved_at": row.moved_at,
    }


@kept
@page
def explore(request: HttpRequest, actor: Actor) -> Page:
    """What the visitor may read, with why it stands where it does."""
    asked = {name: request.GET.get(name, "")[:100].strip() for name in ("order", "topic", "language")}
    order, topic = asked["order"] or ORDERS[0], asked["topic"].lower()
    language, after = language_named(asked["language"]), request.GET.get("after", "")
    found = queries.explore(actor, order, topic, language, after, PAGE + 1)
    rows = Scale().fill(found[:PAGE], render_found)
    more = found[len(rows) - 1].token if len(found) > len(rows) and rows else ""
    here = {"order": "" if order == ORDERS[0] else order, "topic": topic, "language": language}
    topics, languages = queries.gatherings()
    context = {
        "order": order,
        "topic": topic,
        "language": title_of(language) if language else "",
        "rows": rows,
        "begun": bool(after),
        "first": explore_address(**here),
        "more": explore_address(**here, after=more) if more else "",
        "popular": explore_address(**{**here, "order": ""}),
        "recent": explore_address(**{**here, "order": "recent"}),
        "all": explore_address(order=here["order"]),
        "topics": [
            (row.name, row.projects, explore_address(**{**here, "topic": row.name})) for row in topics[:_BESIDE]
        ],
        "languages": [
            (title_of(row.name), row.projects, explore_address(**{**here, "language": row.name}))
            for row in languages[:_BESIDE]
        ],
    }
    data = {
        "order": order,
        "topic": topic or None,
        "language": language or None,
        "projects": [found_data(row) for row in found[: len(rows)]],
        "topics": [{"topic": row.name, "projects": row.projects} for row in topics],
        "languages": [{"language": row.name, "projects": row.projects} for row in languages],
        "next_after": more or None,
    }
    return Page("pages/explore.html", context, data)
