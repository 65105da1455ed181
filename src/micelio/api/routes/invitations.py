"""Invitations into organizations: making, listing, taking back, looking at and answering them."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.api.answers import begin, nothing, page, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.routes.organizations import Organization, RoleName, shape
from micelio.api.shapes import AskedPage, Page, Sent, Told
from micelio.config import current
from micelio.organizations import invitations
from micelio.organizations.invitations import LINK_PATH, InvitationView

router = Router(tags=["organizations"])


class Invitation(Told):
    """Somebody may join in a role, until it expires."""

    id: str
    organization: str
    organization_name: str
    handle: str | None = Field(description="The invited account's; null where a link was made for an e-mail address.")
    email: str | None = Field(description="Of that address, for admins of the organization.")
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime


class Invited(Invitation):
    """An invitation that was just made."""

    link: str | None = Field(description="To hand on, for an e-mail address; said this once.")


class InvitationWanted(Sent):
    """Whom to invite, and as what."""

    whom: str = Field(description="The handle of an account, or an e-mail address.", examples=["bea"])
    role: RoleName = "member"


class InvitationAnswer(Sent):
    """Which invitation is meant: one's own to an organization, or that of a link."""

    organization: str = Field("", description="Its handle, for an invitation of your account.")
    token: str = Field("", description="The last part of a link.")


@router.post("/orgs/{org}/invitations", response={201: Invited}, summary="Invite somebody")
def create_invitation(request: ApiRequest, org: str, body: InvitationWanted) -> HttpResponse:
    """For admins. Nobody is in who has not accepted; a later invitation replaces an earlier one."""
    if body.role == "owner":
        require_confirmed(request)
    made = invitations.invite(request.actor, org, body.whom, body.role)
    link = f"{current().base_url}{LINK_PATH}{made.token}" if made.token else None
    return said(Invited(**shape_invitation(made.invitation).model_dump(), link=link), status=201)


@router.get("/orgs/{org}/invitations", response=Page[Invitation], summary="List open invitations")
def list_invitations(request: ApiRequest, org: str, asked: Query[AskedPage]) -> HttpResponse:
    """Of an organization, for its admins."""
    rows = invitations.list_invitations(request.actor, org, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, rows, shape_invitation, lambda row: str(row.id))


@router.delete("/orgs/{org}/invitations/{id}", response={204: None}, summary="Take an invitation back")
def revoke_invitation(request: ApiRequest, org: str, id: str) -> HttpResponse:
    """For admins."""
    invitations.revoke_invitation(request.actor, org, id)
    return nothing()


@router.get("/me/invitations", response=list[Invitation], summary="List my invitations")
def list_own_invitations(request: ApiRequest) -> HttpResponse:
    """Where your account is invited to, the newest first."""
    rows = map(shape_invitation, invitations.own_invitations(request.actor))
    body = f"[{','.join(row.model_dump_json() for row in rows)}]"
    return HttpResponse(body, content_type="application/json")


@router.post("/me/invitations/accept", response=Organization, summary="Accept an invitation")
def accept_invitation(request: ApiRequest, body: InvitationAnswer) -> HttpResponse:
    """Join, by your account's invitation or by a link, which is good once. A stronger role is kept."""
    return said(shape(invitations.accept_invitation(request.actor, **body.model_dump())))


@router.post("/me/invitations/decline", response={204: None}, summary="Decline an invitation")
def decline_invitation(request: ApiRequest, body: InvitationAnswer) -> HttpResponse:
    """Say no."""
    invitations.decline_invitation(request.actor, **body.model_dump())
    return nothing()


@router.get("/invitations/{token}", response=Invitation, summary="Look at the invitation of a link")
def get_invitation(request: ApiRequest, token: str) -> HttpResponse:
    """What it invites to, for whoever has it. Looking changes nothing."""
    return said(shape_invitation(invitations.invitation_of_link(request.actor, token)))


def shape_invitation(view: InvitationView) -> Invitation:
    """An invitation as it goes out."""
    return Invitation(
        id=str(view.id),
        organization=view.organization,
        organization_name=view.organization_name,
        handle=view.handle or None,
        email=view.email or None,
        role=view.role,
        invited_by=view.invited_by,
        created_at=view.created_at,
        expires_at=view.expires_at,
    )
