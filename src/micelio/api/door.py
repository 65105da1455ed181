"""What every request of this door goes through: who asks, what it may say, and how an answer or an error leaves."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from mic.core.errors import InvalidInput, PermissionDenied, Unauthenticated
from micelio.accounts.actor import Actor, actor_from_request
from micelio.api.idempotency import once
from micelio.api.limits import DEEPEST_BODY
from micelio.api.problems import MethodNotAllowed, UnknownType, problem
from micelio.api.request import ApiRequest
from micelio.audit.origin import current_address
from micelio.limits.door import Who, spend, spend_sign_in
from micelio.organizations.policy import asked_once
from micelio.tokens.queries import actor_of_token

View = Callable[..., HttpResponseBase]
# From the edge, which names every request; see `micelio.edge.headers`.
REQUEST_ID = "micelio.request_id"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON = re.compile(r"application/(?:json|[a-z0-9.+-]+\+json)\Z")


def door(view: View, takes: Callable[[], Mapping[str, frozenset[str]]]) -> View:
    """`view` behind this door. `takes` gives for each method the names that may stand behind the question mark."""

    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        asking = cast(ApiRequest, request)
        asking.request_id = _request_id(request)
        response: HttpResponseBase
        try:
            with asked_once():
                response = _answer(asking, view, takes(), named)
        except Exception as error:
            response = problem(error, asking.request_id)
        return _finished(asking, response)

    return answer


def refusal(request: HttpRequest, error: Exception) -> HttpResponseBase:
    """The answer to a request that is refused before it comes to any view of this door."""
    asking = cast(ApiRequest, request)
    asking.request_id = _request_id(request)
    return _finished(asking, problem(error, asking.request_id))


def nothing_here(request: HttpRequest, **named: Any) -> HttpResponseBase:
    """Whatever no route of this door matches."""
    raise Http404


def _answer(
    request: ApiRequest, view: View, takes: Mapping[str, frozenset[str]], named: dict[str, Any]
) -> HttpResponseBase:
    method = str(request.method)
    if method == "HEAD":
        # As GET; the server leaves the body out.
        method = request.method = "GET"
    if takes and method not in takes:
        allowed = ", ".join(sorted({*takes, "HEAD"} if "GET" in takes else takes))
        raise MethodNotAllowed(f"{method[:20]} is not done here.", hint=f"Use {allowed}.", allow=allowed)
    if method not in _SAFE:
        _require_json(request)
    request.actor = _actor(request, method)
    if takes:
        _require_known(request, takes[method], named)
    return once(request, lambda: view(request, **named))


def _actor(request: ApiRequest, method: str) -> Actor:
    """Who the bearer token stands for; without one whoever the browser is signed in as. Raises Unauthenticated.

    A browser sends its cookie whoever made it ask, so what changes something needs the form's token as well.
    """
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "The Authorization header is not a bearer token.", hint="Send `Authorization: Bearer <token>`."
            )
        return _let_in(token.strip())
    actor = actor_from_request(request)
    if actor.signed_in and method not in _SAFE and _forged(request):
        raise PermissionDenied(
            "A browser's sign-in changes things here only with its CSRF token.",
            hint="Send `X-CSRFToken`, or use a token: `Authorization: Bearer <token>`.",
        )
    return actor


def _let_in(token: str) -> Actor:
    """Who a token stands for, once it is clear that they may ask once more. Raises Unauthenticated, RateLimited."""
    try:
        actor = actor_of_token(token)
    except Unauthenticated:
        spend_sign_in(current_address())
        raise
    grant = actor.grant
    if grant is None:
        spend("api", Who(current_address(), actor.user_id))
    else:
        spend("api", Who(current_address(), actor.user_id, grant.token_id, grant.session))
    return actor


def _forged(request: ApiRequest) -> bool:
    judge = CsrfViewMiddleware(lambda _: HttpResponse())
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # Django's own mark: it was not judged yet
    judge.process_request(request)
    return judge.process_view(request, _judged, (), {}) is not None


def _judged(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _require_json(request: ApiRequest) -> None:
    length = request.headers.get("Content-Length", "0")
    kind = request.content_type or ""
    if length != "0" and not _JSON.match(kind.lower()):
        raise UnknownType(
            f"A body of type {kind[:60]!r} is not read here.", hint="Send JSON, with `Content-Type: application/json`."
        )


def _require_known(request: ApiRequest, takes: frozenset[str], named: Mapping[str, Any]) -> None:
    for name in request.GET:
        if name not in takes:
            known = f"Use {', '.join(sorted(takes))}." if takes else "Leave it out: this takes none."
            raise InvalidInput(f"`{name[:40]}` is no parameter of this.", hint=known)
        if len(request.GET.getlist(name)) > 1:
            raise InvalidInput(f"`{name}` is there twice.", hint="Say it once.")
    for text in (*request.GET.values(), *named.values()):
        if isinstance(text, str) and "\x00" in text:
            raise InvalidInput("The address holds a NUL character.", hint="Leave it out.")


def parse_body(raw: bytes) -> Any:
    """The value of a body. Raises InvalidInput for what is no JSON, lies too deep, or holds a NUL character."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("The body is not JSON that can be read.", hint=f"{str(error)[:100]}") from error
    _require_plain(value, DEEPEST_BODY)
    return value


def _require_plain(value: Any, depth: int) -> None:
    if depth == 0:
        raise InvalidInput(f"The body lies more than {DEEPEST_BODY} levels deep.", hint="Send it flatter.")
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidInput("The body holds a NUL character.", hint="Leave it out; send bytes as base64.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _require_plain(key, depth)
            _require_plain(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _require_plain(item, depth - 1)


def _request_id(request: HttpRequest) -> str:
    """As the edge has named it; a server without our edge in front gives it a name here."""
    scope = request.META.get("asgi.scope")
    named = scope.get(REQUEST_ID) if isinstance(scope, dict) else None
    return named if isinstance(named, str) else secrets.token_hex(16)


def _finished(request: ApiRequest, response: HttpResponseBase) -> HttpResponseBase:
    patch_vary_headers(response, ["Authorization", "Cookie"])
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["X-Request-Id"] = request.request_id
    return response
