"""Browsers that come from none of the networks that accounts are used from: visitors, who cannot sign in."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from micelio.accounts.whereabouts import elsewhere, is_within
from micelio.edge.limits import proves_who, refused


class OnlyFromNetworks:
    """The session stays as it is: back within, it counts again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_within():
            if proves_who(request.path_info):
                return refused(request, elsewhere())
            request.user = AnonymousUser()
        return self._get_response(request)
