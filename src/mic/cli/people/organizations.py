"""`mic org`: organizations, the owners of projects. Who is in them: see `members`."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.forge.own_organizations import all_organizations
from mic.cli.forge.roles import with_article
from mic.cli.people import members
from mic.cli.people.networks import networks
from mic.cli.people.projects import list_ as list_projects
from mic.cli.people.second_factor import second_factor
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, iso, when
from mic.cli.terminal.typed import typed
from mic.core.errors import PermissionDenied
from mic.rpc.v1 import mic_pb2 as pb


@click.group(cls=Suggesting)
def organizations() -> None:
    """Make, change and list organizations; invite, list and remove members."""


@organizations.command()
@click.argument("handle")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@instance_option
@json_option
def create(out: Output, handle: str, name: str, description: str, instance: str | None) -> None:
    """Make an organization. You become its first owner."""
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


@organizations.command(short_help="One organization, and what you are in it.")
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def show(out: Output, organization: str, instance: str | None) -> None:
    """One organization: what it is called, and what you are in it."""
    with connect(named_instance(instance)) as client:
        request = pb.GetOrganizationRequest(handle=organization)
        found = client.call(client.organizations.GetOrganization, request).organization
    out.line(f"{out.paint(found.handle, 'bold')}  {found.name if found.name != found.handle else ''}".rstrip())
    if found.description:
        out.line(found.description)
    out.line(f"made {when(found.created_at_ms)}" + (f"; you are {with_article(found.role)}" if found.role else ""))
    out.document({"organization": _organization(found)})


@organizations.command("projects", short_help="The projects of an organization that you may see.")
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
@click.pass_context
def projects_(context: click.Context, out: Output, organization: str, instance: str | None) -> None:
    """The projects of an organization, as far as you may see them; as `mic project list ORG`."""
    context.invoke(list_projects, out=out, organization=organization, instance=instance)


@organizations.command()
@click.argument("organization", metavar="ORG")
@click.option("--name", default=None, help="What people call it.")
@click.option("--description", default=None, help="One sentence about it.")
@instance_option
@json_option
def update(out: Output, organization: str, name: str | None, description: str | None, instance: str | None) -> None:
    """Change what an organization is called, as an admin of it."""
    if name is None and description is None:
        raise click.UsageError("Say what to change: --name or --description.")
    request = pb.UpdateOrganizationRequest(organization=organization, name=name, description=description)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.UpdateOrganization, request).organization
    out.line(f"{made.handle} is called {made.name}.")
    if made.description:
        out.line(made.description)
    out.document({"organization": _organization(made)})


@organizations.command()
@click.argument("organization", metavar="ORG")
@click.argument("handle", metavar="NEW")
@instance_option
@json_option
def rename(out: Output, organization: str, handle: str, instance: str | None) -> None:
    """Give an organization another handle, as an owner of it.

    The old one stays its own: links, clones and commands that name it go on to work, and nobody else can take it.
    """
    request = pb.RenameOrganizationRequest(organization=organization, handle=handle)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.RenameOrganization, request).organization
    out.line(f"{organization.lower()} is {made.handle} now; the old handle leads to it.")
    out.document({"before": organization.lower(), "organization": _organization(made)})


@organizations.command(short_help="Hand an organization over to another member.")
@click.argument("organization", metavar="ORG")
@click.argument("handle", metavar="MEMBER")
@instance_option
@json_option
def transfer(out: Output, organization: str, handle: str, instance: str | None) -> None:
    """Hand an organization that you own over: another member becomes an owner, and you an admin."""
    request = pb.TransferOrganizationRequest(organization=organization, handle=handle)
    with connect(named_instance(instance), signed_in=True) as client:
        made = client.call(client.organizations.TransferOrganization, request).organization
    out.line(f"{handle.lower()} is an owner of {made.handle} now, and you are {with_article(made.role)}.")
    out.document({"owner": handle.lower(), "organization": _organization(made)})


@organizations.command(short_help="Delete an organization without projects.")
@click.argument("organization", metavar="ORG")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance_option
@json_option
def delete(out: Output, organization: str, yes: bool, instance: str | None) -> None:
    """Delete an organization that you own, for good. It must have no projects. Nobody can take its handle then."""
    with connect(named_instance(instance), signed_in=True) as client:
        asked = pb.GetOrganizationRequest(handle=organization)
        if client.call(client.organizations.GetOrganization, asked).organization.role != "owner":
            raise PermissionDenied(f"Only an owner of {organization.lower()} may delete it.", hint="Ask one.")
        if not yes:
            click.echo(f"{organization} will be gone for good.", err=True)
            typed(organization, "handle")
        request = pb.DeleteOrganizationRequest(organization=organization, confirm=organization)
        client.call(client.organizations.DeleteOrganization, request)
    out.line(f"Deleted {organization.lower()}.")
    out.document({"deleted": organization.lower()})


organizations.add_command(networks)
organizations.add_command(second_factor)
for command in members.COMMANDS:
    organizations.add_command(command)


def _organization(item: pb.Organization) -> dict[str, Any]:
    return {
        "id": item.id,
        "handle": item.handle,
        "name": item.name,
        "description": item.description,
        "role": item.role,
        "created_at": iso(item.created_at_ms),
    }
