"""From what a view found to what goes over the wire: a page, its machine twins, or an error in the same form."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from mic.core.errors import (
    Corrupt,
    InvalidInput,
    MicError,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from micelio.accounts.actor import actor_from_request
from micelio.projects.queries import project_name
from micelio.sentences import for_people

_STATUS: tuple[tuple[type[MicError], int, str], ...] = (
    (NotFound, 404, "Nothing here"),
    (Unauthenticated, 401, "Sign in first"),
    (PermissionDenied, 403, "Not allowed"),
    (TooLarge, 413, "Too large"),
    (InvalidInput, 400, "This cannot be meant that way"),
    (Unavailable, 503, "Not reachable at the moment"),
    (Corrupt, 500, "Something is damaged"),
    (MicError, 500, "Something broke"),
)


@dataclass(frozen=True)
class Page:
    """What a view hands over: a template with its context, the same as data, and as Markdown where that makes sense."""

    template: str
    context: dict[str, Any]
    data: dict[str, Any]
    markdown: Callable[[], str] | None = None


View = Callable[..., Page | HttpResponseBase]


def page(view: View) -> Callable[..., HttpResponseBase]:
    """Makes a view of `view(request, actor, ...)`: reads only, answers in the form that was asked for."""

    @require_safe
    @functools.wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            found = view(request, actor_from_request(request), **named)
        except MicError as error:
            response = _problem(request, error)
        else:
            response = _respond(request, found) if isinstance(found, Page) else found
        patch_vary_headers(response, ["Accept", "Cookie"])
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    return answer


def _form(request: HttpRequest, markdown: bool) -> str:
    """html, json or md: what `?format=` says, else what Accept prefers."""
    asked = request.GET.get("format", "")
    if asked:
        if asked == "json" or asked == "html" or (asked == "md" and markdown):
            return asked
        raise InvalidInput(
            f"This page has no form called {asked[:20]!r}.", hint="Ask for `json`" + (" or `md`." if markdown else ".")
        )
    types = ["text/html", "application/json"] + (["text/markdown"] if markdown else [])
    preferred = request.get_preferred_type(types)
    return {"application/json": "json", "text/markdown": "md"}.get(preferred or "", "html")


def _respond(request: HttpRequest, found: Page) -> HttpResponse:
    try:
        form = _form(request, found.markdown is not None)
    except InvalidInput as error:
        return _problem(request, error)
    if form == "json":
        return json_response(found.data)
    if form == "md":
        assert found.markdown is not None
        return HttpResponse(found.markdown(), content_type="text/markdown; charset=utf-8")
    names = ["json"] + (["md"] if found.markdown else [])
    twins = [{"name": f".{name}", "address": f"?{_query(request, name)}"} for name in names]
    return HttpResponse(render_to_string(found.template, {**found.context, "twins": twins}, request))


def _query(request: HttpRequest, form: str) -> str:
    """The query of the page's twin: everything that was asked for, in another form."""
    kept = [(key, value) for key, values in request.GET.lists() if key != "format" for value in values]
    return urlencode([*kept, ("format", form)])


def _problem(request: HttpRequest, error: MicError) -> HttpResponse:
    """An expected error: its sentence and the way out, as a page or as data with its stable code."""
    error = for_people(error, project_name)
    status, title = next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))
    if request.GET.get("format") == "json" or request.get_preferred_type(["text/html", "application/json"]) == (
        "application/json"
    ):
        body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        return json_response(body, status)
    context = {"title": title, "message": error.message, "hint": error.hint}
    return HttpResponse(render_to_string("pages/problem.html", context, request), status=status)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def json_response(data: Any, status: int = 200) -> HttpResponse:
    """Data as indented JSON, with a line end so that it prints well in a terminal."""
    body = msgspec.json.format(_encoder.encode(data), indent=2) + b"\n"
    return HttpResponse(body, status=status, content_type="application/json")


def path_data(path: bytes) -> dict[str, str]:
    """A path for machines: `path`, and `path_bytes` (base64) when it is not valid UTF-8."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": path.decode("utf-8", "replace"), "path_bytes": base64.b64encode(path).decode()}
