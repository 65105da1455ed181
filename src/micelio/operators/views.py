"""The administrators' pages: thin doors, each a query and the acts of its forms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts import suspension
from micelio.accounts.actor import Actor
from micelio.accounts.administering import get_account, list_accounts, set_administrator
from micelio.operators import blocks, legal, overview
from micelio.operators.panel import Act, identity, number
from micelio.operators.settings_view import settings_view
from micelio.organizations.administering import all_organizations
from micelio.pages.answers import Page
from micelio.pages.markdown import render_message
from micelio.projects import limits
from micelio.projects.administering import all_projects, measure, usage_of

MOST = 50
MOST_PROJECTS = 25


def start(request: HttpRequest, actor: Actor) -> Page:
    """Numbers of the whole forge, and the way to everything else."""
    found = overview.overview(actor)
    return Page("operators/start.html", {"found": found}, asdict(found))


def accounts(request: HttpRequest, actor: Actor) -> Page:
    """All accounts, or those that something is found in."""
    find = request.GET.get("find", "")
    rows = list_accounts(actor, find, request.GET.get("after", ""), MOST + 1)
    context, rows = _listed(rows, find, MOST, lambda row: row.handle)
    data = {"accounts": [_account(row) for row in rows], "next_after": context["more_after"]}
    return Page("operators/accounts.html", context, data)


def account(request: HttpRequest, actor: Actor, handle: str) -> Page:
    """One account, and what may be done to it."""
    found = get_account(actor, handle)
    blocked = next((row for row in blocks.list_blocks(actor) if row.account == found.handle), None)
    context = {"account": found, "blocked": blocked, "self": found.id == actor.user_id}
    return Page("operators/account.html", context, {**_account(found), "blocked": _block(blocked) if blocked else None})


def _promote(request: HttpRequest, actor: Actor, handle: str) -> None:
    set_administrator(actor, handle, True)


def _demote(request: HttpRequest, actor: Actor, handle: str) -> str | None:
    changed = set_administrator(actor, handle, False)
    # Whoever gives it up sees these pages no more.
    return "/" if changed.id == actor.user_id else None


def _block_account(request: HttpRequest, actor: Actor, handle: str) -> None:
    blocks.block(actor, handle, request.POST.get("reason", ""), number(request, "hours"))


def _lift(request: HttpRequest, actor: Actor, **named: str) -> None:
    blocks.lift(actor, identity(request, "block"))


def _suspend(request: HttpRequest, actor: Actor, handle: str) -> None:
    suspension.suspend(actor, handle, request.POST.get("reason", ""))


def _unsuspend(request: HttpRequest, actor: Actor, handle: str) -> None:
    suspension.unsuspend(actor, handle)


ACCOUNT_ACTS: dict[str, Act] = {
    "promote": _promote,
    "demote": _demote,
    "block": _block_account,
    "lift": _lift,
    "suspend": _suspend,
    "unsuspend": _unsuspend,
}


def organizations(request: HttpRequest, actor: Actor) -> Page:
    """All organizations."""
    find = request.GET.get("find", "")
    rows = all_organizations(actor, find, request.GET.get("after", ""), MOST + 1)
    context, rows = _listed(rows, find, MOST, lambda row: row.handle)
    listed = [
        {"organization": row.handle, "name": row.name, "members": row.members, "created_at": row.created_at}
        for row in rows
    ]
    return Page("operators/organizations.html", context, {"organizations": listed, "next_after": context["more_after"]})


def organization(request: HttpRequest, actor: Actor, handle: str) -> Page:
    """What one organization has of what it may, and saying otherwise."""
    found = usage_of(actor, handle)
    data = {"organization": handle, **found._asdict(), "limits": found.limits._asdict()}
    return Page("operators/organization.html", {"handle": handle, "found": found}, data)


def _limit(request: HttpRequest, actor: Actor, handle: str) -> None:
    def most(name: str, factor: int = 1) -> int | None:
        return number(request, name) * factor if request.POST.get(name, "").strip() else None

    limits.set_limits(
        actor,
        handle,
        public_projects=most("public_projects"),
        private_projects=most("private_projects"),
        stored_bytes=most("stored_mb", 1 << 20),
    )


def _measure(request: HttpRequest, actor: Actor, handle: str) -> None:
    measure(actor, handle)


ORGANIZATION_ACTS: dict[str, Act] = {"limit": _limit, "measure": _measure}


def projects(request: HttpRequest, actor: Actor) -> Page:
    """All projects, with what the store says of their size."""
    find = request.GET.get("find", "")
    rows = all_projects(actor, find, request.GET.get("after", ""), MOST_PROJECTS + 1)
    context, rows = _listed(rows, find, MOST_PROJECTS, lambda row: f"{row.owner}/{row.handle}")
    listed = [
        {
            "project": f"{row.owner}/{row.handle}",
            "visibility": row.visibility,
            "created_at": row.created_at,
            "landings": row.landings,
            "files": row.files,
            "bytes": row.size,
            "stored_bytes": row.stored_bytes,
            "stored_objects": row.stored_objects,
            "measured_at": row.measured_at,
        }
        for row in rows
    ]
    return Page("operators/projects.html", context, {"projects": listed, "next_after": context["more_after"]})


def abuse(request: HttpRequest, actor: Actor) -> Page:
    """Blocks in force, and a form for another."""
    rows = blocks.list_blocks(actor)
    return Page("operators/abuse.html", {"rows": rows, "typed": {}}, {"blocks": [_block(row) for row in rows]})


def _block_any(request: HttpRequest, actor: Actor) -> None:
    blocks.block(actor, request.POST.get("target", ""), request.POST.get("reason", ""), number(request, "hours"))


ABUSE_ACTS: dict[str, Act] = {"block": _block_any, "lift": _lift}


def jobs(request: HttpRequest, actor: Actor) -> Page:
    """What waits, runs and failed."""
    counts = overview.job_counts(actor)
    states = {state: overview.jobs(actor, state, 30) for state in ("failed", "running", "waiting")}
    data = {"counts": counts, **{state: [_job(row) for row in rows] for state, rows in states.items()}}
    return Page("operators/jobs.html", {"counts": counts, "states": states}, data)


def _retry(request: HttpRequest, actor: Actor) -> None:
    overview.retry_job(actor, identity(request, "job"))


JOB_ACTS: dict[str, Act] = {"retry": _retry}


def storage(request: HttpRequest, actor: Actor) -> Page:
    """The store: what the doctor said, room, and what the tiers before it answered."""
    found = overview.storage(actor)
    report = found.report
    findings = [] if report is None else [asdict(finding) for finding in report.findings]
    data = {
        "address": found.address,
        "kind": found.kind,
        "verdict": report.verdict if report else None,
        "words": report.words if report else None,
        "findings": findings,
        "disk_total": found.disk_total,
        "disk_free": found.disk_free,
        "tiers": [asdict(tier) for tier in found.tiers],
    }
    return Page("operators/storage.html", {"found": found, "report": report}, data)


def _examine(request: HttpRequest, actor: Actor) -> None:
    overview.examine_store(actor)


STORAGE_ACTS: dict[str, Act] = {"examine": _examine}


def settings(request: HttpRequest, actor: Actor) -> Page:
    """What the forge runs with."""
    rows = settings_view(actor)
    return Page("operators/settings.html", {"rows": rows}, {"settings": {row.name: row.value for row in rows}})


def edit_legal(request: HttpRequest, actor: Actor) -> Page:
    """The legal page's text, and what counted before."""
    now, versions = legal.legal(), legal.legal_versions(actor)
    data = {"text": now.text, "version": now.version, "fixed": now.fixed, "versions": [asdict(v) for v in versions]}
    return Page("operators/edit_legal.html", {"now": now, "versions": versions}, data)


def _set_legal(request: HttpRequest, actor: Actor) -> str:
    legal.set_legal(actor, request.POST.get("text", ""), number(request, "seen"))
    return reverse("legal")


LEGAL_ACTS: dict[str, Act] = {"change": _set_legal}


def show_legal(request: HttpRequest, actor: Actor) -> Page:
    """Terms, privacy, cookies, imprint: for everybody."""
    now = legal.legal()
    context = {"html": render_message(now.text, 2), "version": now.version}
    return Page("operators/legal.html", context, {"text": now.text, "version": now.version}, lambda: now.text)


def _listed(rows: list[Any], find: str, most: int, name: Any) -> tuple[dict[str, Any], list[Any]]:
    shown = rows[:most]
    more = name(shown[-1]) if len(rows) > most else None
    query = urlencode({**({"find": find} if find else {}), "after": more}, quote_via=quote) if more else ""
    return {"rows": shown, "find": find, "more": query, "more_after": more}, shown


def _account(row: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(row).items() if key != "id"}


def _block(row: blocks.BlockView) -> dict[str, Any]:
    return {**asdict(row), "id": str(row.id)}


def _job(row: Any) -> dict[str, Any]:
    return {**asdict(row), "id": str(row.id)}
