"""Pictures of pages for other sites. Their addresses name what is on them, so whoever has one may keep it for ever."""

from __future__ import annotations

import re
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mic.core.errors import NotFound
from micelio.accounts.actor import ANONYMOUS, Actor
from micelio.accounts.profiles import find_person, profile_of
from micelio.organizations.queries import get_organization
from micelio.pages.addresses import Ref, Site
from micelio.pages.answers import page
from micelio.pages.cards import Card, landing_card, organization_card, person_card, png_of, project_card
from micelio.pages.opened import open_project
from micelio.projects.models import Visibility
from micelio.projects.stars import stars_of
from micelio.sessions.queries import counts, get_landing

_NAME = re.compile(r"(?:([0-9]{1,18})-)?([0-9a-f]{16})\.png\Z")
_FOR_GOOD = "public, max-age=31536000, immutable"


def card_address(site: Site, card: Card, position: int = 0) -> str:
    """Where the card of a project is, or of one of its landings."""
    return f"{site.root}/-/card/{f'{position}-' if position else ''}{card.digest}.png"


def person_card_address(handle: str, card: Card) -> str:
    """Where the card of a person is."""
    return f"/-/people/{quote(handle, safe='')}/card/{card.digest}.png"


def organization_card_address(handle: str, card: Card) -> str:
    """Where the card of an organization is."""
    return f"/{quote(handle, safe='')}/-/card/{card.digest}.png"


@page
def card(request: HttpRequest, actor: Actor, owner: str, handle: str, name: str) -> HttpResponse:
    """The card of a public project or landing; from the address of an earlier one to the present one.

    As nobody sees it, whoever asks: a private project has none, for its members either.
    """
    found = _NAME.match(name)
    opened = open_project(ANONYMOUS, owner, handle)
    if found is None or opened.project.visibility != Visibility.PUBLIC:
        raise NotFound("There is no such card.", hint="Its address stands in the head of the page.")
    project, position = opened.project, int(found[1] or 0)
    if position:
        view = get_landing(ANONYMOUS, project, opened.at(Ref(position))[0])
        made = landing_card(project, view, view.row.author_name or view.row.owner_handle)
    else:
        numbers = counts(ANONYMOUS, project)
        made = project_card(project, opened.position, numbers.decisions, stars_of(ANONYMOUS, project).total)
    return _answer(made, found[2], card_address(opened.site, made, position))


@page
def person_picture(request: HttpRequest, actor: Actor, handle: str, digest: str) -> HttpResponse:
    """The card of somebody who said something of themselves."""
    found = find_person(ANONYMOUS, handle)
    profile = profile_of(found.id) if found is not None and not found.closed else None
    if found is None or not profile:
        raise NotFound("There is no such card.", hint="Its address stands in the head of the page.")
    made = person_card(found, profile)
    return _answer(made, digest, person_card_address(found.handle, made))


@page
def organization_picture(request: HttpRequest, actor: Actor, owner: str, digest: str) -> HttpResponse:
    """The card of an organization."""
    found = get_organization(ANONYMOUS, owner)
    made = organization_card(found, profile_of(found.id))
    return _answer(made, digest, organization_card_address(found.handle, made))


def _answer(made: Card, asked_for: str, address: str) -> HttpResponse:
    if made.digest != asked_for:
        answer = HttpResponseRedirect(address)
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer
    return HttpResponse(png_of(made), content_type="image/png", headers={"Cache-Control": _FOR_GOOD})
