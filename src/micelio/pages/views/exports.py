"""`/-/account/exports`: one's own data, and projects to take away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.exports.actions import cancel_export, start_export
from micelio.exports.queries import ExportView, list_exports, ready_export
from micelio.pages.answers import Page, page
from micelio.pages.forms import form_page
from micelio.pages.handover import export_answer
from micelio.pages.text import size_words
from micelio.pages.views.imports import refreshing
from micelio.projects.queries import get_named

_SHOWN = 20
_KINDS = {"archive": "everything", "json": "history as JSON Lines", "user": "your own data"}
_STATES = {
    "waiting": "waits for its turn", "running": "is being made", "done": "done", "failed": "failed",
    "canceled": "canceled", "expired": "its file is gone",
}  # fmt: skip


def _start(request: HttpRequest, actor: Actor) -> str:
    kind = request.POST.get("kind", "")
    named = request.POST.get("project", "").strip()
    start_export(actor, kind, get_named(actor, named) if kind != "user" else None)
    return reverse("exports")


def _cancel(request: HttpRequest, actor: Actor) -> str:
    cancel_export(actor, request.POST.get("export", ""))
    return reverse("exports")


@refreshing
@form_page(start=_start, cancel=_cancel)
def exports(request: HttpRequest, actor: Actor) -> Page:
    """What one has exported lately, and the forms."""
    found = list_exports(actor, "", _SHOWN)
    under_way = any(view.state in ("waiting", "running") for view in found)
    request.under_way = under_way  # type: ignore[attr-defined]  # for the header
    context = {
        "rows": [_row(view) for view in found],
        "project": request.GET.get("project", "")[:200],
        "under_way": under_way,
        "still": "still" in request.GET,
    }
    return Page("pages/exports.html", context, {"exports": [_data(view) for view in found]})


@page
def export_file(request: HttpRequest, actor: Actor, export: UUID) -> HttpResponseBase:
    """The file of one."""
    return export_answer(request, ready_export(actor, str(export)))


def _row(view: ExportView) -> dict[str, Any]:
    part = f"{100 * view.done // view.total} %" if view.total and view.state == "running" else ""
    return {
        "view": view, "kind": _KINDS[view.kind], "state": _STATES[view.state], "part": part,
        "size": size_words(view.size), "open": view.state in ("waiting", "running"), "done": view.state == "done",
    }  # fmt: skip


def _data(view: ExportView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in ExportView.__slots__} | {"id": str(view.id)}
