"""`/-/contributors`: who has landed how much, how much of it with agents, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.pages.activity import activity
from micelio.pages.answers import Page, page
from micelio.pages.opened import open_project
from micelio.pages.weight import ROOM, Scale
from micelio.sessions.doings import weeks_of
from micelio.sessions.narrowed import Contributor, list_contributors

MOST = 100
# Compressed bytes of the year above them.
_FOR_YEAR = 3 * 1024


@page
def contributors(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Those who have landed most first."""
    opened = open_project(actor, owner, handle)
    found = list_contributors(actor, opened.project, MOST + 1)
    year = activity(weeks_of(actor, opened.project, datetime.now(UTC).date()))
    site = opened.site

    def render(row: Contributor, _: int) -> str:
        context = {
            "row": row,
            "address": f"{site.landings}?{urlencode({'author': row.handle or row.name})}",
            "first": site.landing(row.first),
            "last": site.landing(row.last),
        }
        return render_to_string("pages/_contributor.html", context)

    rows = Scale(ROOM - _FOR_YEAR).fill(found[:MOST], render)
    context = {**opened.context("landings"), "year": year, "rows": rows, "more": len(found) > len(rows)}
    data = {
        **opened.data(),
        "year": {"people": year.people, "agents": year.agents},
        "contributors": [
            {
                "name": row.name,
                "handle": row.handle or None,
                "landings": row.landings,
                "with_agents": row.with_agents,
                "first": row.first,
                "last": row.last,
            }
            for row in found[: len(rows)]
        ],
    }
    return Page("pages/contributors.html", context, data)
