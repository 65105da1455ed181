"""`/{owner}`: an organization and its projects."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest
from django.template.loader import render_to_string

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.profiles import profile_of
from micelio.config import current
from micelio.organizations.queries import OrganizationView, get_organization, kept_out, members_of
from micelio.pages.activity import activity
from micelio.pages.answers import Page, page
from micelio.pages.cards import organization_card
from micelio.pages.views.cards import organization_card_address
from micelio.pages.views.home import project_list
from micelio.pages.views.person import latest, profile_data
from micelio.pages.weight import ROOM, Scale
from micelio.projects.moved import Move, note_move
from micelio.projects.queries import list_projects
from micelio.sessions.doings import Doings

PAGE = 100
MOST_MEMBERS = 100
# Compressed bytes of the members on the first page.
_FOR_MEMBERS = 4096
# The same of its year and its latest landings.
_FOR_LATEST = 6 * 1024


def open_organization(actor: Actor, owner: str) -> OrganizationView:
    """The organization of a page. Whoever asks by an earlier handle is led to the present one."""
    try:
        found = get_organization(actor, owner)
    except NotFound as error:
        raise NotFound(
            f"No organization is called {owner[:60]!r} here.",
            hint=f"A person may be: /@{owner[:60]}. Or search for it.",
        ) from error
    note_renamed(owner, found.handle)
    return found


def note_renamed(asked_for: str, handle: str) -> None:
    """Remember for the answer that an organization was asked for by an earlier handle."""
    if sought(asked_for) != handle:
        note_move(Move(sought(asked_for), "", handle, ""))


@page
def organization(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """Its projects as far as the actor may see them, and its members for members."""
    found = open_organization(actor, owner)
    after, behind = request.GET.get("after", ""), request.GET.get("members", "")
    listed = list_projects(actor, found.handle, f"{found.handle}/{after}" if after else "", PAGE + 1)
    projects = project_list(
        actor,
        listed,
        PAGE,
        Scale(ROOM - _FOR_MEMBERS - _FOR_LATEST),
        show_owner=False,
    )
    profile = profile_of(found.id)
    doings = Doings(actor, organization=found.id, known=listed) if not after and not behind else None
    people = members_of(actor, found, behind, MOST_MEMBERS + 1) if found.role else []
    html = Scale(_FOR_MEMBERS).fill(
        people[:MOST_MEMBERS], lambda row, _: render_to_string("pages/_member.html", {"member": row})
    )
    members = people[: len(html)]
    more_members = members[-1].handle if len(people) > len(members) else ""
    more = projects.more.rpartition("/")[2]
    shut_out, outside = kept_out(actor, found.id)
    context = {
        "organization": found,
        "tab": "projects",
        "projects": projects,
        "members": html,
        "profile": profile,
        "card": current().base_url + organization_card_address(found.handle, organization_card(found, profile)),
        "year": activity(doings.weeks(datetime.now(UTC).date())) if doings else None,
        "latest": latest(doings, "", with_person=True, room=_FOR_LATEST // 2) if doings else None,
        "more": more,
        "more_members": more_members,
        "begun": bool(after),
        "shut_out": shut_out,
        "outside": outside,
    }
    twin = {
        "organization": found.handle,
        "name": found.name,
        "description": found.description,
        **profile_data(found.handle, profile),
        "role": found.role,
        "projects": projects.data,
        "members": [{"handle": row.handle, "name": row.name, "role": row.role} for row in members],
        "next_after": more or None,
        "next_members": more_members or None,
    }
    return Page("pages/organization.html", context, twin)
