"""Where the forge differs from allauth's account pages: handles, modes of sign-up, redirects, letters."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mic.core.errors import MicError
from micelio.accounts import actions, invitations, letters, queries
from micelio.accounts.handles import RESERVED, parse_handle
from micelio.accounts.models import User
from micelio.accounts.policy import may_sign_up
from micelio.accounts.redirects import is_local
from micelio.config import current
from micelio.languages.spoken import gettext
from micelio.mail import outbox

# In the session: a site that somebody wanted to connect signs in to another account already.
REFUSED_CONNECTION = "refused_connection"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Bends allauth's forms to the rules of the house."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up(invited=bool(invitations.carried(request)))

    def is_safe_url(self, url: str | None) -> bool:
        return is_local(url or "")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            handle = parse_handle(username)
        except MicError as error:
            raise ValidationError(_why_not(username)) from error
        if queries.handle_taken(handle):
            said = gettext("The handle {handle} is taken. Choose another handle.")
            raise ValidationError(said.format(handle=handle))
        return handle

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "").strip()
        if commit:
            actions.register(user, "web", invitations.carried(request))
            invitations.put_down(request)
        return user

    def set_password(self, user: User, password: str) -> None:
        """After a reset: whoever forgot a password cannot say which sign-ins are theirs, so all end."""
        actions.reset_password(user, password)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Who has nothing to confirm with signs in anew."""
        found = cast(list[dict[str, Any]], super().get_reauthentication_methods(user))
        if found or not user.is_authenticated:
            return found
        return [{"id": "sign_in_anew", "description": gettext("Sign in anew"), "url": reverse("sign-in-anew")}]

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.account.stages.EmailVerificationStage": "micelio.accounts.stages.AddressStage"}
        return [ours.get(path, path) for path in super().get_login_stages()]

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        if user.waiting:
            return HttpResponseRedirect(reverse("account_waiting"))
        return cast(HttpResponse, super().respond_user_inactive(request, user))

    @transaction.atomic
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        written = letters.of_library(template_prefix, context)
        # Without a mail server an administrator hands letters over: only those that somebody waits for.
        if written is not None and (written.contents.link or current().postal is not None):
            outbox.post(email, *written)

    def add_message(self, request: HttpRequest, level: int, message_template: str = "", *args: Any, **kw: Any) -> None:
        """Pages say what happened by themselves, but for this."""
        if message_template.endswith("account_connected_other.txt"):
            request.session[REFUSED_CONNECTION] = True

    def send_account_already_exists_mail(self, email: str) -> None:
        self.send_mail("account/email/account_already_exists", email, {})


def _why_not(username: str) -> str:
    """What `parse_handle` has against it, in the words of the page."""
    handle = username.strip().lower()
    if handle in RESERVED:
        return gettext("The handle {handle} is reserved by the forge. Choose another handle.").format(handle=handle)
    said = gettext(
        "{handle} cannot be a handle. Use 1 to 39 letters a-z, digits and hyphens, beginning with a letter or digit."
    )
    return said.format(handle=repr(username[:60]))
