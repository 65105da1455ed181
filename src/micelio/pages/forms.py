"""Pages with forms: shown, and shown anew when what was posted is done; what is refused is told where it was asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from mic.core.errors import InvalidInput, MicError
from micelio.accounts.actor import Actor, actor_from_request
from micelio.organizations.policy import asked_once
from micelio.pages.answers import Page, View, moved_to, problem, respond, status_of
from micelio.projects.moved import moves
from micelio.sentences import one_line

# Does what was posted; the address to go to, or what the page is to say of it, once.
Act = Callable[..., str | Mapping[str, Any]]
Of = TypeVar("Of")


def form_page(**acts: Act) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Makes a page of `view(request, actor, ...)` whose forms name in the field `act` which of `acts` to do.

    They are called as the view is. What one refuses is in the page's context as `refused`, beside what was `typed`.
    """

    def wrap(view: View) -> Callable[..., HttpResponseBase]:
        @require_http_methods(["GET", "HEAD", "POST"])
        @functools.wraps(view)
        def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
            actor = actor_from_request(request)
            response: HttpResponseBase
            try:
                with asked_once(), moves() as moved:
                    said, status = _done(request, actor, acts, named) if request.method == "POST" else ({}, 200)
                    if isinstance(said, str):
                        return HttpResponseRedirect(said)
                    found = view(request, actor, **named)
            except MicError as error:
                response = problem(request, error)
            else:
                elsewhere = moved_to(request, moved, named) if request.method != "POST" else None
                response = elsewhere or (_with(request, found, said, status) if isinstance(found, Page) else found)
            patch_vary_headers(response, ["Accept", "Cookie"])
            # Not `never_cache`: its Expires would tell what is hidden from what is missing by the second.
            response.headers["Cache-Control"] = "private, no-store"
            return response

        return answer

    return wrap


def pressed(acts: Mapping[str, Of], request: HttpRequest) -> Of:
    """What the button stands for that a form was sent with. Raises InvalidInput for another, or none."""
    said = request.POST.get("act", "")
    if said not in acts:
        raise InvalidInput("This form has no such button.", hint="Open the page again.")
    return acts[said]


def _done(
    request: HttpRequest, actor: Actor, acts: Mapping[str, Act], named: Mapping[str, Any]
) -> tuple[str | Mapping[str, Any], int]:
    try:
        return pressed(acts, request)(request, actor, **named), 200
    except MicError as error:
        return {"refused": one_line(error), "typed": request.POST}, status_of(error)[0]


def _with(request: HttpRequest, found: Page, said: Mapping[str, Any], status: int) -> HttpResponseBase:
    return respond(request, Page(found.template, {**found.context, **said}, found.data, found.markdown), status)
