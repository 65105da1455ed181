"""`/{owner}/-/settings`: what an organization is called, who owns it, and its end. A section for each concern."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.accounts.confirmation import require_confirmed
from micelio.accounts.profiles import profile_of
from micelio.organizations import actions
from micelio.organizations.actions import DESCRIPTION_LENGTH, NAME_LENGTH
from micelio.organizations.profiles import set_organization_picture, update_organization_profile
from micelio.organizations.queries import get_managed
from micelio.organizations.roles import Role
from micelio.pages.answers import Page
from micelio.pages.forms import form_page
from micelio.pages.views.organization import note_renamed
from micelio.pages.views.person import profile_data
from micelio.pages.views.profile_settings import profile_fields, uploaded


def _update(request: HttpRequest, actor: Actor, owner: str) -> str:
    name, description = request.POST.get("name", ""), request.POST.get("description", "")
    found = actions.update_organization(actor, owner, name=name, description=description)
    given = request.POST
    if "links" in given:
        links = given["links"].splitlines()
        update_organization_profile(actor, found.handle, website=given.get("website", ""), links=links)
    return _address(found.handle)


def _picture(request: HttpRequest, actor: Actor, owner: str) -> str:
    set_organization_picture(actor, owner, uploaded(request))
    return _address(get_managed(actor, owner).handle)


def _drawn(request: HttpRequest, actor: Actor, owner: str) -> str:
    set_organization_picture(actor, owner, b"")
    return _address(get_managed(actor, owner).handle)


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


@form_page(update=_update, picture=_picture, drawn=_drawn, rename=_rename, transfer=_transfer, delete=_delete)
def organization_settings(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """For admins; renaming, handing over and deleting are for owners."""
    found = get_managed(actor, owner)
    note_renamed(owner, found.handle)
    profile = profile_of(found.id)
    context = {
        "profile": profile,
        "fields": profile_fields(profile, request.POST if "links" in request.POST else {}),
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
        **profile_data(found.handle, profile),
        "role": found.role,
        "created_at": found.created_at,
    }
    return Page("pages/organization_settings.html", context, data)


def _address(handle: str) -> str:
    return reverse("organization-settings", args=[handle])
