"""`/-/badge/{name}.svg` and `.json`: a project's numbers as pictures; `/-/badges`: how to show them, and the card."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse

from mic.core.errors import NotFound
from micelio.accounts.actor import ANONYMOUS, Actor
from micelio.config import current
from micelio.pages.answers import Page, json_response, page
from micelio.pages.badges import Badge
from micelio.pages.cards import project_card
from micelio.pages.opened import Opened, open_project
from micelio.pages.views.cards import card_address
from micelio.projects.forks import count_forks
from micelio.projects.models import Visibility
from micelio.projects.stars import stars_of
from micelio.sessions.queries import counts

NAMES = ("landings", "decisions", "stars", "forks")
# Sites that show a badge ask anew after this many seconds.
_KEPT = 300


@page
def badge(request: HttpRequest, actor: Actor, owner: str, handle: str, name: str) -> HttpResponse:
    """One number of a project."""
    kind, _, form = name.rpartition(".")
    opened = open_project(actor, owner, handle)
    if kind not in NAMES or form not in ("svg", "json"):
        raise NotFound(f"There is no badge {name[:40]}.", hint=f"Look at {opened.site.root}/-/badges.")
    made = _badge(opened, kind)
    public = opened.project.visibility == "public"
    kept = f"public, max-age={_KEPT}" if public else "private, no-cache"
    if form == "json":
        response = json_response(made.endpoint())
        response.headers["Cache-Control"] = kept
        return response
    body = made.svg().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": kept}
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="image/svg+xml; charset=utf-8", headers=headers)


def _badge(opened: Opened, kind: str) -> Badge:
    if kind == "landings":
        number = opened.position
    elif kind == "decisions":
        number = counts(opened.actor, opened.project).decisions
    elif kind == "stars":
        number = stars_of(opened.actor, opened.project).total
    else:
        number = count_forks(opened.actor, opened.project)
    return Badge(kind, f"{number:,}")


@page
def badges(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Each badge with what to paste into a README, and the card as other sites show it."""
    opened = open_project(actor, owner, handle)
    address = f"{current().base_url}{opened.site.root}"
    rows = [
        {
            "name": name,
            "picture": f"{opened.site.root}/-/badge/{name}.svg",
            "markdown": f"[![{name}]({address}/-/badge/{name}.svg)]({address})",
        }
        for name in NAMES
    ]
    card = _card(opened)
    context = {**opened.context("files"), "rows": rows, "picture": card, "project_name": opened.project.handle}
    data = {**opened.data(), "badges": rows, "card": f"{current().base_url}{card}" if card else None}
    return Page("pages/badges.html", context, data)


def _card(opened: Opened) -> str:
    """Where the card of a public project is, "" for another one."""
    if opened.project.visibility != Visibility.PUBLIC:
        return ""
    numbers, starred = counts(ANONYMOUS, opened.project), stars_of(ANONYMOUS, opened.project).total
    return card_address(opened.site, project_card(opened.project, opened.position, numbers.decisions, starred))
