"""What is sent is read as UTF-8, whatever its header says.

Django takes any codec of Python's that a client names, even those that are none of text, and then fails on every
address: over the query of a GET while the request is made, and once more over the page that was to say so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

from mic.core.errors import InvalidInput
from micelio.edge.limits import problem

_READ = frozenset({"utf-8", "utf8", "us-ascii"})
# Where the name of another charset is kept until there is a page to say so.
_NAMED = "micelio.charset"


def as_utf8(environ: dict[str, Any]) -> None:
    """Takes another charset out of a request's Content-Type before Django makes a request of it."""
    said = environ.get("CONTENT_TYPE", "")
    if "charset" not in said.lower():
        return
    try:
        kind, parameters = parse_header_parameters(said)
    except ValueError:
        kind, parameters = "", {"charset": said}
    named = parameters.pop("charset", "").strip("\"' ").lower()
    if named and named not in _READ:
        boundary = parameters.get("boundary", "")
        environ["CONTENT_TYPE"] = f"{kind}; boundary={boundary}" if boundary else kind
        environ[_NAMED] = named


class OnlyUtf8:
    """Refuses a body that says it is in another charset; where there is none, what is said of it means nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        named = request.META.get(_NAMED, "")
        if not named or request.method in ("GET", "HEAD"):
            return self._get_response(request)
        error = InvalidInput(f"{named[:40]!r} is not read here, only UTF-8.", hint="Send it as UTF-8.")
        return problem(request, error, 400)
