"""`/{owner}`: an organization and its projects."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.organizations.queries import get_organization, list_members
from micelio.pages.answers import Page, page
from micelio.pages.views.home import project_list
from micelio.pages.weight import ROOM, Scale
from micelio.projects.queries import list_projects

PAGE = 100
MOST_MEMBERS = 100
# Compressed bytes of the members on the first page.
_FOR_MEMBERS = 4096


@page
def organization(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """Its projects as far as the actor may see them, and its members for members."""
    found = get_organization(actor, owner)
    after, behind = request.GET.get("after", ""), request.GET.get("members", "")
    projects = project_list(
        actor,
        list_projects(actor, found.handle, f"{found.handle}/{after}" if after else "", PAGE + 1),
        PAGE,
        Scale(ROOM - _FOR_MEMBERS),
        show_owner=False,
    )
    people = list_members(actor, found.handle, behind, MOST_MEMBERS + 1) if found.role else []
    html = Scale(_FOR_MEMBERS).fill(
        people[:MOST_MEMBERS], lambda row, _: render_to_string("pages/_member.html", {"member": row})
    )
    members = people[: len(html)]
    more_members = members[-1].handle if len(people) > len(members) else ""
    more = projects.more.rpartition("/")[2]
    context = {
        "organization": found,
        "projects": projects,
        "members": html,
        "more": more,
        "more_members": more_members,
        "begun": bool(after),
    }
    twin = {
        "organization": found.handle,
        "name": found.name,
        "description": found.description,
        "role": found.role,
        "projects": projects.data,
        "members": [{"handle": row.handle, "name": row.name, "role": row.role} for row in members],
        "next_after": more or None,
        "next_members": more_members or None,
    }
    return Page("pages/organization.html", context, twin)
