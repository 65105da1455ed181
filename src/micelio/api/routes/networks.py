"""The networks that an organization is reached from, for its owners."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.api.answers import said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import Sent, Told
from micelio.networks import MOST, NOTE_LENGTH, Entry
from micelio.organizations.networks import NetworksView, get_networks, set_networks

router = Router(tags=["organizations"])


class ToldNetwork(Told):
    """A network, and why it is there."""

    network: str
    note: str


class SentNetwork(Sent):
    """A network, and why it is there."""

    network: str = Field(
        max_length=60, description="As `192.0.2.0/24` or `2001:db8::/32`; an address alone is one too."
    )
    note: str = Field("", max_length=NOTE_LENGTH)


class Networks(Told):
    """Where members come from; none of them is everywhere."""

    networks: list[ToldNetwork]
    tokens_pass: bool = Field(description="Whether tokens of admins pass that were made to come from anywhere.")
    address: str = Field(description="Where this request came from.")


class NetworksWanted(Sent):
    """All of the networks."""

    networks: list[SentNetwork] = Field(max_length=MOST)
    tokens_pass: bool = False
    leave: bool = Field(False, description="Also when this request comes from none of them.")


@router.get("/orgs/{org}/networks", response=Networks, summary="Where members come from")
def list_networks(request: ApiRequest, org: str) -> HttpResponse:
    """For owners."""
    return _said(get_networks(request.actor, org))


@router.put("/orgs/{org}/networks", response=Networks, summary="Say where members come from")
def put_networks(request: ApiRequest, org: str, body: NetworksWanted) -> HttpResponse:
    """Replace the list. From elsewhere members are strangers at once; for owners."""
    require_confirmed(request)
    entries = [Entry(item.network, item.note) for item in body.networks]
    return _said(set_networks(request.actor, org, entries, tokens_pass=body.tokens_pass, leave=body.leave))


def _said(found: NetworksView) -> HttpResponse:
    listed = [ToldNetwork(network=entry.network, note=entry.note) for entry in found.entries]
    return said(Networks(networks=listed, tokens_pass=found.tokens_pass, address=found.address))
