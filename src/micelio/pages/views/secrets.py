"""`/-/secrets`: what was found or reported in a project, for its admins; and the form that reports something."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from mic.core.errors import Busy, InvalidInput, MicError, NotFound
from mic.core.ids import parse_ulid, ulid_text
from mic.core.paths import display
from micelio.accounts.actor import Actor, actor_from_request
from micelio.findings import actions
from micelio.findings.models import NOTE, REASON, Source
from micelio.findings.queries import FindingRow, list_findings
from micelio.organizations.policy import asked_once
from micelio.pages.addresses import Ref, Site
from micelio.pages.answers import Page, page, path_data, respond
from micelio.pages.asked import asked_number
from micelio.pages.opened import Opened, open_project
from micelio.pages.text import cut, one_line
from micelio.pages.weight import Scale
from micelio.sentences import one_line as one_sentence
from micelio.sessions.leaks import Spot, find_spot, report_leak

PAGE = 50
_STATES = {"open": "Open", "allowed": "Allowed", "revoked": "Revoked", "all": "All"}
_SOURCES = {"import": "in an imported history", "rules": "by newer rules", "report": "reported by a reader"}


@dataclass(frozen=True)
class FindingItem:
    """A finding in the list."""

    row: FindingRow
    title: str
    where: str
    address: str
    about: list[str]


@page
def project_secrets(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """What waits for a decision, and what was decided."""
    return _listed(request, actor, open_project(actor, owner, handle))


def _listed(request: HttpRequest, actor: Actor, opened: Opened) -> Page:
    state = request.GET.get("state", "open")
    if state not in _STATES:
        raise InvalidInput(f"`state={state[:20]}` is no state.", hint="Use open, allowed, revoked or all.")
    before = asked_number(request, "before")
    wanted = "" if state == "all" else state
    found = list_findings(actor, opened.project, wanted, before, PAGE + 1)
    items = [_item(opened.site, row) for row in found[:PAGE]]
    context = {
        **opened.context("secrets"),
        "state": state,
        "states": [(key, word, key == state) for key, word in _STATES.items()],
        "before": before,
        "reason_length": REASON,
        "decide": f"{opened.site.secrets}/decide",
    }
    # Only whoever runs the forge erases, and sees the way there.
    name = quote(f"{opened.project.owner}/{opened.project.handle}", safe="")
    erase = f"{reverse('admin-erasure')}?project={name}&finding=" if actor.is_admin else ""
    rows = Scale().fill(items, lambda item, _: render_to_string("pages/_finding.html", {"item": item, "erase": erase}))
    older = found[len(rows) - 1].id if len(found) > len(rows) else None
    data = {**opened.data(), "findings": [_data(row) for row in found[: len(rows)]], "next_before": older}
    return Page("pages/secrets.html", context | {"rows": rows, "older": older}, data)


@never_cache
@require_POST
def decide_secrets(request: HttpRequest, owner: str, handle: str) -> HttpResponse:
    """Say what one finding is, or all that are open, and go back to the list; what is refused is told there."""
    actor = actor_from_request(request)
    with asked_once():
        opened = open_project(actor, owner, handle)
        state, reason = request.POST.get("state", ""), request.POST.get("reason", "")
        number = request.POST.get("finding", "")
        try:
            if number == "all":
                actions.decide_open(actor, opened.project, state, reason)
            else:
                actions.decide(actor, opened.project, _chosen(number), state, reason)
        except InvalidInput as error:
            found = _listed(request, actor, opened)
            told = {"refused": one_sentence(error), "typed": reason[:REASON]}
            return respond(request, Page(found.template, {**found.context, **told}, found.data), 400)
    return HttpResponseRedirect(opened.site.secrets)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_secret(request: HttpRequest, owner: str, handle: str) -> HttpResponse:
    """Tell the admins of a secret in a file or a session; whoever can read it can."""
    actor = actor_from_request(request)
    with asked_once():
        opened = open_project(actor, owner, handle)
        sent = request.method == "POST"
        values = request.POST if sent else request.GET
        line = values.get("line", "")
        spot = _spot(actor, opened, values.get("path", ""), values.get("at", ""), values.get("session", ""))
        error, status = "", 200
        if sent:
            try:
                report_leak(actor, opened.project, spot, _number(line) if line else 0, values.get("note", ""))
            except (InvalidInput, Busy) as refused:
                error, status = one_sentence(refused), 429 if isinstance(refused, Busy) else 400
        context = {
            **opened.context(""),
            "spot": spot,
            "back": _address(opened.site, spot),
            "path": quote(spot.path, safe=""),
            "session_name": ulid_text(spot.session_id) if spot.session_id else "",
            "line": line[:20],
            "note": values.get("note", "")[:NOTE],
            "note_length": NOTE,
            "error": error,
            "sent": sent and not error,
        }
    return render(request, "pages/report_secret.html", context, status=status)


def _spot(actor: Actor, opened: Opened, path: str, at: str, session: str) -> Spot:
    try:
        session_id = parse_ulid(session) if session else b""
    except MicError as error:
        raise NotFound(f"There is no session {session[:40]} here, or you may not see it.") from error
    return find_spot(actor, opened.project, unquote_to_bytes(path), _number(at) if at else None, session_id)


def _chosen(text: str) -> int:
    if not text:
        raise InvalidInput("None of them is chosen.", hint="Say which one this is about, or all of them.")
    return _number(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"{text[:20]!r} is no number here.", hint="Use whole numbers, such as 42.")
    return int(text)


def _address(site: Site, spot: Spot) -> str:
    return site.file(Ref(spot.position), spot.path) if spot.path else site.session(ulid_text(spot.session_id))


def _item(site: Site, row: FindingRow) -> FindingItem:
    if row.path:
        where = one_line(cut(display(row.path), 300))
        address = site.file(Ref(row.position), row.path) + (f"?view=source#L{row.line}" if row.line else "")
    elif row.session_id:
        where, address = f"session {ulid_text(row.session_id)}", site.session(ulid_text(row.session_id))
    else:
        where, address = "the message of a commit", site.landing(row.position)
    where += f", line {row.line}" if row.line and row.path else ""
    about = [_SOURCES.get(row.source, row.source)]
    about += [f"@{row.position}"] if row.position else []
    about += [text for text in (row.excerpt, row.fingerprint if row.source != "report" else "") if text]
    about += [f"by {row.reporter}"] if row.reporter else []
    title = "Reported as a secret" if row.source == Source.REPORT else row.rule
    return FindingItem(row, title, where, address if row.position else "", about)


def _data(row: FindingRow) -> dict[str, object]:
    return {
        "id": row.id,
        "source": row.source,
        "rule": row.rule,
        "fingerprint": row.fingerprint,
        **(path_data(row.path) if row.path else {}),
        "session": ulid_text(row.session_id) if row.session_id else None,
        "position": row.position,
        "line": row.line,
        "column": row.column,
        "excerpt": row.excerpt,
        "note": row.note,
        "reporter": row.reporter,
        "found_at": row.found_at,
        "state": row.state,
        "reason": row.reason,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
    }
