"""`/`: what this forge is and what lies here."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from micelio.accounts.actor import Actor
from micelio.accounts.policy import may_sign_up
from micelio.discovery.queries import Found, explore
from micelio.organizations.invitations import count_own_invitations
from micelio.organizations.queries import list_organizations
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, kept, page
from micelio.pages.landing_items import LandingItem, landing_data, landing_item
from micelio.pages.views.explore import render_found
from micelio.pages.weight import Scale
from micelio.projects.project_view import ProjectView
from micelio.sessions.queries import LandingRow, latest_landings
from micelio.sessions.recent import recent_projects

# Enough for one look; an organization's own page has all of its projects.
MOST = 50
MOST_ORGANIZATIONS = 30
POPULAR = 5


@dataclass(frozen=True)
class ProjectItem:
    """A project in a list, with what landed last."""

    owner: str
    handle: str
    description: str
    visibility: str
    address: str
    last: LandingItem | None


@dataclass(frozen=True)
class Projects:
    """Projects of a page, those that moved last first: as HTML, and for machines. `more` continues behind the page."""

    rows: list[SafeString]
    data: list[dict[str, object]]
    more: str


def project_list(actor: Actor, found: list[ProjectView], most: int, scale: Scale, show_owner: bool) -> Projects:
    """The first `most` of the projects found, as many as fit."""
    latest = latest_landings(actor, found[:most])

    def render(project: ProjectView, characters: int) -> str:
        context = {"row": _item(project, latest.get(project.id)), "show_owner": show_owner}
        return render_to_string("pages/_project.html", context)

    def moved(at: int) -> float:
        row = latest.get(found[at].id)
        return -(row.landed_at if row else found[at].created_at).timestamp()

    rows = scale.fill(found[:most], render)
    order = sorted(range(len(rows)), key=moved)
    last = found[len(rows) - 1] if len(found) > len(rows) else None
    return Projects(
        [rows[n] for n in order],
        [_data(found[n], latest.get(found[n].id)) for n in order],
        f"{last.owner}/{last.handle}" if last else "",
    )


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


def _popular(actor: Actor) -> list[Found]:
    """Only what something speaks for."""
    return [row for row in explore(actor, limit=POPULAR) if row.stars or row.landings]


@kept
@page
def home(request: HttpRequest, actor: Actor) -> Page:
    """For a visitor what this is and the public projects; for a signed-in person theirs too."""
    after = request.GET.get("after", "")
    behind = request.GET.get("organizations", "")
    scale = Scale()
    found = list_organizations(actor, behind, MOST_ORGANIZATIONS + 1) if not after else []
    own = scale.fill(
        found[:MOST_ORGANIZATIONS],
        lambda row, _: render_to_string("pages/_organization.html", {"organization": row}),
        scale.left // 2,
    )
    popular = [] if after or behind else scale.fill(_popular(actor), render_found, scale.left // 3)
    moved = recent_projects(actor, after, MOST + 1)
    projects = project_list(actor, [row.project for row in moved], MOST, scale, show_owner=True)
    further = moved[len(projects.rows) - 1].token if projects.more else ""
    shown = found[: len(own)]
    more = shown[-1].handle if len(found) > len(shown) else ""
    context = {
        "signed_in": actor.signed_in,
        "may_sign_up": may_sign_up(),
        "invitations": count_own_invitations(actor) if not after else 0,
        "name": actor.name or actor.handle,
        "organizations": own,
        "more_organizations": more,
        "popular": popular,
        "projects": projects,
        "further": further,
        "begun": bool(after),
    }
    data = {
        "organizations": [{"organization": row.handle, "name": row.name, "role": row.role} for row in shown],
        "projects": projects.data,
        "next_organizations": more or None,
        "next_after": further or None,
    }
    return Page("pages/home.html", context, data)
