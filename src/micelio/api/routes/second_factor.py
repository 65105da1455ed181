"""Whether an organization asks its members for a second factor, for its owners."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from micelio.api.answers import said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import Sent, Told
from micelio.organizations.second_factor import Standing, ask_second_factor, second_factor_standing

router = Router(tags=["organizations"])


class SecondFactorStanding(Told):
    """Whether it asks, and who has none."""

    asks: bool
    lacking: list[str] = Field(description="Handles, as many as are named.")
    lacking_in_all: int


class SecondFactorWanted(Sent):
    """Whether it shall ask."""

    asks: bool


@router.get("/orgs/{org}/second-factor", response=SecondFactorStanding, summary="Are second factors asked for?")
def get_second_factor(request: ApiRequest, org: str) -> HttpResponse:
    """And which members have none; for owners."""
    return _said(second_factor_standing(request.actor, org))


@router.put("/orgs/{org}/second-factor", response=SecondFactorStanding, summary="Ask for second factors, or no longer")
def put_second_factor(request: ApiRequest, org: str, body: SecondFactorWanted) -> HttpResponse:
    """Who has none is outside at once, until they have one; for owners who have one themselves.

    A token can ask, and not end it: that is for a browser that has confirmed who uses it.
    """
    require_confirmed(request)
    return _said(ask_second_factor(request.actor, org, body.asks))


def _said(found: Standing) -> HttpResponse:
    return said(SecondFactorStanding(asks=found.asks, lacking=list(found.lacking), lacking_in_all=found.lacking_in_all))
