"""`mic org`: organizations, the owners of projects."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.app import Suggesting, json_option
from mic.cli.auth import instance_option
from mic.cli.connection import connect
from mic.cli.credentials import default_instance
from mic.cli.output import Output, iso
from mic.rpc.client import Client
from mic.rpc.discovery import normal_instance
from mic.rpc.v1 import mic_pb2 as pb


@click.group(cls=Suggesting)
def organizations() -> None:
    """Make and list organizations."""


@organizations.command()
@click.argument("handle")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@instance_option
@json_option
def create(out: Output, handle: str, name: str, description: str, instance: str | None) -> None:
    """Make an organization. You become its administrator."""
    chosen = normal_instance(instance) if instance else default_instance()
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
    chosen = normal_instance(instance) if instance else default_instance()
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


def _organization(item: pb.Organization) -> dict[str, Any]:
    return {
        "id": item.id,
        "handle": item.handle,
        "name": item.name,
        "description": item.description,
        "role": item.role,
        "created_at": iso(item.created_at_ms),
    }
