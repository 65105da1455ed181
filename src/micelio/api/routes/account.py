"""Who one is, and where one is signed in with a browser."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.accounts import browsers
from micelio.accounts.actions import held_account, update_account
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.links import MOST_LINKS
from micelio.accounts.names import rename_account
from micelio.accounts.profiles import BIO_LENGTH, profile_of, set_picture, update_profile
from micelio.api.answers import nothing, require_match, said, shown, wants_match
from micelio.api.headers import conditional
from micelio.api.request import ApiRequest
from micelio.api.shapes import HANDLE, Base64, Sent, Told
from micelio.config import current
from micelio.pages.pictures import picture_address

router = Router(tags=["account"])


class Me(Told):
    """The account that a token stands for, and what the token may do."""

    changeable = ("name", "bio", "website", "links")
    id: str
    handle: str
    name: str
    bio: str
    website: str | None
    links: list[str]
    picture: str = Field(description="Where the picture is: the uploaded one, or the one drawn from the handle.")
    email: str
    is_admin: bool
    scopes: list[str] | None = Field(description="Of the token in use; null when it may do all that the account may.")


class MeChange(Sent):
    """What is to be different. Address, password and second factors are changed where one confirms who one is."""

    name: str = Field(default_factory=str)
    bio: str = Field("", description=f"At most {BIO_LENGTH} characters.")
    website: str = Field("", description="A web address; empty for none.")
    links: list[str] = Field(default_factory=list, description=f"Other sites, at most {MOST_LINKS}.")


class PictureWanted(Sent):
    """A picture to be shown."""

    content: Base64 = Field(description="A PNG, JPEG or WebP of at most 1 MiB, in base64. Its middle is kept.")


class OwnHandle(Sent):
    """What the account is called from now on."""

    handle: str = Field(examples=["ada"], json_schema_extra=HANDLE)


class Browser(Told):
    """One browser that is signed in."""

    id: int
    name: str
    agent: str = Field(description="What the browser says of itself.")
    address: str
    since: datetime
    current: bool = Field(description="It is the one that asks.")


class Browsers(Told):
    """All of them."""

    items: list[Browser]


class BrowserName(Sent):
    """A name that tells one browser from another; empty for none."""

    name: str


@router.get("/me", response=Me, summary="Who am I?")
def get_me(request: ApiRequest) -> HttpResponse:
    """The account behind the token."""
    return shown(request, _me(request.actor))


@router.patch("/me", response=Me, summary="Change my name or profile", openapi_extra=conditional())
def update_me(request: ApiRequest, body: MeChange) -> HttpResponse:
    """What others see of the account. For a token with a scope this is refused."""
    with transaction.atomic():
        user = held_account(request.actor)
        if wants_match(request):
            require_match(request, _me(replace(request.actor, name=user.get_full_name())))
        if "name" in body.model_fields_set:
            update_account(request.actor, user, name=body.name)
        said_of = {key: value for key, value in body.given().items() if key != "name"}
        if said_of:
            update_profile(request.actor, **said_of)
    return shown(request, _me(replace(request.actor, name=user.get_full_name())))


@router.put("/me/picture", response=Me, summary="Upload my picture")
def put_picture(request: ApiRequest, body: PictureWanted) -> HttpResponse:
    """It is made anew as a square WebP. For a token with a scope this is refused."""
    set_picture(request.actor, base64.b64decode(body.content))
    return shown(request, _me(request.actor))


@router.delete("/me/picture", response=Me, summary="Take my picture away")
def delete_picture(request: ApiRequest) -> HttpResponse:
    """The one drawn from the handle is shown again."""
    set_picture(request.actor, b"")
    return shown(request, _me(request.actor))


@router.post("/me/rename", response=Me, summary="Give my account another handle")
def rename_me(request: ApiRequest, body: OwnHandle) -> HttpResponse:
    """The old one leads to it, and is nobody else's. For a token with a scope this is refused."""
    handle = rename_account(request.actor, body.handle)
    return shown(request, _me(replace(request.actor, handle=handle)))


def _me(actor: Actor) -> Me:
    holder = require_signed_in(actor)
    profile = profile_of(holder)
    scopes = sorted(map(str, actor.grant.scopes)) if actor.grant is not None else None
    return Me(
        id=str(holder),
        handle=actor.handle,
        name=actor.name,
        bio=profile.bio,
        website=profile.website.url if profile.website else None,
        links=[link.url for link in profile.links],
        picture=current().base_url + picture_address(actor.handle, profile.picture),
        email=actor.email,
        is_admin=actor.is_admin,
        scopes=scopes,
    )


@router.get("/me/browsers", response=Browsers, summary="Where am I signed in?")
def list_browsers(request: ApiRequest) -> HttpResponse:
    """Browsers that are signed in to the account. For a token with a scope this is refused."""
    found = browsers.list_browsers(request.actor, request.session.session_key)
    return said(Browsers(items=[Browser.model_validate(view, from_attributes=True) for view in found]))


@router.patch("/me/browsers/{int:browser}", response={204: None}, summary="Name a browser")
def name_browser(request: ApiRequest, browser: int, body: BrowserName) -> HttpResponse:
    """Give a browser a name."""
    browsers.name_browser(request.actor, browser, body.name)
    return nothing()


@router.delete("/me/browsers/{int:browser}", response={204: None}, summary="Sign a browser out")
def end_browser(request: ApiRequest, browser: int) -> HttpResponse:
    """Sign a browser out, wherever it is."""
    browsers.end_browser(request.actor, browser)
    return nothing()
