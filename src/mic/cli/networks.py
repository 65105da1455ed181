"""`mic org networks`: the networks that members of an organization reach it from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mic.cli.app import Suggesting, json_option
from mic.cli.connection import connect, instance_option, named_instance
from mic.cli.output import Output
from mic.core.errors import NotFound
from mic.rpc.v1 import mic_pb2 as pb

_leave = click.option("--leave", is_flag=True, help="Also when it shuts you out from where you are.")


@click.group(cls=Suggesting, short_help="The networks that members come from.")
def networks() -> None:
    """The networks that members of an organization come from, for its owners.

    From elsewhere members are strangers. Without any, they come from everywhere.
    """


@networks.command("list")
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def list_(out: Output, organization: str, instance: str | None) -> None:
    """The networks of an organization."""
    with connect(named_instance(instance), signed_in=True) as client:
        found = client.call(client.organizations.GetNetworks, pb.GetNetworksRequest(organization=organization))
    _show(out, organization, found)


@networks.command(short_help="Let members come from a network.")
@click.argument("organization", metavar="ORG")
@click.argument("network", metavar="CIDR")
@click.option("--note", default="", help="What is there.")
@_leave
@instance_option
@json_option
def add(out: Output, organization: str, network: str, note: str, leave: bool, instance: str | None) -> None:
    """Let members come from a network, such as 192.0.2.0/24; the first one shuts everything else."""

    def change(request: pb.SetNetworksRequest) -> None:
        request.networks.append(pb.Network(network=network, note=note))

    _change(out, organization, leave, instance, change)


@networks.command(short_help="Take a network from the list.")
@click.argument("organization", metavar="ORG")
@click.argument("network", metavar="CIDR")
@_leave
@instance_option
@json_option
def remove(out: Output, organization: str, network: str, leave: bool, instance: str | None) -> None:
    """Take a network from the list; without the last one members come from everywhere."""

    def change(request: pb.SetNetworksRequest) -> None:
        found = next((item for item in request.networks if network in (item.network, item.network.split("/")[0])), None)
        if found is None:
            raise NotFound(
                f"{network} is not in the list of {organization}.", hint=f"`mic org networks list {organization}`."
            )
        request.networks.remove(found)

    _change(out, organization, leave, instance, change)


@networks.command(short_help="Whether tokens of admins may come from anywhere.")
@click.argument("organization", metavar="ORG")
@click.argument("wanted", type=click.Choice(["pass", "stay"]))
@instance_option
@json_option
def tokens(out: Output, organization: str, wanted: str, instance: str | None) -> None:
    """Let tokens of admins that were made --from-anywhere pass, or have them stay outside as everything else."""

    def change(request: pb.SetNetworksRequest) -> None:
        request.tokens_pass = wanted == "pass"

    _change(out, organization, False, instance, change)


def _change(
    out: Output,
    organization: str,
    leave: bool,
    instance: str | None,
    change: Callable[[pb.SetNetworksRequest], None],
) -> None:
    with connect(named_instance(instance), signed_in=True) as client:
        before = client.call(client.organizations.GetNetworks, pb.GetNetworksRequest(organization=organization))
        request = pb.SetNetworksRequest(
            organization=organization, networks=before.networks, tokens_pass=before.tokens_pass, leave=leave
        )
        change(request)
        found = client.call(client.organizations.SetNetworks, request)
    _show(out, organization, found)


def _show(out: Output, organization: str, found: pb.NetworksResponse) -> None:
    if not found.networks:
        out.line(f"Members of {organization.lower()} come from everywhere.")
    width = max((len(item.network) for item in found.networks), default=0)
    for item in found.networks:
        out.line(f"{item.network:<{width}}  {item.note}".rstrip())
    if found.networks and found.tokens_pass:
        out.line("Tokens of admins that were made --from-anywhere pass.")
    out.document(_fields(found))


def _fields(found: pb.NetworksResponse) -> dict[str, Any]:
    listed = [{"network": item.network, "note": item.note} for item in found.networks]
    return {"networks": listed, "tokens_pass": found.tokens_pass, "address": found.address or None}
