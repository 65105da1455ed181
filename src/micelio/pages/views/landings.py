"""`/-/landings` and `/-/sessions`: what landed, newest first, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string

from mic.core.errors import InvalidInput
from mic.core.ids import parse_ulid, ulid_text
from micelio.accounts.actor import Actor
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.answers import Page, kept, page
from micelio.pages.asked import asked_number
from micelio.pages.landing_items import by_day, landing_data, landing_item
from micelio.pages.opened import open_project
from micelio.pages.states import state_words
from micelio.pages.text import headline
from micelio.pages.weight import Scale
from micelio.sessions.narrowed import Wanted, find_landings
from micelio.sessions.open_narrowed import STATES, WantedOpen, find_open_sessions
from micelio.sessions.policy import may_see_open
from micelio.sessions.queries import OpenRow, list_landings

PAGE = 50


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the list is narrowed down to, as it was typed."""

    author: str
    agent: str
    path: str
    since: str
    until: str
    goal: str

    def wanted(self) -> Wanted:
        until = _day(self.until, "until")
        return Wanted(
            self.author,
            self.agent,
            self.path.strip("/").encode(),
            _day(self.since, "since"),
            until + timedelta(days=1) if until is not None else None,
            self.goal,
        )

    def query(self, **more: object) -> str:
        """The filters as a part of an address."""
        asked = {**{name: getattr(self, name) for name in self.__slots__}, **more}
        return urlencode({name: value for name, value in asked.items() if value})


def _day(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise InvalidInput(f"`{name}={text[:20]}` is no day.", hint="Days are such as 2026-11-29.") from None


@kept
@page
def landings(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """One page of the line, newest first, narrowed down by what for, who, with what, where and when."""
    opened = open_project(actor, owner, handle)
    before = asked_number(request, "before")
    asked = _Asked(
        *(request.GET.get(name, "").strip()[:1000] for name in ("author", "agent", "path", "since", "until", "goal"))
    )
    wanted = asked.wanted()
    if wanted:
        found, further = find_landings(actor, opened.project, wanted, before, PAGE)
    else:
        found = list_landings(actor, opened.project, before, PAGE + 1)
        further = found[PAGE - 1].position if len(found) > PAGE else None
    items = [landing_item(opened.site, row) for row in found[:PAGE]]
    html = Scale().fill(items, lambda item, _: render_to_string("pages/_landing.html", {"row": item}))
    rows = found[: len(html)]
    older = rows[-1].position if len(items) > len(rows) else further
    days = by_day(zip(items, html, strict=False))
    head = opened.position
    context = {
        **opened.context("landings"),
        "days": days,
        "before": before,
        "older": older,
        "older_query": asked.query(before=older) if older else "",
        "newest_query": asked.query(),
        "asked": asked,
        "filtered": bool(wanted),
        "previous": opened.site.compare(Ref(head - 1), HEAD) if head > 1 else "",
    }
    data = {**opened.data(), "landings": [landing_data(row) for row in rows], "next_before": older}
    return Page("pages/landings.html", context, data)


@dataclass(frozen=True)
class SessionItem:
    """An open session in a list."""

    address: str
    headline: str
    state: str
    author: str
    agent: str
    at: datetime


def _item(site: Site, row: OpenRow) -> SessionItem:
    return SessionItem(
        address=site.session(ulid_text(row.session_id)),
        headline=headline(row.goal)[0],
        state=row.state,
        author=row.owner_handle,
        agent=row.agent,
        at=row.updated_at,
    )


@dataclass(frozen=True, slots=True)
class _AskedOpen:
    """What the list of open sessions is narrowed down to, as it was typed."""

    goal: str
    author: str
    agent: str
    path: str
    state: str

    def wanted(self) -> WantedOpen:
        return WantedOpen(self.goal, self.author, self.agent, self.path.strip("/").encode(), self.state)

    def query(self, **more: object) -> str:
        """The filters as a part of an address."""
        asked = {**{name: getattr(self, name) for name in self.__slots__}, **more}
        return urlencode({name: value for name, value in asked.items() if value})


@page
def sessions(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Sessions that have not landed, newest first, for members; others see none."""
    opened = open_project(actor, owner, handle)
    after = request.GET.get("after", "")
    asked = _AskedOpen(
        *(request.GET.get(name, "").strip()[:1000] for name in ("goal", "author", "agent", "path", "state"))
    )
    wanted = asked.wanted()
    found, further = find_open_sessions(actor, opened.project, wanted, parse_ulid(after) if after else b"", PAGE)
    items = [_item(opened.site, row) for row in found]
    html = Scale().fill(items, lambda item, _: render_to_string("pages/_open.html", {"row": item}))
    rows = found[: len(html)]
    last = rows[-1].session_id if len(found) > len(rows) else further
    more = ulid_text(last) if last else ""
    context = {
        **opened.context("sessions"),
        "rows": html,
        "more": more,
        "more_query": asked.query(after=more) if more else "",
        "asked": asked,
        "filtered": bool(wanted),
        "hidden": not may_see_open(actor, opened.project),
        "states": [(state, state_words(state)) for state in STATES],
    }
    data = {**opened.data(), "sessions": [_data(row) for row in rows], "next_after": more or None}
    return Page("pages/sessions.html", context, data)


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
