"""What the OAuth library does not read is a bad request, and not a failure of the forge."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]


def readable(view: View) -> View:
    """The view, answering `invalid_request` (RFC 6749, section 5.2) where the library raises ValueError.

    It reads every header as UTF-8 and every query as strictly encoded, and lets its own errors pass.
    """

    @functools.wraps(view)
    def answer(*args: Any, **named: Any) -> HttpResponseBase:
        try:
            return view(*args, **named)
        except ValueError:
            words = "A header or a parameter of the request is not encoded as OAuth has it: UTF-8, percent-encoded."
            return JsonResponse({"error": "invalid_request", "error_description": words}, status=400)

    return answer
