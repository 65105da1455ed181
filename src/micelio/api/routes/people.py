"""Who may come in, and who is shut out: for administrators of the forge."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.accounts import approvals, invitations, suspension
from micelio.accounts.invitations import NOTE_LENGTH
from micelio.accounts.suspension import REASON_LENGTH
from micelio.api.answers import nothing, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import WORDS, Sent, Told
from micelio.config import current

router = Router(tags=["people"])


class Waiting(Told):
    """An account that waits for approval."""

    handle: str
    name: str
    email: str
    since: datetime


class WaitingList(Told):
    """The hundred that wait longest."""

    items: list[Waiting]


class SignUpInvitation(Told):
    """An invitation to make an account."""

    id: str
    note: str
    made_by: str
    used_by: str | None
    created_at: datetime
    expires_at: datetime
    is_open: bool


class SignUpInvitations(Told):
    """The newest, open ones first."""

    items: list[SignUpInvitation]


class SignUpInvitationWanted(Sent):
    """For whom it is."""

    note: Annotated[str, Field(max_length=NOTE_LENGTH)] = ""


class NewSignUpInvitation(Told):
    """An invitation just made."""

    address: str = Field(description="Good once and for two weeks; said this once.")


class Suspended(Told):
    """An account that is shut out."""

    handle: str
    name: str
    since: datetime
    reason: str


class SuspendedList(Told):
    """The newest five hundred."""

    items: list[Suspended]


class SuspensionWanted(Sent):
    """Why; its owner is told."""

    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=WORDS)]


@router.get("/admin/sign-ups", response=WaitingList, summary="Who waits for approval?")
def list_sign_ups(request: ApiRequest) -> HttpResponse:
    """Longest first."""
    found = approvals.list_waiting(request.actor)
    return said(WaitingList(items=[Waiting.model_validate(view, from_attributes=True) for view in found]))


@router.put("/admin/sign-ups/{handle}/approval", response={204: None}, summary="Let an account in")
def approve_sign_up(request: ApiRequest, handle: str) -> HttpResponse:
    """It can sign in from now on."""
    require_confirmed(request)
    approvals.approve(request.actor, handle)
    return nothing()


@router.delete("/admin/sign-ups/{handle}", response={204: None}, summary="Decline an account")
def decline_sign_up(request: ApiRequest, handle: str) -> HttpResponse:
    """It is removed, and its handle is free again."""
    require_confirmed(request)
    approvals.decline(request.actor, handle)
    return nothing()


@router.get("/admin/invitations", response=SignUpInvitations, summary="List invitations to sign up")
def list_sign_up_invitations(request: ApiRequest) -> HttpResponse:
    """Open ones first."""
    return said(
        SignUpInvitations(
            items=[
                SignUpInvitation(
                    id=str(view.id),
                    note=view.note,
                    made_by=view.made_by,
                    used_by=view.used_by or None,
                    created_at=view.created_at,
                    expires_at=view.expires_at,
                    is_open=view.is_open,
                )
                for view in invitations.list_invitations(request.actor)
            ]
        )
    )


@router.post("/admin/invitations", response={201: NewSignUpInvitation}, summary="Invite somebody to sign up")
def create_sign_up_invitation(request: ApiRequest, body: SignUpInvitationWanted) -> HttpResponse:
    """Its address lets one person make an account."""
    require_confirmed(request)
    token = invitations.create_invitation(request.actor, body.note)
    answer = said(NewSignUpInvitation(address=f"{current().base_url}/-/invited/{token}"), status=201)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.delete("/admin/invitations/{uuid:invitation}", response={204: None}, summary="Withdraw an invitation")
def withdraw_sign_up_invitation(request: ApiRequest, invitation: UUID) -> HttpResponse:
    """It lets nobody in from now on."""
    invitations.withdraw_invitation(request.actor, invitation)
    return nothing()


@router.get("/admin/suspensions", response=SuspendedList, summary="Who is shut out?")
def list_suspensions(request: ApiRequest) -> HttpResponse:
    """Newest first."""
    found = suspension.list_suspended(request.actor)
    return said(SuspendedList(items=[Suspended.model_validate(view, from_attributes=True) for view in found]))


@router.put("/admin/suspensions/{handle}", response={204: None}, summary="Suspend an account")
def suspend_account(request: ApiRequest, handle: str, body: SuspensionWanted) -> HttpResponse:
    """Every door is shut to it, and its sign-ins and tokens end; they do not come back with it."""
    require_confirmed(request)
    suspension.suspend(request.actor, handle, body.reason)
    return nothing()


@router.delete("/admin/suspensions/{handle}", response={204: None}, summary="End a suspension")
def unsuspend_account(request: ApiRequest, handle: str) -> HttpResponse:
    """The doors are open again."""
    require_confirmed(request)
    suspension.unsuspend(request.actor, handle)
    return nothing()
