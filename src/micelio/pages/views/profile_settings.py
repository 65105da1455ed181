"""`/-/account/profile`: what everybody sees of an account. A section for each concern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse

from mic.core.errors import InvalidInput, TooLarge
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.links import LINK_LENGTH, MOST_LINKS
from micelio.accounts.pictures import MOST_BYTES
from micelio.accounts.policy import require_self
from micelio.accounts.profiles import BIO_LENGTH, ProfileView, profile_of, set_picture, update_profile
from micelio.organizations.profiles import show_memberships, shown_memberships
from micelio.pages.answers import Page
from micelio.pages.forms import form_page
from micelio.pages.pictures import person_address, picture_address
from micelio.pages.views.person import profile_data


def _update(request: HttpRequest, actor: Actor) -> str:
    given = request.POST
    update_profile(
        actor, bio=given.get("bio", ""), website=given.get("website", ""), links=given.get("links", "").splitlines()
    )
    return _saved()


def _picture(request: HttpRequest, actor: Actor) -> str:
    set_picture(actor, uploaded(request))
    return _saved()


def _drawn(request: HttpRequest, actor: Actor) -> str:
    set_picture(actor, b"")
    return _saved()


def _memberships(request: HttpRequest, actor: Actor) -> str:
    show_memberships(actor, request.POST.getlist("shown"))
    return _saved()


def _saved() -> str:
    return reverse("account-profile") + "?saved"


def uploaded(request: HttpRequest) -> bytes:
    """The file of a form's field `picture`. Raises InvalidInput, TooLarge."""
    file = request.FILES.get("picture")
    if not isinstance(file, UploadedFile):
        raise InvalidInput("No picture was chosen.", hint="Choose a file first.")
    if (file.size or 0) > MOST_BYTES:
        raise TooLarge("A picture has at most 1 MiB.", hint="Make it smaller first.")
    return bytes(file.read())


def profile_fields(profile: ProfileView, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of a profile hold: as it is, or as it was typed when that was refused."""
    return {
        "bio": typed.get("bio", profile.bio),
        "website": typed.get("website", profile.website.url if profile.website else ""),
        "links": typed.get("links", "\n".join(link.url for link in profile.links)),
        "bio_length": BIO_LENGTH,
        "link_length": LINK_LENGTH,
        "most_links": MOST_LINKS,
    }


@form_page(update=_update, picture=_picture, drawn=_drawn, memberships=_memberships)
def account_profile(request: HttpRequest, actor: Actor) -> Page:
    """For whoever is signed in, about themselves."""
    holder = require_signed_in(actor)
    require_self(actor, holder)
    profile = profile_of(holder)
    context = {
        "profile": profile,
        "fields": profile_fields(profile, request.POST if request.POST.get("act") == "update" else {}),
        "picture": picture_address(actor.handle, profile.picture),
        "page": person_address(actor.handle),
        "memberships": shown_memberships(actor),
        "saved": "saved" in request.GET,
    }
    data = {"handle": actor.handle, "name": actor.name, "bio": profile.bio, **profile_data(actor.handle, profile)}
    return Page("pages/account_profile.html", context, data)
