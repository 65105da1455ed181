"""`/{owner}/-/settings`: what an organization is called, who owns it, and its end. A section for each concern."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.accounts.confirmation import require_confirmed
from micelio.organizations import actions
from micelio.organizations.actions import DESCRIPTION_LENGTH, NAME_LENGTH
from micelio.organizations.queries import get_managed
from micelio.organizations.roles import Role
from micelio.pages.answers import Page
from micelio.pages.forms import form_page
from micelio.pages.views.organization import note_renamed


def _update(request: HttpRequest, actor: Actor, owner: str) -> str:
    name, description = request.POST.get("name", ""), request.POST.get("description", "")
    return _address(actions.update_organization(actor, owner, name=name, description=description).handle)


def _rename(request: HttpRequest, actor: Actor, owner: str) -> str:
    return _address(actions.rename_organization(actor, owner, request.POST.get("handle", "")).handle)


def _transfer(request: HttpRequest, actor: Actor, owner: str) -> str:
    require_confirmed(request)
    made = actions.transfer_organization(actor, owner, request.POST.get("member", ""))
    return reverse("organization-members", args=[made.handle])


def _delete(request: HttpRequest, actor: Actor, owner: str) -> str:
    require_confirmed(request)
    actions.delete_organization(actor, owner, request.POST.get("confirm", ""))
    return reverse("home")


@form_page(update=_update, rename=_rename, transfer=_transfer, delete=_delete)
def organization_settings(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """For admins; renaming, handing over and deleting are for owners."""
    found = get_managed(actor, owner)
    note_renamed(owner, found.handle)
    context = {
        "organization": found,
        "tab": "settings",
        "owns": found.role == Role.OWNER,
        "name_length": NAME_LENGTH,
        "description_length": DESCRIPTION_LENGTH,
    }
    data = {
        "organization": found.handle,
        "name": found.name,
        "description": found.description,
        "role": found.role,
        "created_at": found.created_at,
    }
    return Page("pages/organization_settings.html", context, data)


def _address(handle: str) -> str:
    return reverse("organization-settings", args=[handle])
