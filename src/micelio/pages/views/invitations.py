"""`/-/invitations`: where one is invited to; and the page that the link of an invitation leads to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.organizations import invitations
from micelio.organizations.invitations import InvitationView
from micelio.pages.answers import Page
from micelio.pages.forms import form_page


def _accept_own(request: HttpRequest, actor: Actor) -> str:
    joined = invitations.accept_invitation(actor, organization=request.POST.get("organization", ""))
    return reverse("organization", args=[joined.handle])


def _decline_own(request: HttpRequest, actor: Actor) -> str:
    invitations.decline_invitation(actor, organization=request.POST.get("organization", ""))
    return reverse("own-invitations")


@form_page(accept=_accept_own, decline=_decline_own)
def own_invitations(request: HttpRequest, actor: Actor) -> Page:
    """What one's account is invited to, and the answers to it."""
    found = invitations.own_invitations(actor)
    return Page("pages/own_invitations.html", {"invitations": found}, {"invitations": list(map(_data, found))})


def _accept(request: HttpRequest, actor: Actor, token: str) -> str:
    joined = invitations.accept_invitation(actor, token=token)
    return reverse("organization", args=[joined.handle])


def _decline(request: HttpRequest, actor: Actor, token: str) -> str:
    invitations.decline_invitation(actor, token=token)
    return reverse("home")


@form_page(accept=_accept, decline=_decline)
def invitation(request: HttpRequest, actor: Actor, token: str) -> Page:
    """What a link invites to. Looking at it changes nothing, so a scanner of mail cannot spend it; a button does."""
    found = invitations.invitation_of_link(actor, token)
    context = {"invitation": found, "signed_in": actor.signed_in, "handle": actor.handle, "here": request.path}
    return Page("pages/invitation.html", context, _data(found))


def _data(row: InvitationView) -> dict[str, Any]:
    return {
        "organization": row.organization,
        "name": row.organization_name,
        "role": row.role,
        "invited_by": row.invited_by,
        "expires_at": row.expires_at,
    }
