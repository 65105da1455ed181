"""`/-/import` and `/{owner}/{project}/-/import`: a project comes from another forge, and how far that is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.archives.coming import Coming, Wanted, cancel_coming, get_coming, import_into, import_project
from micelio.archives.queries import ArchiveView, RunView, export_archive, find_archive
from micelio.archives.source import NAMES, Provider
from micelio.imports.queries import ImportView
from micelio.organizations.roles import Role, at_least
from micelio.pages.answers import Page, page
from micelio.pages.forms import form_page
from micelio.pages.opened import open_project
from micelio.pages.views.new import administered
from micelio.projects.queries import get_project

# Seconds until a page that shows what is under way is loaded again.
REFRESH = 5
_STAGES = {
    "metadata": "looking at it", "objects": "fetching objects", "landings": "making landings",
    "validation": "checking what came", "finalisation": "finishing",
}  # fmt: skip
_STATES = {
    "receiving": "bytes are being sent", "waiting": "waits for its turn", "running": "at work",
    "resting": "waits for the other forge", "done": "done", "failed": "failed", "canceled": "canceled",
}  # fmt: skip
_KINDS = {
    "issue": "issue", "change": "pull request", "comment": "comment", "review": "review",
    "review_comment": "line remark", "label": "label", "milestone": "milestone",
}  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """How many of what, for a list. `total` is 0 where nobody knows it."""

    words: str
    many: str
    number: int
    total: int = 0


def refreshing(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Loads the page again while something is under way, unless the reader has stopped that."""

    @functools.wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        response = view(request, **named)
        if getattr(request, "under_way", False) and request.method == "GET" and "still" not in request.GET:
            response.headers["Refresh"] = str(REFRESH)
        return response

    return answer


def _begin(request: HttpRequest, actor: Actor) -> str:
    values = request.POST
    owner, handle = values.get("owner", ""), values.get("handle", "")
    visibility = values.get("visibility", "private")
    found = import_project(actor, owner, handle, _wanted(request), visibility=visibility)
    return reverse("project-import", args=[found.project.owner, found.project.handle])


@form_page(begin=_begin)
def import_form(request: HttpRequest, actor: Actor) -> Page:
    """The form; for everybody who is signed in."""
    own = administered(actor)
    asked = request.GET.get("owner", "")
    context = {"organizations": own, "owner": asked if asked in own else "", "kinds": _kinds()}
    data = {"organizations": own, "kinds": [kind.value for kind in Provider]}
    return Page("pages/import.html", context, data)


def _again(request: HttpRequest, actor: Actor, owner: str, handle: str) -> str:
    import_into(actor, get_project(actor, owner, handle), _wanted(request))
    return reverse("project-import", args=[owner, handle])


def _cancel(request: HttpRequest, actor: Actor, owner: str, handle: str) -> str:
    cancel_coming(actor, get_project(actor, owner, handle))
    return reverse("project-import", args=[owner, handle])


@refreshing
@form_page(again=_again, cancel=_cancel)
def project_import(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """What was fetched, for readers; for members also how far the newest runs are, and the forms."""
    opened = open_project(actor, owner, handle)
    archive = find_archive(actor, opened.project)
    lands = at_least(opened.project.role, Role.MEMBER)
    coming = get_coming(actor, opened.project) if lands else Coming(opened.project, None, None)
    request.under_way = coming.under_way  # type: ignore[attr-defined]  # for the header
    history, issues = coming.history, coming.issues
    context = {
        **opened.context("import"),
        "lands": lands,
        "archive": archive,
        "archived": _counts(archive.counts) if archive else [],
        "history": history,
        "history_state": _STATES[history.state] if history else "",
        "history_stage": _STAGES[history.stage] if history and history.state == "running" else "",
        "history_counts": _history_counts(history) if history else [],
        "marked": sum(history.marked.values()) if history else 0,
        "aside": sorted(history.aside.items())[:20] if history else [],
        "issues": issues,
        "issues_state": _STATES[issues.state] if issues else "",
        "issues_counts": _counts(issues.done) if issues else [],
        "rests_until": f"{issues.rests_until.astimezone(UTC):%H:%M} UTC" if issues and issues.rests_until else "",
        "under_way": coming.under_way,
        "still": "still" in request.GET,
        "kinds": _kinds(),
        "url": issues.source if issues else history.source if history else "",
        "provider": issues.provider if issues else "",
    }
    data = {
        **opened.data(),
        "archive": _archive_data(archive) if archive else None,
        "under_way": coming.under_way,
        "history": _history_data(history) if history else None,
        "issues": _issues_data(issues) if issues else None,
    }
    return Page("pages/project_import.html", context, data)


@page
def forge_archive(request: HttpRequest, actor: Actor, owner: str, handle: str) -> HttpResponseBase:
    """The archive as a file of JSON Lines."""
    project = get_project(actor, owner, handle)
    answer = StreamingHttpResponse(export_archive(actor, project), content_type="application/jsonl")
    answer["Content-Disposition"] = f'attachment; filename="{project.handle}-archive.jsonl"'
    return answer


def _wanted(request: HttpRequest) -> Wanted:
    values = request.POST
    return Wanted(
        values.get("url", ""), "history" in values, "issues" in values, values.get("provider", ""),
        values.get("token", ""), values.get("accept_secrets", ""),
    )  # fmt: skip


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, NAMES[kind]) for kind in Provider]


def _counts(counts: Any) -> list[Counted]:
    return [Counted(words, f"{words}s", counts[kind]) for kind, words in _named() if counts.get(kind)]


def _named() -> list[tuple[str, str]]:
    return list(_KINDS.items())


def _history_counts(run: ImportView) -> list[Counted]:
    found = [
        Counted("byte", "bytes", run.received, run.size), Counted("ref", "refs", run.refs),
        Counted("object", "objects", run.objects_done, run.objects_total),
        Counted("landing", "landings", run.landings_done, run.landings_total),
    ]  # fmt: skip
    return [item for item in found if item.number or item.total]


def _archive_data(found: ArchiveView) -> dict[str, Any]:
    return {
        "provider": found.provider, "source": found.source, "fetched_at": found.fetched_at,
        "counts": dict(found.counts), "warnings": list(found.warnings), "size": found.size,
    }  # fmt: skip


def _history_data(run: ImportView) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ImportView.__slots__ if name not in ("id", "marked", "aside")} | {
        "id": str(run.id), "marked": dict(run.marked), "aside": dict(run.aside)
    }  # fmt: skip


def _issues_data(run: RunView) -> dict[str, Any]:
    return {name: getattr(run, name) for name in RunView.__slots__ if name not in ("id", "done")} | {
        "id": str(run.id), "done": dict(run.done)
    }  # fmt: skip
