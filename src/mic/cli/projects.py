"""`mic project`: make and list projects."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.app import Suggesting, json_option
from mic.cli.auth import instance_option
from mic.cli.connection import connect, named_instance, parse_address
from mic.cli.credentials import token_for
from mic.cli.output import Output, iso
from mic.rpc.v1 import mic_pb2 as pb


@click.group(cls=Suggesting)
def projects() -> None:
    """Make and list projects."""


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Who may see it; cannot be changed later in this version.",
)  # fmt: skip
@json_option
def create(out: Output, project: str, name: str, description: str, visibility: str) -> None:
    """Make an empty project in an organization that you administer."""
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        request = pb.CreateProjectRequest(
            organization=address.organization,
            handle=address.project,
            name=name,
            description=description,
            visibility=visibility,
        )
        made = client.call(client.projects.CreateProject, request).project
    out.line(f"Made the {made.visibility} project {made.organization}/{made.handle}.")
    out.document({"project": project_fields(made)})


@projects.command("list", short_help="The projects that you may see.")
@click.argument("organization", required=False, default="")
@instance_option
@json_option
def list_(out: Output, organization: str, instance: str | None) -> None:
    """The projects that you may see; with ORGANIZATION, only its own. Who is not signed in sees the public ones."""
    chosen = named_instance(instance)
    found: list[pb.Project] = []
    with connect(chosen) as client:
        request = pb.ListProjectsRequest(organization=organization.lower(), page_size=1000)
        while True:
            page = client.call(client.projects.ListProjects, request)
            found.extend(page.projects)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not found:
        signed_in = bool(token_for(chosen))
        step = "`mic import git PATH ORG/PROJECT` brings one in" if signed_in else "`mic auth login` shows yours too"
        out.line(f"There is no {'project that you may see' if signed_in else 'public project'}. {step}.")
    width = max((len(item.organization) + len(item.handle) + 1 for item in found), default=0)
    for item in found:
        name = f"{item.organization}/{item.handle}"
        out.line(f"{name:<{width}}  {item.visibility:<7}  {item.description}".rstrip())
    out.document({"projects": [project_fields(item) for item in found]})


def project_fields(item: pb.Project) -> dict[str, Any]:
    """A project in JSON. The head is there only where a single project was asked for."""
    fields: dict[str, Any] = {
        "id": item.id,
        "organization": item.organization,
        "handle": item.handle,
        "name": item.name,
        "description": item.description,
        "visibility": item.visibility,
        "role": item.role,
        "created_at": iso(item.created_at_ms),
    }
    if item.head_tree:
        fields["head"] = {"position": item.head_position, "tree": item.head_tree.hex()}
    return fields
