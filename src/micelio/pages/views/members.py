"""`/{owner}/-/members` and `/{owner}/{project}/-/members`: who is in, how they come in, and what they may do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.accounts.confirmation import require_confirmed
from micelio.config import current
from micelio.organizations import actions, invitations
from micelio.organizations.invitations import LINK_PATH, InvitationView
from micelio.organizations.queries import Member, list_members
from micelio.organizations.roles import Role, at_least
from micelio.pages.answers import Page
from micelio.pages.forms import form_page
from micelio.pages.opened import open_project
from micelio.pages.views.organization import open_organization
from micelio.pages.weight import ROOM, Scale
from micelio.projects import members as project_roles

PAGE = 100
# Compressed bytes of the open invitations on a page.
_FOR_INVITATIONS = 4096
_ROLES = {
    Role.READER: "reads what is private",
    Role.MEMBER: "lands sessions",
    Role.ADMIN: "manages projects and members",
    Role.OWNER: "also manages owners",
}


def _invite(request: HttpRequest, actor: Actor, owner: str) -> str | dict[str, Any]:
    if request.POST.get("role") == Role.OWNER:
        require_confirmed(request)
    made = invitations.invite(actor, owner, request.POST.get("whom", ""), request.POST.get("role", ""))
    if not made.token:
        return _members_address(made.invitation.organization)
    return {"invited": made.invitation.email, "link": f"{current().base_url}{LINK_PATH}{made.token}"}


def _take_back(request: HttpRequest, actor: Actor, owner: str) -> str:
    invitations.revoke_invitation(actor, owner, request.POST.get("invitation", ""))
    return _members_address(owner)


def _give_role(request: HttpRequest, actor: Actor, owner: str) -> str:
    require_confirmed(request)
    actions.set_role(actor, owner, request.POST.get("member", ""), request.POST.get("role", ""))
    return _members_address(owner)


def _remove(request: HttpRequest, actor: Actor, owner: str) -> str:
    require_confirmed(request)
    actions.remove_member(actor, owner, request.POST.get("member", ""))
    return _members_address(owner)


def _leave(request: HttpRequest, actor: Actor, owner: str) -> str:
    actions.remove_member(actor, owner, actor.handle)
    return reverse("home")


@form_page(invite=_invite, take_back=_take_back, role=_give_role, remove=_remove, leave=_leave)
def organization_members(request: HttpRequest, actor: Actor, owner: str) -> Page:
    """Members for members; for admins also who is invited, and the forms."""
    after = request.GET.get("after", "")
    people = list_members(actor, owner, after, PAGE + 1)
    found = open_organization(actor, owner)
    manages = at_least(found.role, Role.ADMIN)
    invited = invitations.list_invitations(actor, owner, limit=PAGE) if manages else []
    rows = _rows(people, manages, "m", Scale(ROOM - _FOR_INVITATIONS))
    waiting = Scale(_FOR_INVITATIONS).fill(
        invited, lambda row, _: render_to_string("pages/_invitation.html", {"row": row})
    )
    shown = people[: len(rows)]
    more = shown[-1].handle if len(people) > len(shown) else ""
    context = {
        "organization": found,
        "tab": "members",
        "members": rows,
        "manages": manages,
        "invitations": waiting,
        "hidden_invitations": len(invited) - len(waiting),
        "roles": _offered(found.role),
        "more": more,
        "begun": bool(after),
    }
    data = {
        "organization": found.handle,
        "members": [{"handle": row.handle, "name": row.name, "role": row.role} for row in shown],
        "invitations": [_data(row) for row in invited] if manages else None,
        "next_after": more or None,
    }
    return Page("pages/organization_members.html", context, data)


def _set_here(request: HttpRequest, actor: Actor, owner: str, handle: str) -> str:
    require_confirmed(request)
    member, role = request.POST.get("member", ""), request.POST.get("role", "")
    project_roles.set_project_member(actor, owner, handle, member, role)
    return _here(owner, handle)


def _add_here(request: HttpRequest, actor: Actor, owner: str, handle: str) -> str:
    whom, role = request.POST.get("whom", ""), request.POST.get("role", "")
    if role == Role.OWNER:
        require_confirmed(request)
    project_roles.set_project_member(actor, owner, handle, whom, role)
    return _here(owner, handle)


def _remove_here(request: HttpRequest, actor: Actor, owner: str, handle: str) -> str:
    member = request.POST.get("member", "")
    if member != actor.handle:
        require_confirmed(request)
    project_roles.remove_project_member(actor, owner, handle, member)
    return _here(owner, handle) if member != actor.handle else reverse("home")


@form_page(role=_set_here, add=_add_here, remove=_remove_here)
def project_members(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """Who has a role in this project alone, for those who have one."""
    opened = open_project(actor, owner, handle)
    after = request.GET.get("after", "")
    people = project_roles.list_project_members(actor, opened.project, after, PAGE + 1)
    manages = at_least(opened.project.role, Role.ADMIN)
    rows = _rows(people, manages, "m", Scale())
    shown = people[: len(rows)]
    more = shown[-1].handle if len(people) > len(shown) else ""
    context = {
        **opened.context("members"),
        "members": rows,
        "manages": manages,
        "own": next((row for row in shown if row.handle == actor.handle), None),
        "roles": _offered(opened.project.role),
        "more": more,
        "begun": bool(after),
    }
    data = {
        **opened.data(),
        "members": [{"handle": row.handle, "name": row.name, "role": row.role} for row in shown],
        "next_after": more or None,
    }
    return Page("pages/project_members.html", context, data)


def _rows(people: list[Member], manages: bool, prefix: str, scale: Scale) -> list[Any]:
    def render(row: Member, _: int) -> str:
        context = {"member": row, "manages": manages, "id": f"{prefix}-{row.handle}"}
        return render_to_string("pages/_member_row.html", context)

    return scale.fill(people[:PAGE], render)


def _offered(own: str | None) -> list[tuple[str, str]]:
    """The roles that somebody in this role may give, the weakest first."""
    return [(role.value, words) for role, words in _ROLES.items() if role != Role.OWNER or own == Role.OWNER]


def _data(row: InvitationView) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "handle": row.handle or None,
        "email": row.email or None,
        "role": row.role,
        "invited_by": row.invited_by,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def _members_address(owner: str) -> str:
    return reverse("organization-members", args=[owner])


def _here(owner: str, handle: str) -> str:
    return reverse("project-members", args=[owner, handle])
