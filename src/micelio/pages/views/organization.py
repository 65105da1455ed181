"""`/{owner}`: an organization and its projects."""

from __future__ import annotations

from django.http import HttpRequest

from micelio.accounts.actor import Actor
from micelio.organizations.queries import get_organization, list_members
from micelio.pages.answers import Page, page
from micelio.pages.views.home import project_items
from micelio.projects.queries import list_projects

PAGE = 100
MOST_MEMBERS = 200


@page
def organization(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """Its projects as far as the actor may see them, and its members for members."""
    found = get_organization(actor, owner)
    after = request.GET.get("after", "")
    rows = list_projects(actor, found.handle, f"{found.handle}/{after}" if after else "", PAGE + 1)
    more = rows[PAGE - 1].handle if len(rows) > PAGE else ""
    items, data = project_items(actor, rows[:PAGE])
    members = list_members(actor, found.handle, limit=MOST_MEMBERS) if found.role else []
    context = {"organization": found, "projects": items, "members": members, "more": more, "show_owner": False}
    twin = {
        "organization": found.handle,
        "name": found.name,
        "description": found.description,
        "role": found.role,
        "projects": data,
        "members": [{"handle": row.handle, "name": row.name, "role": row.role} for row in members],
        "next_after": more or None,
    }
    return Page("pages/organization.html", context, twin)
