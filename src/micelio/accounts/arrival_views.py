"""Doors for who is not signed in: links by mail, invitations, waiting for approval, confirming an address."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.internal.flows.email_verification import verify_email_indirectly
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.account.views import ConfirmEmailView
from allauth.core import ratelimit
from django.contrib.auth import logout
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from mic.core.errors import NotFound
from micelio.accounts import actions, invitations
from micelio.accounts.anew_views import BACK_TO
from micelio.accounts.forms import AskLinkForm
from micelio.accounts.policy import may_sign_up
from micelio.config import current


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest) -> HttpResponse:
    """Ask for a sign-in link. The answer is the same whether there is an account or not."""
    form = AskLinkForm(request.POST) if request.method == "POST" else AskLinkForm()
    if not (form.is_bound and form.is_valid()):
        return render(request, "accounts/ask_link.html", {"form": form})
    email = form.cleaned_data["email"].strip().lower()
    too_many = ratelimit.consume_or_429(request, action="request_login_code", key=email)
    if too_many is not None:
        return cast(HttpResponse, too_many)
    if not actions.mail_sign_in_link(email):
        # As much work, and a letter as well: a stranger cannot tell, and the owner of the address learns why.
        actions.tell_unknown(email)
    return HttpResponseRedirect(reverse("link-asked"))


@never_cache
@require_GET
def link_asked(request: HttpRequest) -> HttpResponse:
    """It is on its way, if there is an account."""
    return render(request, "accounts/link_asked.html", {"postal": current().postal})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link. Looking at it changes nothing, so a mail scanner cannot spend it; the button does."""
    if request.method != "POST":
        return render(request, "accounts/once.html")
    try:
        user, mailed_to = actions.burn_sign_in_link(token)
    except NotFound as error:
        return render(request, "accounts/once.html", {"error": error}, status=410)
    if mailed_to and mailed_to == user.email:
        verify_email_indirectly(request, user, mailed_to)
    back = request.session.pop(BACK_TO, "") or reverse("account")
    if request.user.is_authenticated and request.user != user:
        logout(request)
        back = reverse("account")
    record_authentication(request, user, "link")
    # With stages: a link replaces the password, not the second factor.
    return cast(HttpResponse, perform_login(request, user, email_verification="none", redirect_url=back))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """An invitation. Looking at it changes nothing; the button leads to the form, which spends it."""
    if not invitations.is_good(token) or not may_sign_up(invited=True):
        return render(request, "accounts/invited.html", {"over": True}, status=410)
    if request.method != "POST":
        return render(request, "accounts/invited.html")
    invitations.take_along(request, token)
    return HttpResponseRedirect(reverse("account_signup"))


@never_cache
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """The account is made, and an administrator will look at it."""
    return render(request, "accounts/waiting.html", {"postal": current().postal})


@method_decorator(never_cache, name="dispatch")
class ConfirmAddress(ConfirmEmailView):  # type: ignore[misc]
    """The link in a letter that confirms an address. Looking at it changes nothing; the button confirms."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                return cast(HttpResponse, super().post(*args, **kwargs))
        except (Http404, IntegrityError):
            # Used before, too old, made up, or another account has got the address meanwhile.
            self.object = None
            return cast(HttpResponse, self.render_to_response(self.get_context_data(), status=410))

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = cast(HttpResponse, super().get(*args, **kwargs))
        if self.object is None:
            answer.status_code = 410
        return answer


confirm_address = ConfirmAddress.as_view()
