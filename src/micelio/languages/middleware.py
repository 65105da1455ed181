"""Each request is answered in one language, which is decided before its view runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from micelio.languages.choice import COOKIE, language_called, language_for
from micelio.languages.known import ENGLISH
from micelio.languages.spoken import speak, spoken
from micelio.languages.translated import TRANSLATED

_FORMS = ["text/html", "application/json", "text/markdown"]


class Languages:
    """Speaks the visitor's language to who reads a page that is translated, and English to everybody else.

    An address that leads nowhere, and a request that is refused before its view, is answered as a page is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen, asked = request.COOKIES.get(COOKIE, ""), request.headers.get("Accept-Language", "")
        speak(language_for(chosen, asked) if chosen or asked else ENGLISH)
        try:
            response = self._get_response(request)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                response.headers["Content-Language"] = spoken().tag
                patch_vary_headers(response, ["Accept-Language", "Cookie"])
        finally:
            # The thread answers somebody else next.
            speak(ENGLISH)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, named: Any) -> None:
        """Now it is known which page it is."""
        match = request.resolver_match
        if match is None or match.view_name not in TRANSLATED or not _reads_html(request):
            speak(ENGLISH)
        elif settings.SESSION_COOKIE_NAME in request.COOKIES:
            try:
                own = language_called(getattr(request.user, "language", ""))
            except DatabaseError:
                # The page itself will say so, in the language that the request names.
                return
            if own is not None:
                speak(own)


def _reads_html(request: HttpRequest) -> bool:
    form = request.GET.get("format", "")
    return form == "html" or (not form and request.get_preferred_type(_FORMS) in ("text/html", None))
