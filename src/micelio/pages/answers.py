"""From what a view found to what goes over the wire: a page, its machine twins, or an error in the same form."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from mic.core.errors import (
    AlreadyExists,
    Busy,
    Corrupt,
    Erased,
    InvalidInput,
    MicError,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from micelio.accounts.actor import actor_from_request
from micelio.accounts.handles import sought
from micelio.config import current
from micelio.languages.known import ENGLISH
from micelio.languages.spoken import gettext, gettext_noop, spoken
from micelio.organizations.policy import asked_once
from micelio.pages.addresses import Site, moved_address, own_address
from micelio.pages.kept import pages
from micelio.pages.twin_text import as_text, escaped
from micelio.projects.moved import Move, moves
from micelio.projects.queries import project_name
from micelio.sentences import for_people
from micelio.spent import part

_STATUS: tuple[tuple[type[MicError], int, str], ...] = (
    (NotFound, 404, gettext_noop("Nothing here")),
    (Erased, 410, gettext_noop("Taken away")),
    (Unauthenticated, 401, gettext_noop("Sign in first")),
    (PermissionDenied, 403, gettext_noop("Not allowed")),
    (AlreadyExists, 409, gettext_noop("Taken")),
    (PreconditionFailed, 409, gettext_noop("Not now")),
    (Busy, 409, gettext_noop("Busy")),
    (TooLarge, 413, gettext_noop("Too large")),
    (InvalidInput, 400, gettext_noop("This cannot be meant that way")),
    (RateLimited, 429, gettext_noop("Too many requests")),
    (Unavailable, 503, gettext_noop("Not reachable at the moment")),
    (Corrupt, 500, gettext_noop("Something is damaged")),
    (MicError, 500, gettext_noop("Something broke")),
)

# What a page says in a language in which the sentence of the error itself is not there.
_GENERAL = {
    400: gettext_noop("The request could not be understood."),
    401: gettext_noop("This is for people who are signed in."),
    403: gettext_noop("You may see that this exists, but not do this to it."),
    404: gettext_noop("There is nothing at this address, or it is not yours to see."),
    405: gettext_noop("This address does not take such a request."),
    409: gettext_noop("It cannot be done as things are now."),
    410: gettext_noop("What was here was erased."),
    413: gettext_noop("That is more than the forge takes or shows at once."),
    429: gettext_noop("Wait a little, then try again."),
    500: gettext_noop("The forge met an error of its own. Nothing was changed by it; the log of the forge says more."),
    503: gettext_noop("A part of the forge does not answer. Try again in a moment."),
}


@dataclass(frozen=True)
class Page:
    """What a view hands over: a template with its context, the same as data, and as Markdown where it has its own."""

    template: str
    context: dict[str, Any]
    data: dict[str, Any]
    markdown: Callable[[], str] | None = None


# The forms of a page, by what Accept calls them, and those beside HTML.
_FORMS = {"text/html": "html", "application/json": "json", "text/markdown": "md"}
_TWINS = ("json", "md")

View = Callable[..., Page | HttpResponseBase]


def page(view: View) -> Callable[..., HttpResponseBase]:
    """Makes a view of `view(request, actor, ...)`: reads only, answers in the form that was asked for."""

    @require_safe
    @functools.wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            with asked_once(), moves() as moved:
                found = view(request, actor_from_request(request), **named)
        except MicError as error:
            response = problem(request, error)
        else:
            elsewhere = moved_to(request, moved, named)
            response = elsewhere or (respond(request, found) if isinstance(found, Page) else found)
        patch_vary_headers(response, ["Accept", "Cookie"])
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    return answer


def kept(answer: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For a `page` that is made of rows, heads and what never changes: one made a moment ago may be served again."""

    @functools.wraps(answer)
    def again(request: HttpRequest, **named: Any) -> HttpResponseBase:
        return pages.answer(request, lambda: answer(request, **named))

    return again


def moved_to(request: HttpRequest, moved: list[Move], named: dict[str, Any]) -> HttpResponse | None:
    """Where the page that was asked for is now, when its project or its organization has another name; else None.

    Its address may be another one again tomorrow, so nobody keeps the answer without asking.
    """
    asked_for = sought(str(named.get("owner", ""))), sought(str(named.get("handle", "")))
    at = next((move for move in moved if move[:2] == asked_for), None)
    if at is None:
        return None
    if at.new_handle:
        return HttpResponsePermanentRedirect(moved_address(request, Site(at.new_owner, at.new_handle)))
    address, _, query = request.get_full_path().partition("?")
    parts = ["", quote(at.new_owner, safe=""), *address.split("/")[2:]]
    return HttpResponsePermanentRedirect("/".join(parts) + (f"?{query}" if query else ""))


def _form(request: HttpRequest) -> str:
    """html, json or md: what `?format=` says, else what Accept prefers."""
    asked = request.GET.get("format", "")
    if asked in ("html", *_TWINS):
        return asked
    if asked:
        raise InvalidInput(f"This page has no form called {asked[:20]!r}.", hint="Ask for `json` or `md`.")
    return _FORMS.get(request.get_preferred_type(list(_FORMS)) or "", "html")


def respond(request: HttpRequest, found: Page, status: int = 200) -> HttpResponse:
    """The page in the form that was asked for."""
    try:
        form = _form(request)
    except InvalidInput as error:
        return problem(request, error)
    if form == "json":
        return json_response(found.data, status)
    if form == "md":
        return markdown_response(found.markdown() if found.markdown else _general(request, found.data), status)
    twins = [{"name": f".{name}", "address": f"?{_query(request, name)}"} for name in _TWINS]
    with part("render"):
        html = render_to_string(found.template, {**found.context, "twins": twins, **_head(request)}, request)
    return HttpResponse(html, status=status)


def _general(request: HttpRequest, data: dict[str, Any]) -> str:
    """The page as Markdown, from what it says as JSON."""
    address = own_address(request)
    whole = f"{current().base_url}{address}?{_query(request, 'json')}"
    return as_text(address, msgspec.json.decode(_encoder.encode(data)), whole)


def markdown_response(text: str, status: int = 200) -> HttpResponse:
    """A text for whoever reads without HTML."""
    return HttpResponse(text, status=status, content_type="text/markdown; charset=utf-8")


def _head(request: HttpRequest) -> dict[str, str]:
    """What the head of a page says of where it is."""
    return {"canonical": f"{current().base_url}{own_address(request)}"}


def _query(request: HttpRequest, form: str) -> str:
    """The query of the page's twin: everything that was asked for, in another form."""
    kept = [(key, value) for key, values in request.GET.lists() if key != "format" for value in values]
    return urlencode([*kept, ("format", form)])


def problem(
    request: HttpRequest, error: MicError, template: str = "pages/problem.html", context: dict[str, Any] | None = None
) -> HttpResponse:
    """An expected error: its sentence and the way out, as a page or as data with its stable code.

    `template` with its `context` is the page whose form was filled in, to be mended there.
    """
    error = for_people(error, project_name)
    status, title = status_of(error)
    try:
        form = _form(request)
    except InvalidInput:
        form = "html"
    if form == "json":
        body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        answer = json_response(body, status)
    elif form == "md":
        said = [escaped(text) for text in (error.message, error.hint) if text]
        answer = markdown_response("\n\n".join([f"# {title}", *said]) + "\n", status)
    else:
        told = problem_context(status, title, error.message, error.hint)
        html = render_to_string(template, {**(context or {}), **told}, request)
        answer = HttpResponse(html, status=status)
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def problem_html(request: HttpRequest, status: int, title: str, message: str, hint: str) -> str:
    """The page of an error, for whoever asks."""
    return render_to_string("pages/problem.html", problem_context(status, title, message, hint), request)


def problem_context(status: int, title: str, message: str, hint: str) -> dict[str, str]:
    """What such a page says. Its own sentences are English; other languages say beside them what its status means."""
    general = "" if spoken() is ENGLISH else gettext(_GENERAL.get(status, ""))
    return {"title": gettext(title), "general": general, "message": message, "hint": hint}


def status_of(error: MicError) -> tuple[int, str]:
    """The HTTP status of an expected error, and a title of few words."""
    return next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))


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
