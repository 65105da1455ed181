"""Stars: one's own at `/-/account/stars`, and the form that gives and takes one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from micelio.accounts.actor import Actor, actor_from_request
from micelio.organizations.policy import asked_once
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page
from micelio.pages.views.home import project_list
from micelio.pages.weight import Scale
from micelio.projects.queries import get_project
from micelio.projects.stars import list_stars, star_project

PAGE = 50


@page
def stars(request: HttpRequest, actor: Actor) -> Page:
    """The projects that one has starred and may still see."""
    found = list_stars(actor, request.GET.get("after", ""), PAGE + 1)
    projects = project_list(actor, [item.project for item in found], PAGE, Scale(), show_owner=True)
    more = found[len(projects.rows) - 1].token if len(found) > len(projects.rows) else ""
    context = {"projects": projects, "more": more, "begun": bool(request.GET.get("after"))}
    return Page("pages/stars.html", context, {"projects": projects.data, "next_after": more or None})


@never_cache
@require_POST
def star(request: HttpRequest, owner: str, handle: str) -> HttpResponse:
    """Give a star, or take it back with `starred=no`; then the project again."""
    actor = actor_from_request(request)
    with asked_once():
        star_project(actor, owner, handle, starred=request.POST.get("starred") != "no")
        project = get_project(actor, owner, handle)
    return HttpResponseRedirect(Site(project.owner, project.handle).root)
