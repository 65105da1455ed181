"""`mic project members`: who has a role in one project alone."""

from __future__ import annotations

import click

from mic.cli.forge.connection import connect, parse_address
from mic.cli.forge.roles import ROLES, with_article
from mic.cli.people.members import list_members, member_fields
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output
from mic.rpc.v1 import mic_pb2 as pb

_ROLES_HELP = "Readers read, members land, admins manage the project, owners also make owners."


@click.group(cls=Suggesting, short_help="Give people a role in one project.")
def members() -> None:
    """Give people a role in one project, who need not belong to its organization. The stronger role counts."""


@members.command("list")
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def list_(out: Output, project: str) -> None:
    """Who has a role in this project alone. Members of its organization are listed by `mic org members`."""
    address = parse_address(project)
    found: list[pb.Member] = []
    with connect(address.instance, signed_in=True) as client:
        request = pb.ListProjectMembersRequest(project=address.ref, page_size=1000)
        while True:
            page = client.call(client.projects.ListProjectMembers, request)
            found.extend(page.members)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not found:
        out.line(f"Nobody has a role in {address} alone. `mic org members {address.organization}` lists the others.")
    list_members(out, found)
    out.document({"project": str(address), "members": list(map(member_fields, found))})


@members.command(short_help="Give an account a role in a project.")
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("handle")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True, help=_ROLES_HELP)
@json_option
def add(out: Output, project: str, handle: str, role: str) -> None:
    """Give an account a role in a project that you administer, at once."""
    _set(out, project, handle, role)


@members.command(short_help="Give somebody another role in a project.")
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("handle")
@click.argument("role", type=click.Choice(ROLES))
@json_option
def role(out: Output, project: str, handle: str, role: str) -> None:
    """Give somebody another role in a project that you administer. Owners are made by owners."""
    _set(out, project, handle, role)


def _set(out: Output, project: str, handle: str, role: str) -> None:
    address = parse_address(project)
    request = pb.SetProjectMemberRequest(project=address.ref, handle=handle, role=role)
    with connect(address.instance, signed_in=True) as client:
        made = client.call(client.projects.SetProjectMember, request).member
    out.line(f"{made.handle} is {with_article(made.role)} of {address}.")
    out.document({"project": str(address), "member": member_fields(made)})


@members.command(short_help="Take somebody's role in a project away, or give yours up.")
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("handle")
@json_option
def remove(out: Output, project: str, handle: str) -> None:
    """Take somebody's role in a project away, or give up your own. A role in its organization stays."""
    address = parse_address(project)
    request = pb.RemoveProjectMemberRequest(project=address.ref, handle=handle)
    with connect(address.instance, signed_in=True) as client:
        client.call(client.projects.RemoveProjectMember, request)
    out.line(f"{handle.lower()} has no role in {address} alone any more.")
    out.document({"project": str(address), "removed": handle.lower()})
