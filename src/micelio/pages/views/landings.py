"""`/-/landings` and `/-/sessions`: what landed, newest first, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from mic.core.errors import InvalidInput
from mic.core.ids import ulid_text
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page
from micelio.pages.landing_items import by_day, landing_data, landing_item
from micelio.pages.opened import open_project
from micelio.pages.states import state_words
from micelio.pages.text import headline
from micelio.sessions.queries import OpenRow, list_landings, list_open_sessions

PAGE = 50


@page
def landings(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """One page of the line, newest first."""
    opened = open_project(actor, owner, handle)
    before = _before(request.GET.get("before", ""))
    rows = list_landings(actor, opened.project, before, PAGE + 1)
    older = rows[PAGE - 1].position if len(rows) > PAGE else None
    rows = rows[:PAGE]
    items = [landing_item(opened.site, row) for row in rows]
    context = {**opened.context("landings"), "days": by_day(items), "before": before, "older": older}
    data = {**opened.data(), "landings": [landing_data(row) for row in rows], "next_before": older}
    return Page("pages/landings.html", context, data)


def _before(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"`before={text[:20]}` is no position.", hint="Positions are whole numbers, such as 42.")
    return int(text)


@dataclass(frozen=True)
class SessionItem:
    """An open session in a list."""

    address: str
    headline: str
    state: str
    state_words: str
    author: str
    agent: str
    at: datetime


def _item(site: Site, row: OpenRow) -> SessionItem:
    return SessionItem(
        address=site.session(ulid_text(row.session_id)),
        headline=headline(row.goal)[0],
        state=row.state,
        state_words=state_words(row.state),
        author=row.owner_handle,
        agent=row.agent,
        at=row.updated_at,
    )


@page
def sessions(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Sessions that have not landed, for members; others see none."""
    opened = open_project(actor, owner, handle)
    rows = list_open_sessions(actor, opened.project, limit=200)
    context = {**opened.context("sessions"), "rows": [_item(opened.site, row) for row in rows]}
    return Page("pages/sessions.html", context, {**opened.data(), "sessions": [_data(row) for row in rows]})


def _data(row: OpenRow) -> dict[str, object]:
    return {
        "session": ulid_text(row.session_id),
        "goal": row.goal,
        "state": row.state,
        "owner": row.owner_handle,
        "agent": row.agent,
        "base_position": row.base_position,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
