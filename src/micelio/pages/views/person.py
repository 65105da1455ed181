"""`/@{handle}`: somebody, what they say of themselves, and what they landed where the reader may look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from mic.core.errors import MicError, NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.handles import parse_handle, sought
from micelio.accounts.profiles import Person, ProfileView, find_person, picture_of, profiles_of
from micelio.config import current
from micelio.organizations.profiles import organizations_of
from micelio.pages.activity import activity
from micelio.pages.addresses import Site
from micelio.pages.answers import Page, page, problem
from micelio.pages.cards import person_card
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.mycelium import whole_svg
from micelio.pages.pictures import person_address, picture_address
from micelio.pages.views.cards import person_card_address
from micelio.pages.weight import ROOM, Scale
from micelio.sessions.doings import Doings, Done

LATEST = 20
_PROJECTS = 8
# No account has this id.
_NOBODY = UUID(int=0)
# Compressed bytes of a profile beside its list.
_FRAME = 5 * 1024


def profile_data(handle: str, profile: ProfileView) -> dict[str, Any]:
    """What somebody says of themselves, for machines."""
    return {
        "website": profile.website.url if profile.website else None,
        "links": [link.url for link in profile.links],
        "picture": current().base_url + picture_address(handle, profile.picture),
    }


@dataclass(frozen=True)
class Latest:
    """The newest of what somebody landed: as HTML, for machines, and where it goes on."""

    rows: list[SafeString]
    data: list[dict[str, Any]]
    more: str


def latest(doings: Doings, before: str, with_person: bool, room: int = ROOM - _FRAME) -> Latest:
    """A page of twenty, as many as fit into so many compressed bytes."""
    found, more = doings.latest(before, LATEST)

    def render(done: Done, _: int) -> str:
        site = Site(done.project.owner, done.project.handle)
        context = {"row": landing_item(site, done.row), "project": done.project, "site": site, "person": with_person}
        return render_to_string("pages/_done.html", context)

    rows = Scale(room).fill(found, render)
    data = [{"project": f"{one.project.owner}/{one.project.handle}", **landing_data(one.row)} for one in found]
    more = more if len(rows) == len(found) else found[len(rows) - 1].token
    return Latest(rows, data[: len(rows)], more)


@page
def person(request: HttpRequest, actor: Actor, handle: str) -> Page | HttpResponse:
    """Nobody of that name, and somebody of whom there is nothing to see, are answered alike."""
    found = find_person(actor, handle)
    # Asked of nobody too: whoever takes the time learns nothing.
    who = found or Person(_NOBODY, "", "", True)
    belongs = organizations_of(actor, who.id)
    profiles = profiles_of([who.id, *(row.id for row in belongs)])
    none = ProfileView()
    profile, organizations = (none, []) if who.closed else (profiles.get(who.id, none), belongs)
    doings = Doings(actor, person=who.id)
    before = request.GET.get("before", "")
    shown = latest(doings, before, with_person=False)
    own = actor.user_id == who.id
    if not (own or profile or organizations or shown.rows or (before and doings.latest("", 1)[0])):
        raise NotFound(
            f"There is nobody called {handle[:60]} here of whom you may see something.", hint="Check the spelling."
        )
    if who.handle != sought(handle):
        return HttpResponsePermanentRedirect(person_address(who.handle))
    year = activity(doings.weeks(datetime.now(UTC).date())) if not before else None
    projects = doings.projects(_PROJECTS) if not before else []
    context = {
        "person": who,
        "profile": profile,
        "picture": picture_address(who.handle, profile.picture),
        "own": own,
        "card": current().base_url + person_card_address(who.handle, person_card(who, profile)) if profile else "",
        "organizations": [(row, profiles.get(row.id, none).picture) for row in organizations],
        "year": year,
        "projects": [(project, Site(project.owner, project.handle).root, count) for project, count in projects],
        "latest": shown,
        "begun": bool(before),
        "feed": f"/-/people/{quote(who.handle, safe='')}.atom",
    }
    data = {
        "handle": who.handle,
        "name": who.name,
        "bio": profile.bio,
        **profile_data(who.handle, profile),
        "organizations": [
            {"organization": row.handle, "name": row.name, "members": row.members} for row in organizations
        ],
        "year": {"people": year.people, "agents": year.agents} if year else None,
        "projects": [
            {"project": f"{project.owner}/{project.handle}", "landings": count} for project, count in projects
        ],
        "latest": shown.data,
        "next_before": shown.more or None,
    }
    return Page("pages/person.html", context, data)


@require_safe
def drawn_picture(request: HttpRequest, handle: str) -> HttpResponse:
    """The drawn picture of a handle, whether anybody has it or not."""
    try:
        name = parse_handle(handle, reserved_too=True)
    except MicError as error:
        return problem(request, error)
    return HttpResponse(whole_svg(name), content_type="image/svg+xml; charset=utf-8", headers=_FOR_A_DAY)


@require_safe
def picture(request: HttpRequest, digest: str) -> HttpResponse:
    """An uploaded picture, whose address changes with it."""
    try:
        data = picture_of(digest)
    except MicError as error:
        return problem(request, error)
    return HttpResponse(data, content_type="image/webp", headers=_FOR_GOOD)


_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
