"""Limits of requests at the web door: what each address asks for, whom it is counted to, and the answer to too much."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from mic.core.errors import MicError, NotFound, PermissionDenied, RateLimited
from micelio.accounts.actor import actor_from_request
from micelio.api.door import refusal
from micelio.audit.origin import current_address
from micelio.edge.costly_turns import takes_long
from micelio.edge.failures import status_of
from micelio.limits.door import Budget, Who, latest, spend, spend_sign_in
from micelio.pages.answers import json_response, problem_html
from micelio.pages.answers import status_of as titled

# Proving who one is, by whatever means: each of these is a guess until it is right.
_SIGN_IN = re.compile(
    r"/-/(sign-in|sign-up|reset-password|e-mail/confirm|invited|oauth/token|oauth/device/code|device|account/second-factor)\b"
)
# What reads much of the store for one request; beside it counts what takes long to make.
_MUCH = re.compile(r"/[^/]+/[^/]+/-/(raw|archive)/")
_GIT = re.compile(r"/(info/refs|git-upload-pack|git-receive-pack)$")
_FREE = re.compile(r"/-/(look|passkeys)-[0-9a-f]+\.(css|js)$")


def kind_of(method: str, path: str, much: bool = False) -> str:
    """Which budget a request is taken from: sign-in, api, git, costly, pages, or "" for what costs nothing."""
    if path.startswith("/api/"):
        return "api"
    if method == "POST" and _SIGN_IN.match(path):
        return "sign-in"
    if _GIT.search(path):
        return "git"
    if much or _MUCH.match(path) or takes_long(path):
        return "costly"
    return "" if _FREE.match(path) else "pages"


def proves_who(path: str) -> bool:
    """Whether an address is one where somebody says who they are, or asks for what proves it."""
    return _SIGN_IN.match(path) is not None


class LimitRequests:
    """Refuses what is too much or from whom is blocked, and says on answers of the programs' door how much is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # An export of what another forge knew, or all of a difference on one page.
        much = request.GET.get("format") == "jsonl" or request.GET.get("lines") == "all"
        kind = kind_of(request.method or "", request.path_info, much)
        latest.set(None)
        try:
            _spend(request, kind)
        except (RateLimited, PermissionDenied, NotFound) as error:
            return refused(request, error)
        response = self._get_response(request)
        budget = latest.get()
        # On pages it would be one more thing that differs between two answers; there it is said when it matters.
        if budget is not None and (kind == "api" or budget.standing.left * 4 < budget.rate.requests):
            say(response, budget)
        return response


def _spend(request: HttpRequest, kind: str) -> None:
    if kind == "sign-in":
        spend_sign_in(current_address())
    elif kind and not (kind in ("api", "git") and "Authorization" in request.headers):
        # Whoever comes with a token is counted by the door that reads it.
        spend(kind, _who(request))


def _who(request: HttpRequest) -> Who:
    try:
        return Who(current_address(), actor_from_request(request).user_id)
    except OperationalError:  # the view will say that the database is away
        return Who(current_address())


def say(response: HttpResponseBase, budget: Budget) -> None:
    """Add the headers of draft-ietf-httpapi-ratelimit-headers (10): the budget, and what is left of it."""
    name, rate, standing = budget.name, budget.rate, budget.standing
    response.headers["RateLimit-Policy"] = f'"{name}";q={rate.requests};w={rate.seconds}'
    response.headers["RateLimit"] = f'"{name}";r={standing.left};t={max(1, round(standing.whole))}'


def refused(request: HttpRequest, error: MicError) -> HttpResponseBase:
    """The answer to whom nothing is given: 429 or 403 with Retry-After, or what is said of nothing at all."""
    response = problem(request, error, status_of(error))
    response.headers["Cache-Control"] = "no-store"
    wait = error.details.get("retry_after", 0.0)
    if wait:
        response.headers["Retry-After"] = str(max(1, -int(-wait // 1)))
    if isinstance(error, RateLimited):
        say(response, error.details["budget"])
    return response


def problem(request: HttpRequest, error: MicError, status: int) -> HttpResponseBase:
    """An error that comes before any view: RFC 9457 where programs ask, the pages' JSON, or a page."""
    if request.path_info.startswith("/api/"):
        return refusal(request, error)
    if request.GET.get("format") == "json" or not request.accepts("text/html"):
        return json_response({"error": {"code": error.code, "message": error.message, "hint": error.hint}}, status)
    html = problem_html(request, status, titled(error)[1], error.message, error.hint)
    return HttpResponse(html, status=status)
