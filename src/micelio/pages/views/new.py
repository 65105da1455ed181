"""`/-/new/organization` and `/-/new/project`: making the two things that everything else lies in."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.actor import Actor, require_signed_in
from micelio.organizations.actions import create_organization
from micelio.organizations.queries import list_organizations
from micelio.organizations.roles import Role, at_least
from micelio.pages.answers import Page
from micelio.pages.forms import form_page
from micelio.projects.actions import create_project

# Organizations in the list of the form; who has more names theirs in the address.
MOST = 100


def _organization(request: HttpRequest, actor: Actor) -> str:
    values = request.POST
    handle, name, description = (values.get(field, "") for field in ("handle", "name", "description"))
    return reverse("organization", args=[create_organization(actor, handle, name, description).handle])


@form_page(create=_organization)
def new_organization(request: HttpRequest, actor: Actor) -> Page:
    """The form; for everybody who is signed in."""
    require_signed_in(actor)
    return Page("pages/new_organization.html", {}, {"fields": ["handle", "name", "description"]})


def _project(request: HttpRequest, actor: Actor) -> str:
    values = request.POST
    made = create_project(
        actor,
        values.get("owner", ""),
        values.get("handle", ""),
        values.get("name", ""),
        values.get("description", ""),
        values.get("visibility", "private"),
    )
    return reverse("project", args=[made.owner, made.handle])


@form_page(create=_project)
def new_project(request: HttpRequest, actor: Actor) -> Page:
    """The form, with the organizations that the actor may make a project in; for everybody who is signed in."""
    own = administered(actor)
    asked = request.GET.get("owner", "")
    data = {"organizations": own, "fields": ["owner", "handle", "name", "description", "visibility"]}
    return Page("pages/new_project.html", {"organizations": own, "owner": asked if asked in own else ""}, data)


def administered(actor: Actor) -> list[str]:
    """The organizations, by handle, that the actor may make projects in. Raises Unauthenticated."""
    require_signed_in(actor)
    return [row.handle for row in list_organizations(actor, "", MOST) if at_least(row.role, Role.ADMIN)]
