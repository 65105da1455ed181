"""`/-/contributors`: who has landed how much, and how much of it with agents."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.pages.answers import Page, page
from micelio.pages.opened import open_project
from micelio.pages.weight import Scale
from micelio.sessions.narrowed import Contributor, list_contributors

MOST = 100


@page
def contributors(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Those who have landed most first."""
    opened = open_project(actor, owner, handle)
    found = list_contributors(actor, opened.project, MOST + 1)
    site = opened.site

    def render(row: Contributor, _: int) -> str:
        context = {
            "row": row,
            "address": f"{site.landings}?{urlencode({'author': row.handle or row.name})}",
            "first": site.landing(row.first),
            "last": site.landing(row.last),
        }
        return render_to_string("pages/_contributor.html", context)

    rows = Scale().fill(found[:MOST], render)
    context = {**opened.context("landings"), "rows": rows, "more": len(found) > len(rows)}
    data = {
        **opened.data(),
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
