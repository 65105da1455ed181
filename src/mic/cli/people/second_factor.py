"""`mic org second-factor`: whether an organization asks its members for one."""

from __future__ import annotations

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output
from mic.rpc.v1 import mic_pb2 as pb


@click.command("second-factor", short_help="Ask members for a second factor.")
@click.argument("organization", metavar="ORG")
@click.argument("wanted", metavar="[ask|stop]", required=False, type=click.Choice(["ask", "stop"]))
@instance_option
@json_option
def second_factor(out: Output, organization: str, wanted: str | None, instance: str | None) -> None:
    """Whether an organization asks its members for a second factor, and who has none; for its owners.

    With `ask`, whoever has none is a stranger there until they have one. To `stop` it, one confirms on the
    organization's page who one is.
    """
    with connect(named_instance(instance), signed_in=True) as client:
        if wanted is None:
            asked = pb.GetSecondFactorRequest(organization=organization)
            found = client.call(client.organizations.GetSecondFactor, asked)
        else:
            request = pb.SetSecondFactorRequest(organization=organization, asks=wanted == "ask")
            found = client.call(client.organizations.SetSecondFactor, request)
    asks = "asks its members" if found.asks else "does not ask its members"
    out.line(f"{organization.lower()} {asks} for a second factor.")
    if found.lacking_in_all:
        more = found.lacking_in_all - len(found.lacking)
        named = ", ".join(found.lacking) + (f" and {more:,} more" if more else "")
        out.line(f"{'Outside for the lack of one' if found.asks else 'Without one'}: {named}.")
    out.document({"asks": found.asks, "lacking": list(found.lacking), "lacking_in_all": found.lacking_in_all})
