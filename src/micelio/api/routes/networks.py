"""The networks that an organization is reached from, for its owners."""

from __future__ import annotations

from typing import ClassVar

from django.db import transaction
from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.api.answers import require_match, shown, wants_match
from micelio.api.confirmed import require_confirmed
from micelio.api.headers import conditional
from micelio.api.request import ApiRequest
from micelio.api.shapes import Sent, Told
from micelio.networks import MOST, NOTE_LENGTH, Entry
from micelio.organizations.networks import (
    NetworksView,
    change_networks,
    get_networks,
    networks_held,
    set_networks,
)

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

    changeable: ClassVar[tuple[str, ...]] = ("networks", "tokens_pass")

    networks: list[ToldNetwork]
    tokens_pass: bool = Field(description="Whether tokens of admins pass that were made to come from anywhere.")
    address: str = Field(description="Where this request came from.")


class NetworksWanted(Sent):
    """All of the networks."""

    networks: list[SentNetwork] = Field(max_length=MOST)
    tokens_pass: bool = False
    leave: bool = Field(False, description="Also when this request comes from none of them.")


class NetworksChange(Sent):
    """What is to be another; the rest stays."""

    add: list[SentNetwork] = Field([], max_length=MOST)
    remove: list[str] = Field([], max_length=MOST, description="Networks, or addresses, that are in the list.")
    tokens_pass: bool | None = None
    leave: bool = Field(False, description="Also when this request comes from none of what remains.")


@router.get("/orgs/{org}/networks", response=Networks, summary="Where members come from")
def list_networks(request: ApiRequest, org: str) -> HttpResponse:
    """For owners."""
    return shown(request, _shape(get_networks(request.actor, org)))


@router.put(
    "/orgs/{org}/networks",
    response=Networks,
    summary="Say where members come from",
    openapi_extra=conditional(),
)
def put_networks(request: ApiRequest, org: str, body: NetworksWanted) -> HttpResponse:
    """Replace the list. From elsewhere members are strangers at once; for owners."""
    require_confirmed(request)
    entries = [Entry(item.network, item.note) for item in body.networks]
    with transaction.atomic():
        if wants_match(request):
            require_match(request, _shape(networks_held(request.actor, org)))
        made = set_networks(request.actor, org, entries, tokens_pass=body.tokens_pass, leave=body.leave)
    return shown(request, _shape(made))


@router.patch("/orgs/{org}/networks", response=Networks, summary="Add or remove networks of members")
def patch_networks(request: ApiRequest, org: str, body: NetworksChange) -> HttpResponse:
    """What else somebody changes in the list at the same moment stays; for owners."""
    require_confirmed(request)
    given = body.given() | {"add": [Entry(item.network, item.note) for item in body.add]}
    return shown(request, _shape(change_networks(request.actor, org, **given)))


def _shape(found: NetworksView) -> Networks:
    listed = [ToldNetwork(network=entry.network, note=entry.note) for entry in found.entries]
    return Networks(networks=listed, tokens_pass=found.tokens_pass, address=found.address)
