"""`mic org members|invite|...`: who is in an organization, and how they come in and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.forge.roles import ROLES, with_article
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, iso, when
from mic.core.errors import NotFound
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

# Where the link of an invitation has its token.
_LINK = "/-/invitations/"


@click.command()
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def members(out: Output, organization: str, instance: str | None) -> None:
    """Who is in an organization, and as what. Only its members may ask."""
    with connect(named_instance(instance), signed_in=True) as client:
        found = _all_members(client, organization)
    list_members(out, found)
    out.document({"organization": organization.lower(), "members": list(map(member_fields, found))})


@click.command(short_help="Invite an account, or somebody by e-mail.")
@click.argument("organization", metavar="ORG")
@click.argument("whom", metavar="HANDLE|EMAIL")
@click.option(
    "--role", type=click.Choice(ROLES), default="member", show_default=True,
    help="Readers read, members land, admins make projects and manage members, owners also manage owners.",
)  # fmt: skip
@instance_option
@json_option
def invite(out: Output, organization: str, whom: str, role: str, instance: str | None) -> None:
    """Invite somebody to an organization that you administer. They are in when they accept, within a week.

    An account finds the invitation on its page, or by `mic org invitations`. For an e-mail address you get a link to
    hand on; whoever is signed in with it accepts, once.
    """
    request = pb.InviteMemberRequest(organization=organization, handle=whom, role=role)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.InviteMember, request)
    item = made.invitation
    out.line(f"Invited {item.handle or item.email} to be {with_article(item.role)} of {item.organization}.")
    if made.link:
        out.line("Hand them this link; whoever is signed in with it accepts, once, within a week:")
        out.shown_once(made.link)
    else:
        out.line(f"They accept with `mic org accept {item.organization}` or on their page, within a week.")
    out.document({"invitation": _invitation(item), "link": made.link or None})


@click.command(short_help="Open invitations: yours, or those of an organization.")
@click.argument("organization", metavar="[ORG]", required=False, default="")
@click.option("--revoke", metavar="ID", help="Take this one of the organization back.")
@instance_option
@json_option
def invitations(out: Output, organization: str, revoke: str | None, instance: str | None) -> None:
    """Where you are invited to; with ORG, whom its admins have invited and who has not answered yet."""
    if revoke and not organization:
        raise click.UsageError("Say of which organization: `mic org invitations ORG --revoke ID`.")
    with connect(named_instance(instance), signed_in=True) as client:
        if revoke:
            request = pb.RevokeInvitationRequest(organization=organization, id=revoke)
            client.call(client.organizations.RevokeInvitation, request)
            out.line(f"Took the invitation to {organization.lower()} back.")
            out.document({"organization": organization.lower(), "revoked": revoke})
            return
        found = _all_invitations(client, organization)
    if not found:
        out.line("Nobody has an open invitation." if organization else "You are invited nowhere.")
    whose = [item.handle or item.email if organization else item.organization for item in found]
    width, roles = max(map(len, whose), default=0), max((len(item.role) for item in found), default=0)
    numbers = max((len(item.id) for item in found), default=0)
    for item, who in zip(found, whose, strict=True):
        number = f"{item.id:<{numbers}}  " if organization else ""
        until = f"until {when(item.expires_at_ms)}"
        out.line(f"{number}{who:<{width}}  {item.role:<{roles}}  by {item.invited_by}, {until}")
    out.document({"invitations": list(map(_invitation, found))})


@click.command(short_help="Accept an invitation.")
@click.argument("invitation", metavar="ORG|LINK")
@instance_option
@json_option
def accept(out: Output, invitation: str, instance: str | None) -> None:
    """Join an organization that you were invited to, by its handle or by the link that you were sent."""
    with connect(named_instance(instance), signed_in=True) as client, _naming_invitations(invitation):
        joined = client.call(client.organizations.AcceptInvitation, _answer(invitation)).organization
    out.line(f"You are {with_article(joined.role)} of {joined.handle}.")
    out.document({"organization": joined.handle, "role": joined.role})


@click.command(short_help="Decline an invitation.")
@click.argument("invitation", metavar="ORG|LINK")
@instance_option
@json_option
def decline(out: Output, invitation: str, instance: str | None) -> None:
    """Say no to an invitation, by the handle of the organization or by the link."""
    with connect(named_instance(instance), signed_in=True) as client, _naming_invitations(invitation):
        client.call(client.organizations.DeclineInvitation, _answer(invitation))
    out.line("Declined.")
    out.document({"declined": True})


@click.command(short_help="Give a member another role.")
@click.argument("organization", metavar="ORG")
@click.argument("handle")
@click.argument("role", type=click.Choice(ROLES))
@instance_option
@json_option
def role(out: Output, organization: str, handle: str, role: str, instance: str | None) -> None:
    """Give a member of an organization another role, as an admin. Owners are made by owners."""
    request = pb.SetMemberRoleRequest(organization=organization, handle=handle, role=role)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.SetMemberRole, request).member
    out.line(f"{made.handle} is {with_article(made.role)} of {organization.lower()}.")
    out.document({"organization": organization.lower(), "member": member_fields(made)})


@click.command(short_help="Take a member out.")
@click.argument("organization", metavar="ORG")
@click.argument("handle")
@instance_option
@json_option
def remove(out: Output, organization: str, handle: str, instance: str | None) -> None:
    """Take a member out of an organization that you administer. What they landed stays.

    The last owner cannot be removed.
    """
    request = pb.RemoveMemberRequest(organization=organization, handle=handle)
    with connect(named_instance(instance), signed_in=True) as client:
        client.call(client.organizations.RemoveMember, request)
    out.line(f"{handle.lower()} is no longer in {organization.lower()}.")
    out.document({"organization": organization.lower(), "removed": handle.lower()})


@click.command()
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def leave(out: Output, organization: str, instance: str | None) -> None:
    """Leave an organization. What you landed stays. Its last owner cannot leave."""
    with connect(named_instance(instance), signed_in=True) as client:
        handle = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user.handle
        request = pb.RemoveMemberRequest(organization=organization, handle=handle)
        try:
            client.call(client.organizations.RemoveMember, request)
        except NotFound as error:
            raise NotFound(error.message, hint="`mic org list` lists your organizations.") from error
    out.line(f"You have left {organization.lower()}.")
    out.document({"organization": organization.lower(), "removed": handle})


COMMANDS: list[click.Command] = [members, invite, invitations, accept, decline, role, remove, leave]


def list_members(out: Output, found: list[pb.Member]) -> None:
    """People and their roles as lines."""
    width = max((len(item.handle) for item in found), default=0)
    for item in found:
        out.line(f"{item.handle:<{width}}  {item.role:<6}  {item.name if item.name != item.handle else ''}".rstrip())


def member_fields(item: pb.Member) -> dict[str, str]:
    """Somebody in JSON."""
    return {"handle": item.handle, "name": item.name, "role": item.role}


@contextmanager
def _naming_invitations(invitation: str) -> Iterator[None]:
    """Where there is no such invitation, the command that lists those that there are. A link says what to do itself."""
    try:
        yield
    except NotFound as error:
        if _LINK in invitation:
            raise
        raise NotFound(error.message, hint="`mic org invitations` lists yours.") from error


def _answer(invitation: str) -> pb.AnswerInvitationRequest:
    _, link, token = invitation.strip().partition(_LINK)
    return pb.AnswerInvitationRequest(token=token) if link else pb.AnswerInvitationRequest(organization=invitation)


def _all_members(client: Client, organization: str) -> list[pb.Member]:
    found: list[pb.Member] = []
    request = pb.ListMembersRequest(organization=organization, page_size=1000)
    while True:
        page = client.call(client.organizations.ListMembers, request)
        found.extend(page.members)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _all_invitations(client: Client, organization: str) -> list[pb.Invitation]:
    if not organization:
        return list(client.call(client.organizations.ListOwnInvitations, pb.ListOwnInvitationsRequest()).invitations)
    found: list[pb.Invitation] = []
    request = pb.ListInvitationsRequest(organization=organization, page_size=1000)
    while True:
        page = client.call(client.organizations.ListInvitations, request)
        found.extend(page.invitations)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _invitation(item: pb.Invitation) -> dict[str, Any]:
    return {
        "id": item.id,
        "organization": item.organization,
        "handle": item.handle or None,
        "email": item.email or None,
        "role": item.role,
        "invited_by": item.invited_by,
        "created_at": iso(item.created_at_ms),
        "expires_at": iso(item.expires_at_ms),
    }
