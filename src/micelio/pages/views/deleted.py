"""`/{owner}/-/deleted`: the projects that an organization's admins can restore."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from mic.core.errors import AlreadyExists, LimitReached
from micelio.accounts.actor import Actor, actor_from_request
from micelio.organizations.policy import asked_once
from micelio.organizations.queries import find as find_organization
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page
from micelio.projects.deletion import DeletedProject, list_deleted, restore_project
from micelio.sentences import one_line

PAGE = 100


@never_cache
def deleted_projects(request: HttpRequest, owner: str) -> HttpResponseBase:
    """The list; with a handle posted, that project is restored."""
    return _restore(request, owner) if request.method == "POST" else _list(request, owner=owner)


@page
def _list(request: HttpRequest, actor: Actor, owner: str) -> Page:
    context = _context(actor, owner, request.GET.get("after", ""))
    data = {
        "organization": context["organization"],
        "deleted": [
            {
                "project": f"{row.owner}/{row.handle}",
                "name": row.name,
                "visibility": row.visibility,
                "deleted_at": row.deleted_at,
                "deleted_by": row.deleted_by,
                "restorable_until": row.until,
            }
            for row in context["rows"]
        ],
        "next_after": context["more"] or None,
    }
    return Page("pages/deleted.html", context, data)


def _restore(request: HttpRequest, owner: str) -> HttpResponse:
    actor = actor_from_request(request)
    with asked_once():
        try:
            made = restore_project(actor, owner, request.POST.get("project", ""))
        except (AlreadyExists, LimitReached) as error:
            context = _context(actor, owner, "") | {"error": one_line(error)}
            return render(request, "pages/deleted.html", context, status=400)
    return HttpResponseRedirect(Site(made.owner, made.handle).root)


def _context(actor: Actor, owner: str, after: str) -> dict[str, Any]:
    found: list[DeletedProject] = list_deleted(actor, owner, after, PAGE + 1)
    rows = found[:PAGE]
    more = rows[-1].handle if len(found) > PAGE else ""
    return {"organization": find_organization(owner).handle, "rows": rows, "more": more}
