"""Doors to one's own account: account page, one-time link, sign-out, device approval, discovery."""

from __future__ import annotations

from typing import Any, cast

from allauth.idp.oidc.views import DeviceAuthorizationView
from allauth.idp.oidc.views import revoke as revoke_token
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mic.core.errors import MicError, NotFound
from micelio import __version__
from micelio.accounts import actions
from micelio.accounts.actor import SCOPE, actor_from_request
from micelio.accounts.forms import AccountForm
from micelio.accounts.models import User
from micelio.config import current
from micelio.sentences import one_line

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


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
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link. Looking at it changes nothing, so a mail scanner cannot spend it; the button does."""
    if request.method != "POST":
        return render(request, "accounts/once.html")
    try:
        user = actions.burn_sign_in_link(token)
    except NotFound as error:
        return render(request, "accounts/once.html", {"error": error}, status=410)
    login(request, user, backend=_BACKEND)
    return HttpResponseRedirect(reverse("account"))


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


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's own name, e-mail and password."""
    user = cast(User, request.user)
    saved = False
    if request.method == "POST":
        form = AccountForm(request.POST, user=user)
        if form.is_valid() and _update(request, user, form):
            saved = True
            form = AccountForm(initial={"name": user.name, "email": user.email}, user=user)
    else:
        form = AccountForm(initial={"name": user.name, "email": user.email}, user=user)
    return render(request, "accounts/account.html", {"form": form, "saved": saved})


def _update(request: HttpRequest, user: User, form: AccountForm) -> bool:
    values = form.cleaned_data
    try:
        actions.update_account(
            actor_from_request(request), user, name=values["name"], email=values["email"], password=values["password"]
        )
    except MicError as error:
        form.add_error(None, one_line(error))
        user.refresh_from_db()
        return False
    # A new password ends all other sessions; this one goes on under a new key.
    update_session_auth_hash(request, user)
    return True


# allauth exempts its approval page from CSRF: a foreign page could approve an attacker's device. A `dispatch` of
# our own carries no such mark. One transaction around reading and writing the code keeps a poll from undoing it.
@method_decorator([never_cache, csrf_protect, transaction.atomic], name="dispatch")
class DeviceApproval(DeviceAuthorizationView):  # type: ignore[misc]
    """Enter, look at and approve the code that `mic auth login` shows."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return cast(HttpResponse, super().dispatch(request, *args, **kwargs))


device = DeviceApproval.as_view()
