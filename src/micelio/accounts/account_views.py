"""Doors to one's own account: name, address, password, browsers."""

from __future__ import annotations

from typing import cast

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.account.models import EmailAddress
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mic.core.errors import InvalidInput, MicError, NotFound
from micelio.accounts import actions, browsers
from micelio.accounts.actor import actor_from_request
from micelio.accounts.confirmation import needs_confirmation
from micelio.accounts.forms import AccountForm, AddressForm, HandleForm, PasswordForm
from micelio.accounts.models import User
from micelio.accounts.names import rename_account
from micelio.accounts.sign_in_forms import NewAddressForm
from micelio.config import current
from micelio.sentences import one_line


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's own name, and the way to everything else."""
    user = cast(User, request.user)
    form = AccountForm(request.POST) if request.method == "POST" else AccountForm(initial={"name": user.name})
    saved = form.is_bound and form.is_valid()
    if saved:
        actions.update_account(actor_from_request(request), user, name=form.cleaned_data["name"])
        form = AccountForm(initial={"name": user.name})
    context = {"form": form, "saved": saved or "saved" in request.GET, "others": current().oauth}
    return render(request, "accounts/account.html", context)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation(keep=False, reading=True)
def password(request: HttpRequest) -> HttpResponse:
    """A new password, after which only this browser is still signed in."""
    user = cast(User, request.user)
    form = PasswordForm(request.POST, user=user) if request.method == "POST" else PasswordForm(user=user)
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        actions.change_password(actor_from_request(request), user, values["password"], tokens_too=values["tokens_too"])
        # Every session has ended; this one goes on under a new key.
        update_session_auth_hash(request, user)
        browsers.remember_browser(request)
        reauthenticate_by_password(request)  # nobody knows it better
        return HttpResponseRedirect(f"{reverse('account')}?saved")
    return render(request, "accounts/password.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation(reading=True)
def address(request: HttpRequest) -> HttpResponse:
    """One's own address. Where mail is sent a new one counts once it is confirmed, and the old one is told."""
    user = cast(User, request.user)
    if current().postal is None:
        return _unconfirmed_address(request, user)
    form = NewAddressForm(user=user)
    if request.method == "POST":
        asked_for = EmailAddress.objects.filter(user=user, verified=False).first()
        if request.POST.get("act") == "again" and asked_for is not None:
            send_verification_email_to_address(request, asked_for)
            return HttpResponseRedirect(reverse("address"))
        if request.POST.get("act") == "drop" and asked_for is not None and asked_for.email != user.email:
            asked_for.delete()
            return HttpResponseRedirect(reverse("address"))
        form = NewAddressForm(data=request.POST, user=user)
        if form.is_valid():
            actions.ask_for_address(actor_from_request(request), user, request, form.cleaned_data["email"])
            return HttpResponseRedirect(reverse("address"))
    known = list(EmailAddress.objects.filter(user=user).order_by("-primary", "pk"))
    context = {
        "form": form,
        "present": next((row for row in known if row.email == user.email), None),
        "asked_for": next((row for row in known if not row.verified and row.email != user.email), None),
    }
    return render(request, "accounts/address.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def signed_in_browsers(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; naming one and signing one out."""
    actor = actor_from_request(request)
    error, status = "", 200
    if request.method == "POST":
        number = request.POST.get("browser", "")
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
        try:
            act = request.POST.get("act")
            if act == "end":
                browsers.end_browser(actor, wanted)
            elif act == "name":
                browsers.name_browser(actor, wanted, request.POST.get("name", ""))
            else:
                raise InvalidInput("This form has no such button.", hint="Open the page again.")
            return HttpResponseRedirect(reverse("browsers"))
        except MicError as problem:
            error, status = one_line(problem), 404 if isinstance(problem, NotFound) else 400
    found = browsers.list_browsers(actor, request.session.session_key)
    return render(request, "accounts/browsers.html", {"browsers": found, "error": error}, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_handle(request: HttpRequest) -> HttpResponse:
    """Another handle for one's account."""
    actor = actor_from_request(request)
    form = HandleForm(request.POST) if request.method == "POST" else HandleForm(initial={"handle": actor.handle})
    if form.is_bound and form.is_valid():
        try:
            rename_account(actor, form.cleaned_data["handle"])
            return HttpResponseRedirect(f"{reverse('account')}?saved")
        except MicError as error:
            form.add_error("handle", one_line(error))
    status = 400 if form.errors else 200
    return render(request, "accounts/handle.html", {"form": form, "handle": actor.handle}, status=status)


def _unconfirmed_address(request: HttpRequest, user: User) -> HttpResponse:
    form = AddressForm(request.POST) if request.method == "POST" else AddressForm(initial={"email": user.email})
    if form.is_bound and form.is_valid():
        try:
            actions.change_address(actor_from_request(request), user, form.cleaned_data["email"])
            return HttpResponseRedirect(f"{reverse('account')}?saved")
        except MicError as error:
            form.add_error("email", one_line(error))
            user.refresh_from_db()
    return render(request, "accounts/address.html", {"form": form, "mailless": True})
