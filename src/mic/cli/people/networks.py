"""`mic org networks`: the networks that members of an organization reach it from."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output
from mic.core.errors import PreconditionFailed
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
    added = [pb.Network(network=network, note=note)]
    _change(out, pb.ChangeNetworksRequest(organization=organization, add=added, leave=leave), instance)


@networks.command(short_help="Take a network from the list.")
@click.argument("organization", metavar="ORG")
@click.argument("network", metavar="CIDR")
@_leave
@instance_option
@json_option
def remove(out: Output, organization: str, network: str, leave: bool, instance: str | None) -> None:
    """Take a network from the list; without the last one members come from everywhere."""
    _change(out, pb.ChangeNetworksRequest(organization=organization, remove=[network], leave=leave), instance)


@networks.command(short_help="Whether tokens of admins may come from anywhere.")
@click.argument("organization", metavar="ORG")
@click.argument("wanted", type=click.Choice(["pass", "stay"]))
@instance_option
@json_option
def tokens(out: Output, organization: str, wanted: str, instance: str | None) -> None:
    """Let tokens of admins that were made --from-anywhere pass, or have them stay outside as everything else."""
    _change(out, pb.ChangeNetworksRequest(organization=organization, tokens_pass=wanted == "pass"), instance)


def _change(out: Output, request: pb.ChangeNetworksRequest, instance: str | None) -> None:
    """Carried out by the forge in one step, so that two who change the list at once both have their way."""
    with connect(named_instance(instance), signed_in=True) as client:
        try:
            found = client.call(client.organizations.ChangeNetworks, request)
        except PreconditionFailed as error:
            raise PreconditionFailed(error.message, hint=_mean_it(request.organization)) from error
    _show(out, request.organization, found)


def _mean_it(organization: str) -> str:
    return (
        "Add it first, or say --leave. Then it is changed back from one of the networks,"
        f" or by whoever runs the forge: `micelio networks-off {organization}`."
    )


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
