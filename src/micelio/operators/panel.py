"""A page of the administrators: shown by a query, changed by acts that its forms name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from mic.core.errors import InvalidInput, MicError, NotFound, PermissionDenied
from micelio.accounts.actor import actor_from_request
from micelio.accounts.confirmation import is_confirmed
from micelio.operators.policy import require_operating
from micelio.pages.answers import Page, problem, respond
from micelio.sentences import one_line

# What a form's button carries out. It gives the address to go on to, None for the page itself.
Act = Callable[..., str | None]


def panel(show: Callable[..., Page], acts: Mapping[str, Act] | None = None) -> Callable[..., HttpResponseBase]:
    """A view of `show(request, actor, ...)` and of acts `act(request, actor, ...)`, for administrators only.

    Whoever acts has confirmed lately who they are: a browser that somebody left behind must not be enough. An act that
    is refused shows the page again, with the sentence and what was typed.
    """

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"] if acts else ["GET", "HEAD"])
    @functools.wraps(show)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        actor = actor_from_request(request)
        try:
            require_operating(actor)
            if request.method != "POST":
                return respond(request, show(request, actor, **named))
            if not is_confirmed(request):
                raise ReauthenticationRequired  # allauth's middleware asks, and resumes the request
            try:
                where = _act(request, acts or {})(request, actor, **named)
                return HttpResponseRedirect(where or request.get_full_path())
            except PermissionDenied:
                raise
            except MicError as error:
                return _again(request, show(request, actor, **named), error)
        except MicError as error:
            return problem(request, error)

    return answer


def number(request: HttpRequest, name: str) -> int:
    """A whole number of a form, 0 for nothing. Raises InvalidInput."""
    text = request.POST.get(name, "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise InvalidInput(f"{text[:40]!r} is no whole number.", hint="Use digits only.")
    return int(text)


def identity(request: HttpRequest, name: str) -> UUID:
    """An id of a form. Raises NotFound: what has no id of that form is not there."""
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound("There is no such thing any more.", hint="Look at the list again.") from None


def _act(request: HttpRequest, acts: Mapping[str, Act]) -> Act:
    name = request.POST.get("act", "")
    if name not in acts:
        raise InvalidInput(f"{name[:40]!r} is nothing that this page does.", hint="Use its buttons.")
    return acts[name]


def _again(request: HttpRequest, found: Page, error: MicError) -> HttpResponseBase:
    typed = {name: value[:1000] for name, value in request.POST.items() if isinstance(value, str)}
    context = {**found.context, "error": one_line(error), "typed": typed}
    data = {**found.data, "error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return respond(request, Page(found.template, context, data), 404 if isinstance(error, NotFound) else 400)
