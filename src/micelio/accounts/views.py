"""Doors of signing in and out: discovery, passkeys, tokens of `mic`, device approval."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, cast

from allauth.idp.oidc.forms import ConfirmCodeForm
from allauth.idp.oidc.views import DeviceAuthorizationView
from allauth.idp.oidc.views import device_code as make_device_code
from allauth.idp.oidc.views import revoke as revoke_token
from allauth.idp.oidc.views import token as issue_tokens
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from micelio import __version__
from micelio.accounts import actions, families
from micelio.accounts.actor import SCOPE
from micelio.accounts.confirmation import require_confirmed
from micelio.accounts.library_words import ONE_TIME_CODE
from micelio.cluster.locks import alone
from micelio.config import current


@require_GET
def discovery(request: HttpRequest) -> HttpResponse:
    """`/.well-known/micelio.json`: all that a client must know beside the address it was given."""
    settings = current()
    base = settings.base_url
    return JsonResponse(
        {
            "name": "Micelio",
            "version": __version__,
            "base_url": base,
            "grpc": settings.grpc_address,
            "grpc_tls": settings.secure,
            "device_authorization_endpoint": base + reverse("idp:oidc:device_code"),
            "token_endpoint": base + reverse("idp:oidc:token"),
            "revocation_endpoint": base + reverse("idp:oidc:revoke"),
            "client_id": actions.CLIENT_ID,
            "scope": SCOPE,
        }
    )


@never_cache
@require_GET
def passkey(request: HttpRequest) -> HttpResponse:
    """Signing in with a passkey, on a page of its own: it is the one that needs a script."""
    return render(request, "accounts/passkey.html")


def _in_turn(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view that reads codes and tokens, judges and writes: whoever has the same in mind waits, at every forge.

    So a code is redeemed once and a refresh token renewed once, however many ask for it at the same time.
    """

    @functools.wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponseBase:
        with transaction.atomic():
            alone("grants")
            return view(*args, **kwargs)

    return answer


@never_cache
@csrf_exempt
@require_POST
@_in_turn
def token(request: HttpRequest) -> HttpResponse:
    """The token endpoint (RFC 6749, section 3.2). A refresh token that was exchanged before ends its whole sign-in.

    The answer to it is the provider's for a token that never was.
    """
    refreshing = request.POST.get("grant_type") == "refresh_token"
    presented = request.POST.get("refresh_token", "") if refreshing else ""
    family = families.present(presented) if presented else None
    answer = cast(HttpResponse, issue_tokens(request))
    if answer.status_code == 200:
        families.exchanged(family, presented, json.loads(answer.content))
    return answer


@csrf_exempt
@require_POST
def device_code(request: HttpRequest) -> HttpResponse:
    """The device authorization endpoint (RFC 8628, section 3.1), whose library fails on a request without a type."""
    if not request.content_type:
        words = "Send application/x-www-form-urlencoded."
        return JsonResponse({"error": "invalid_request", "error_description": words}, status=400)
    return cast(HttpResponse, make_device_code(request))


@csrf_exempt
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009: end a token, and with a refresh token the access token of the same grant."""
    actions.end_grant(request.POST.get("client_id", ""), request.POST.get("token", ""))
    return cast(HttpResponse, revoke_token(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session of this browser."""
    logout(request)
    return HttpResponseRedirect("/")


# The library makes this form by itself, and has no setting for another one.
_field = ConfirmCodeForm.base_fields["code"]
_field.label = _field.widget.attrs["placeholder"] = ONE_TIME_CODE


# allauth exempts its approval page from CSRF: a foreign page could approve an attacker's device. A `dispatch` of
# our own carries no such mark. Its turn lasts from reading to writing the code, so that no poll undoes it.
@method_decorator([never_cache, csrf_protect, _in_turn], name="dispatch")
class DeviceApproval(DeviceAuthorizationView):  # type: ignore[misc]
    """Enter, look at and approve the code that `mic auth login` shows. Approving lets a program in: it is confirmed."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and request.user.is_authenticated and request.POST.get("action") == "confirm":
            require_confirmed(request)
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))


device = DeviceApproval.as_view()
