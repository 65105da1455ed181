"""Letting people into an organization, for tests that are about something else: invited, and accepted at once."""

from __future__ import annotations

from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.organizations.actions import set_role
from micelio.organizations.invitations import accept_invitation, invite
from micelio.organizations.models import Membership


def let_in(by: Actor, organization: str, handle: str, role: str = "member") -> None:
    """Make the account `handle` a member in this role, or give it another one."""
    if Membership.objects.filter(organization__handle=organization, user__handle=handle).exists():
        set_role(by, organization, handle, role)
        return
    invite(by, organization, handle, role)
    accept_invitation(actor_of(User.objects.get(handle=handle), "web"), organization=organization)
