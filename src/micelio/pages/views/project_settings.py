"""`/-/settings`: what a project is called, where it is, who may see it and land in it; and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from mic.core.errors import InvalidInput, MicError, Unauthenticated
from micelio.accounts.actor import Actor, actor_from_request
from micelio.accounts.confirmation import require_confirmed
from micelio.organizations.policy import asked_once
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page
from micelio.pages.forms import pressed
from micelio.pages.opened import Opened, open_project
from micelio.projects import actions, deletion, moves
from micelio.projects.project_view import ProjectView
from micelio.projects.protection import LineRule, Protection, get_protection, protect_project
from micelio.projects.queries import former_addresses
from micelio.sentences import one_line

Values = Any  # of a form: django.http.QueryDict
# More characters of one field than anything here may have; what is longer is not shown again.
_MOST_SHOWN = 60_000


@never_cache
def project_settings(request: HttpRequest, owner: str, handle: str) -> HttpResponseBase:
    """The page; with a form posted, what it asks for. `act` names the form."""
    return _change(request, owner, handle) if request.method == "POST" else _show(request, owner=owner, handle=handle)


@page
def _show(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    opened = open_project(actor, owner, handle)
    context = _context(actor, opened)
    protection: Protection = context["protection"]
    data = {
        **opened.data(),
        "name": opened.project.name,
        "description": opened.project.description,
        "archived_at": opened.project.archived_at,
        "former": context["former"],
        "protected": {
            "lines": [{"lines": rule.lines, "who": rule.who} for rule in protection.lines],
            "paths": protection.paths,
        },
    }
    return Page("pages/project_settings.html", context, data)


def _change(request: HttpRequest, owner: str, handle: str) -> HttpResponse:
    actor, act = actor_from_request(request), request.POST.get("act", "")
    with asked_once():
        opened = open_project(actor, owner, handle)
        former_addresses(actor, opened.project)  # whoever may not manage it is told so, and nothing else
        try:
            form = pressed(_FORMS, request)
            if act in _CONFIRMED:
                require_confirmed(request)
            return HttpResponseRedirect(form(actor, opened.project, request.POST))
        except Unauthenticated:
            raise
        except MicError as error:
            shown = {key: request.POST.get(key, "")[:_MOST_SHOWN] for key in request.POST}
            context = _context(actor, opened) | {
                "error": one_line(error),
                "act": act if act in _FORMS else "",
                "values": shown,
            }
            return render(request, "pages/project_settings.html", context, status=400)


def _context(actor: Actor, opened: Opened) -> dict[str, Any]:
    protection = get_protection(actor, opened.project)
    return {
        **opened.context("settings"),
        "former": former_addresses(actor, opened.project),
        "protection": protection,
        "lines": "\n".join(" ".join([rule.lines, *rule.who]) for rule in protection.lines),
        "paths": "\n".join(protection.paths),
        "full_name": f"{opened.project.owner}/{opened.project.handle}",
    }


def _details(actor: Actor, project: ProjectView, values: Values) -> str:
    made = actions.update_project(
        actor,
        project.owner,
        project.handle,
        name=values.get("name", ""),
        description=values.get("description", ""),
        visibility=values.get("visibility", project.visibility),
        topics=values["topics"].replace(",", " ").split() if "topics" in values else None,
    )
    return _settings(made)


def _rename(actor: Actor, project: ProjectView, values: Values) -> str:
    return _settings(moves.rename_project(actor, project.owner, project.handle, values.get("handle", "")))


def _transfer(actor: Actor, project: ProjectView, values: Values) -> str:
    _require_typed(project, values)
    made = moves.transfer_project(actor, project.owner, project.handle, values.get("organization", ""))
    return Site(made.owner, made.handle).root


def _archive(actor: Actor, project: ProjectView, values: Values) -> str:
    archived = values.get("act") == "archive"
    return _settings(moves.archive_project(actor, project.owner, project.handle, archived=archived))


def _protect(actor: Actor, project: ProjectView, values: Values) -> str:
    lines = [
        LineRule(words[0], tuple(words[1:])) for line in values.get("lines", "").splitlines() if (words := line.split())
    ]
    paths = [line for line in values.get("paths", "").splitlines() if line.strip()]
    return _settings(protect_project(actor, project.owner, project.handle, lines=lines, paths=paths))


def _delete(actor: Actor, project: ProjectView, values: Values) -> str:
    _require_typed(project, values)
    gone = deletion.delete_project(actor, project.owner, project.handle)
    return reverse("deleted-projects", args=[gone.owner])


_FORMS: dict[str, Callable[[Actor, ProjectView, Values], str]] = {
    "details": _details,
    "rename": _rename,
    "transfer": _transfer,
    "archive": _archive,
    "unarchive": _archive,
    "protect": _protect,
    "delete": _delete,
}


# What a stolen browser must not be able to do.
_CONFIRMED = frozenset({"transfer", "delete"})


def _settings(project: ProjectView) -> str:
    return Site(project.owner, project.handle).settings


def _require_typed(project: ProjectView, values: Values) -> None:
    """What cannot be done by a slip of the hand: the name must be typed. Raises InvalidInput."""
    if values.get("confirm", "").strip().lower() != f"{project.owner}/{project.handle}":
        raise InvalidInput(
            f"{values.get('confirm', '').strip()[:100]!r} is not {project.owner}/{project.handle}; nothing was done.",
            hint="Type the name of the project.",
        )
