"""`/`: what this forge is and what lies here."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from micelio.accounts.actor import Actor
from micelio.organizations.queries import list_organizations
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page
from micelio.pages.landing_items import LandingItem, landing_data, landing_item
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import list_projects
from micelio.sessions.queries import LandingRow, latest_landings

# Enough for one look; an organization's own page has all of its projects.
MOST = 50


@dataclass(frozen=True)
class ProjectItem:
    """A project in a list, with what landed last."""

    owner: str
    handle: str
    description: str
    visibility: str
    address: str
    last: LandingItem | None


def project_items(actor: Actor, projects: list[ProjectView]) -> tuple[list[ProjectItem], list[dict[str, object]]]:
    """Projects for people, those that moved last first, and for machines, in the same order."""
    latest = latest_landings(actor, projects)

    def moved(project: ProjectView) -> float:
        row = latest.get(project.id)
        return -(row.landed_at if row else project.created_at).timestamp()

    projects = sorted(projects, key=moved)
    return [_item(project, latest.get(project.id)) for project in projects], [
        _data(project, latest.get(project.id)) for project in projects
    ]


def _item(project: ProjectView, last: LandingRow | None) -> ProjectItem:
    site = Site(project.owner, project.handle)
    return ProjectItem(
        project.owner,
        project.handle,
        project.description,
        project.visibility,
        site.root,
        landing_item(site, last) if last else None,
    )


def _data(project: ProjectView, last: LandingRow | None) -> dict[str, object]:
    return {
        "project": f"{project.owner}/{project.handle}",
        "name": project.name,
        "description": project.description,
        "visibility": project.visibility,
        "created_at": project.created_at,
        "last_landing": landing_data(last) if last else None,
    }


@page
def home(request: HttpRequest, actor: Actor) -> Page:
    """For a visitor what this is and the public projects; for a signed-in person theirs too."""
    organizations = list_organizations(actor)
    items, data = project_items(actor, list_projects(actor, limit=MOST))
    context = {
        "signed_in": actor.signed_in,
        "name": actor.name or actor.handle,
        "organizations": organizations,
        "projects": items,
        "show_owner": True,
    }
    own = [{"organization": row.handle, "name": row.name, "role": row.role} for row in organizations]
    return Page("pages/home.html", context, {"organizations": own, "projects": data})
