"""Organizations and who belongs to them."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.accounts.actor import require_signed_in
from micelio.accounts.links import MOST_LINKS
from micelio.accounts.profiles import ProfileView, profile_of, profiles_of
from micelio.api.answers import begin, nothing, page, said, shown
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.routes.account import PictureWanted
from micelio.api.shapes import HANDLE, AskedPage, Page, Sent, Told
from micelio.config import current
from micelio.organizations import actions, queries
from micelio.organizations.profiles import set_organization_picture, update_organization_profile
from micelio.organizations.queries import OrganizationView
from micelio.pages.pictures import picture_address

router = Router(tags=["organizations"])


class Organization(Told):
    """An owner of projects."""

    id: str
    handle: str
    name: str
    description: str
    website: str | None
    links: list[str]
    picture: str = Field(description="Where the picture is: the uploaded one, or the one drawn from the handle.")
    role: str | None = Field(description="Yours in it; null when you do not belong to it.")
    created_at: datetime


class OrganizationWanted(Sent):
    """What a new organization is called."""

    handle: str = Field(
        description="1 to 39 letters a-z, digits, hyphens.", examples=["acme"], json_schema_extra=HANDLE
    )
    name: str = Field("", description="Empty: the handle.")
    description: str = ""


class OrganizationChange(Sent):
    """What is to be another; what is left out stays."""

    name: str = Field("", description="Empty: the handle.")
    description: str = ""
    website: str = Field("", description="A web address; empty for none.")
    links: list[str] = Field(default_factory=list, description=f"Other sites, at most {MOST_LINKS}.")


class HandleWanted(Sent):
    """A handle."""

    handle: str


RoleName = Literal["owner", "admin", "member", "reader"]


class Member(Told):
    """One account in an organization."""

    handle: str
    name: str
    role: str


class MemberRole(Sent):
    """What a member may do."""

    role: RoleName


@router.get("/orgs", response=Page[Organization], summary="List my organizations")
def list_organizations(request: ApiRequest, asked: Query[AskedPage]) -> HttpResponse:
    """Those that you belong to, by handle."""
    require_signed_in(request.actor)
    found = queries.list_organizations(request.actor, begin(request, asked) or "", asked.limit + 1)
    profiles = profiles_of([row.id for row in found])
    return page(
        request, asked, found, lambda row: shape(row, profiles.get(row.id, ProfileView())), lambda row: row.handle
    )


@router.post("/orgs", response={201: Organization}, summary="Make an organization")
def create_organization(request: ApiRequest, body: OrganizationWanted) -> HttpResponse:
    """You are its owner."""
    made = actions.create_organization(request.actor, body.handle, body.name, body.description)
    return shown(request, shape(made), status=201, location=f"/api/v1/orgs/{made.handle}")


@router.get("/orgs/{org}", response=Organization, summary="Look at an organization")
def get_organization(request: ApiRequest, org: str) -> HttpResponse:
    """Its name is public."""
    return shown(request, shape(queries.get_organization(request.actor, org)))


@router.patch("/orgs/{org}", response=Organization, summary="Change an organization")
def update_organization(request: ApiRequest, org: str, body: OrganizationChange) -> HttpResponse:
    """Its name and description, its website and where else it is, for admins."""
    given = body.given()
    elsewhere = {key: given.pop(key) for key in ("website", "links") if key in given}
    with transaction.atomic():
        view = actions.update_organization(request.actor, org, **given)
        if elsewhere:
            update_organization_profile(request.actor, view.handle, **elsewhere)
    return shown(request, shape(view))


@router.put("/orgs/{org}/picture", response=Organization, summary="Upload the picture of an organization")
def put_organization_picture(request: ApiRequest, org: str, body: PictureWanted) -> HttpResponse:
    """For admins. It is made anew as a square WebP."""
    set_organization_picture(request.actor, org, base64.b64decode(body.content))
    return shown(request, shape(queries.get_organization(request.actor, org)))


@router.delete("/orgs/{org}/picture", response=Organization, summary="Take the picture of an organization away")
def delete_organization_picture(request: ApiRequest, org: str) -> HttpResponse:
    """For admins. The one drawn from the handle is shown again."""
    set_organization_picture(request.actor, org, b"")
    return shown(request, shape(queries.get_organization(request.actor, org)))


@router.post("/orgs/{org}/rename", response=Organization, summary="Give an organization another handle")
def rename_organization(request: ApiRequest, org: str, body: HandleWanted) -> HttpResponse:
    """For owners. The old handle stays taken, and leads to it."""
    return shown(request, shape(actions.rename_organization(request.actor, org, body.handle)))


@router.post("/orgs/{org}/transfer", response=Organization, summary="Hand an organization over")
def transfer_organization(request: ApiRequest, org: str, body: HandleWanted) -> HttpResponse:
    """For owners: the member of this handle becomes an owner, and you an admin."""
    require_confirmed(request)
    return shown(request, shape(actions.transfer_organization(request.actor, org, body.handle)))


@router.delete("/orgs/{org}", response={204: None}, summary="Delete an organization")
def delete_organization(request: ApiRequest, org: str, confirm: str) -> HttpResponse:
    """For owners, and only without projects. `confirm` is its handle, as it is now, which stays taken."""
    require_confirmed(request)
    actions.delete_organization(request.actor, org, confirm)
    return nothing()


@router.get("/orgs/{org}/members", response=Page[Member], summary="List members")
def list_members(request: ApiRequest, org: str, asked: Query[AskedPage]) -> HttpResponse:
    """Everybody in it by handle, for members."""
    found = queries.list_members(request.actor, org, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, found, shape_member, lambda row: row.handle)


@router.put("/orgs/{org}/members/{handle}", response=Member, summary="Give a member another role")
def put_member(request: ApiRequest, org: str, handle: str, body: MemberRole) -> HttpResponse:
    """For admins; owners are made by owners. The last owner cannot be made less than that."""
    require_confirmed(request)
    return said(shape_member(actions.set_role(request.actor, org, handle, body.role)))


@router.delete("/orgs/{org}/members/{handle}", response={204: None}, summary="Remove a member, or leave")
def remove_member(request: ApiRequest, org: str, handle: str) -> HttpResponse:
    """For admins, and for members about themselves."""
    if handle != request.actor.handle:
        require_confirmed(request)
    actions.remove_member(request.actor, org, handle)
    return nothing()


def shape(view: OrganizationView, profile: ProfileView | None = None) -> Organization:
    """An organization as it goes out, with its profile, which is looked up when it is not given."""
    profile = profile if profile is not None else profile_of(view.id)
    return Organization(
        id=str(view.id),
        handle=view.handle,
        name=view.name,
        description=view.description,
        website=profile.website.url if profile.website else None,
        links=[link.url for link in profile.links],
        picture=current().base_url + picture_address(view.handle, profile.picture),
        role=view.role,
        created_at=view.created_at,
    )


def shape_member(member: queries.Member) -> Member:
    """A member as it goes out."""
    return Member(handle=member.handle, name=member.name, role=member.role)
