"""A request as the views of this door see it."""

from __future__ import annotations

from django.http import HttpRequest

from micelio.accounts.actor import Actor


class ApiRequest(HttpRequest):
    """A Django request on which the door has written down who asks, and what the request is called in logs."""

    actor: Actor
    request_id: str
