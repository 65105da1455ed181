"""`mic org`: organizations, the owners of projects, and who is in them."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.app import Suggesting, json_option
from mic.cli.auth import instance_option
from mic.cli.connection import connect, named_instance
from mic.cli.output import Output, iso
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb


@click.group(cls=Suggesting)
def organizations() -> None:
    """Make and list organizations, invite and remove members."""


@organizations.command()
@click.argument("handle")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@instance_option
@json_option
def create(out: Output, handle: str, name: str, description: str, instance: str | None) -> None:
    """Make an organization. You become its first admin."""
    chosen = named_instance(instance)
    with connect(chosen, signed_in=True) as client:
        request = pb.CreateOrganizationRequest(handle=handle, name=name, description=description)
        made = client.call(client.organizations.CreateOrganization, request).organization
    out.line(f"Made the organization {made.handle}.")
    out.document({"organization": _organization(made)})


@organizations.command("list")
@instance_option
@json_option
def list_(out: Output, instance: str | None) -> None:
    """The organizations that you are a member of."""
    chosen = named_instance(instance)
    with connect(chosen, signed_in=True) as client:
        found = all_organizations(client)
    if not found:
        out.line("You are in no organization. `mic org create HANDLE` makes one.")
    width = max((len(item.handle) for item in found), default=0)
    for item in found:
        out.line(f"{item.handle:<{width}}  {item.role:<6}  {item.name if item.name != item.handle else ''}".rstrip())
    out.document({"organizations": [_organization(item) for item in found]})


def all_organizations(client: Client) -> list[pb.Organization]:
    """The organizations of whoever asks."""
    found: list[pb.Organization] = []
    request = pb.ListOrganizationsRequest(page_size=1000)
    while True:
        page = client.call(client.organizations.ListOrganizations, request)
        found.extend(page.organizations)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


@organizations.command()
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def members(out: Output, organization: str, instance: str | None) -> None:
    """Who is in an organization, and as what. Only its members may ask."""
    with connect(named_instance(instance), signed_in=True) as client:
        found = _all_members(client, organization)
    width = max((len(item.handle) for item in found), default=0)
    for item in found:
        out.line(f"{item.handle:<{width}}  {item.role:<6}  {item.name if item.name != item.handle else ''}".rstrip())
    out.document({"organization": organization.lower(), "members": list(map(_member, found))})


@organizations.command(short_help="Add an account, or give a member another role.")
@click.argument("organization", metavar="ORG")
@click.argument("handle")
@click.option(
    "--role", type=click.Choice(["member", "admin"]), default="member", show_default=True,
    help="Members write to all projects of it; admins also make projects and manage members.",
)  # fmt: skip
@instance_option
@json_option
def invite(out: Output, organization: str, handle: str, role: str, instance: str | None) -> None:
    """Add the account HANDLE to an organization that you administer, at once; or give a member another role.

    The account must exist: its owner signs up in the browser, or who runs the forge makes it there with
    `micelio link HANDLE --create`.
    """
    request = pb.InviteMemberRequest(organization=organization, handle=handle, role=role)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.InviteMember, request).member
    article = "an" if made.role == "admin" else "a"
    out.line(f"{made.handle} is {article} {made.role} of {organization.lower()}.")
    out.document({"organization": organization.lower(), "member": _member(made)})


@organizations.command(short_help="Take a member out, or leave.")
@click.argument("organization", metavar="ORG")
@click.argument("handle")
@instance_option
@json_option
def remove(out: Output, organization: str, handle: str, instance: str | None) -> None:
    """Take a member out of an organization that you administer, or leave it yourself. What they landed stays.

    The last admin cannot be removed.
    """
    request = pb.RemoveMemberRequest(organization=organization, handle=handle)
    with connect(named_instance(instance), signed_in=True) as client:
        client.call(client.organizations.RemoveMember, request)
    out.line(f"{handle.lower()} is no longer in {organization.lower()}.")
    out.document({"organization": organization.lower(), "removed": handle.lower()})


def _all_members(client: Client, organization: str) -> list[pb.Member]:
    found: list[pb.Member] = []
    request = pb.ListMembersRequest(organization=organization, page_size=1000)
    while True:
        page = client.call(client.organizations.ListMembers, request)
        found.extend(page.members)
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _member(item: pb.Member) -> dict[str, str]:
    return {"handle": item.handle, "name": item.name, "role": item.role}


def _organization(item: pb.Organization) -> dict[str, Any]:
    return {
        "id": item.id,
        "handle": item.handle,
        "name": item.name,
        "description": item.description,
        "role": item.role,
        "created_at": iso(item.created_at_ms),
    }
