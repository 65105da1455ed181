"""Pages do not wait for a store that is away: each holds one of a few threads that all other pages are made in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from mic.store.patience import hurried


class HurryReads:
    """Whatever only reads asks the store in a hurry; what lands or changes something keeps its patience."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return self._get_response(request)
        with hurried():
            return self._get_response(request)
