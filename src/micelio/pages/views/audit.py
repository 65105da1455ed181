"""The audit log: one's own at `/-/account/audit`, of a project, of an organization, all of it for administrators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.accounts.queries import all_events, own_events
from micelio.audit.actions import record_export
from micelio.audit.chain import as_data
from micelio.audit.models import AuditEvent
from micelio.audit.queries import Wanted, lines, newest
from micelio.organizations.queries import organization_events
from micelio.pages.answers import Page, page
from micelio.pages.asked import asked_number
from micelio.pages.audit_words import ACTS, act_words, detail
from micelio.pages.opened import open_project
from micelio.pages.views.organization import open_organization
from micelio.pages.weight import Scale
from micelio.projects.queries import project_events

PAGE = 100
_ACT = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class EventItem:
    """One event in a list."""

    actor: str
    act: str
    object: str
    at: datetime
    about: list[str]


@page
def account_audit(request: HttpRequest, actor: Actor) -> Page | HttpResponseBase:
    """What one did, and what was done to one's account."""
    context = {"title": "What happened to your account"}
    return _show(request, own_events(actor), "pages/audit.html", context, export=_Export(actor, actor.handle))


@page
def forge_audit(request: HttpRequest, actor: Actor) -> Page | HttpResponseBase:
    """Everything, for administrators."""
    context = {"title": "Audit log of this forge"}
    return _show(request, all_events(actor), "pages/audit.html", context, export=_Export(actor))


@page
def organization_audit(request: HttpRequest, actor: Actor, owner: str) -> Page | HttpResponseBase:
    """What was done to an organization and its projects, for its admins."""
    events = organization_events(actor, owner)
    found = open_organization(actor, owner)
    context = {"title": "Audit log", "organization": found, "tab": "audit"}
    export = _Export(actor, found.handle, organization_id=found.id)
    return _show(request, events, "pages/organization_audit.html", context, {"organization": found.handle}, export)


@page
def project_audit(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page | HttpResponseBase:
    """What was done to a project and its sessions, for admins of its owner."""
    opened = open_project(actor, owner, handle)
    events = project_events(actor, opened.project)
    context = {**opened.context("audit"), "title": "Audit log"}
    project = opened.project
    name = f"{project.owner}/{project.handle}"
    export = _Export(actor, name, project.id, project.owner_id)
    return _show(request, events, "pages/project_audit.html", context, opened.data(), export)


@dataclass(frozen=True)
class _Export:
    """Who takes which log away, as that is recorded itself."""

    actor: Actor
    name: str = ""
    project_id: UUID | None = None
    organization_id: UUID | None = None

    def record(self, wanted: Wanted) -> None:
        part = {key: value for key, value in _asked_for(wanted).items() if value}
        record_export(self.actor, self.name, self.project_id, self.organization_id, part)


def _show(
    request: HttpRequest,
    events: QuerySet[AuditEvent],
    template: str,
    context: dict[str, Any],
    data: dict[str, Any] | None = None,
    export: _Export | None = None,
) -> Page | HttpResponseBase:
    before = asked_number(request, "before")
    wanted = _wanted(request)
    events = wanted.of(events)
    if request.GET.get("format") == "jsonl":
        if before is not None:
            raise InvalidInput("The export has everything; it takes no `before`.", hint="Leave `before` out.")
        assert export is not None
        export.record(wanted)
        answer = StreamingHttpResponse(lines(events), content_type="application/jsonl")
        answer["Content-Disposition"] = 'attachment; filename="audit.jsonl"'
        return answer
    found = newest(events, before, PAGE + 1)
    items = [_item(event) for event in found[:PAGE]]
    html = Scale().fill(items, lambda item, _: render_to_string("pages/_event.html", {"row": item}))
    rows = found[: len(html)]
    older = rows[-1].pk if len(found) > len(rows) else None
    asked = _asked_for(wanted)
    part = urlencode([(key, value) for key, value in asked.items() if value])
    context |= {"days": _by_day(items[: len(rows)], html), "before": before, "older": older}
    context |= {"asked": asked, "part": f"{part}&" if part else "", "acts": ACTS}
    twin = {**(data or {}), "events": [as_data(event) for event in rows], "next_before": older}
    return Page(template, context, twin)


def _wanted(request: HttpRequest) -> Wanted:
    """What the form asks for; raises InvalidInput."""
    actor, act = request.GET.get("actor", "").strip(), request.GET.get("act", "").strip()
    if len(actor) > 64 or "\x00" in actor:
        raise InvalidInput("`actor` is no handle.", hint="Use the handle of an account.")
    if act and not _ACT.fullmatch(act):
        raise InvalidInput(f"`act={act[:40]}` is no act.", hint="Use one of the list, such as project.update.")
    return Wanted(actor.lower(), act, _day(request, "since"), _day(request, "until"))


def _day(request: HttpRequest, name: str) -> date | None:
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(f"`{name}={text[:20]}` is no day.", hint="Write it as 2026-11-28.")


def _asked_for(wanted: Wanted) -> dict[str, str]:
    days = {name: day.isoformat() if day else "" for name, day in (("since", wanted.since), ("until", wanted.until))}
    return {"actor": wanted.actor, "act": wanted.act, **days}


def _item(event: AuditEvent) -> EventItem:
    about = [
        f"{key.replace('_', ' ')}: {detail(value)}" for key, value in event.details.items() if value not in ("", None)
    ]
    about += [text for text in (event.via, event.address, event.token) if text]
    return EventItem(event.actor_handle or "somebody", act_words(event.action), event.object_name, event.at, about)


def _by_day(items: list[EventItem], html: list[SafeString]) -> list[tuple[datetime, list[SafeString]]]:
    days = groupby(zip(items, html, strict=True), key=lambda pair: pair[0].at.date())
    groups = [list(group) for _, group in days]
    return [(group[0][0].at, [row for _, row in group]) for group in groups]
