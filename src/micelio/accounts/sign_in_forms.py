"""allauth's forms in the words of the house. Apart from `forms`, which allauth itself imports first."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    AddEmailForm,
    BaseSignupForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SignupForm,
)
from allauth.account.forms import (
    ReauthenticateForm as PasswordAgain,
)
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.socialaccount.forms import SignupForm as OtherSiteSignUpForm
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from micelio.accounts import invitations
from micelio.accounts.forms import PASSWORD_LENGTH
from micelio.accounts.library_words import ONE_TIME_CODE
from micelio.accounts.policy import waits_for_approval
from micelio.languages.spoken import gettext


class SignInForm(LoginForm):  # type: ignore[misc]
    """Handle or e-mail, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = gettext_lazy("Handle or e-mail")
        self.fields["password"].help_text = ""  # the page itself says what to do without it
        _plain(self)


class SignUpForm(SignupForm):  # type: ignore[misc]
    """E-mail, handle, name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = gettext_lazy("E-mail")
        self.fields["username"].label = gettext_lazy("Handle")
        self.fields["username"].help_text = gettext_lazy("Letters, digits and hyphens. It stands beside what you land.")
        self.fields["password1"].help_text = gettext_lazy("At least 12 characters.")
        self.fields["password1"].validators.append(MaxLengthValidator(PASSWORD_LENGTH))
        _plain(self)
        _bounded(self)

    def try_save(self, request: HttpRequest) -> Any:
        """For a known address the answer is that for a new one, and takes as long; it is told by a letter."""
        if not self.account_already_exists:
            return super().try_save(request)
        make_password(self.cleaned_data["password1"])
        return answer_for_known(request, self)


def answer_for_known(request: HttpRequest, form: Any) -> Any:
    """What whoever signs up with an address that is known gets to see: the same as with a new one."""
    if not waits_for_approval(invited=bool(invitations.carried(request))):
        return BaseSignupForm.try_save(form, request)
    get_adapter().send_account_already_exists_mail(form.cleaned_data["email"])
    return None, HttpResponseRedirect(reverse("account_waiting"))


class OtherSiteForm(OtherSiteSignUpForm):  # type: ignore[misc]
    """E-mail, handle and name of somebody who comes from another site; what it says of them is a proposal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = gettext_lazy("E-mail")
        self.fields["username"].label = gettext_lazy("Handle")
        self.fields["username"].help_text = gettext_lazy("Letters, digits and hyphens. It stands beside what you land.")
        _plain(self)
        _bounded(self)

    def try_save(self, request: HttpRequest) -> Any:
        """As with a password."""
        return answer_for_known(request, self) if self.account_already_exists else super().try_save(request)


class NewAddressForm(AddEmailForm):  # type: ignore[misc]
    """The address that an account is to have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New address"
        _plain(self)
        _bounded(self)


class ResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link for a new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = gettext_lazy("E-mail")
        _plain(self)
        _bounded(self)


class FreshPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password, at the end of that link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = gettext_lazy("At least 12 characters.")
        self.fields["password1"].validators.append(MaxLengthValidator(PASSWORD_LENGTH))
        self.fields["password2"].label = gettext_lazy("The same again")
        _plain(self)


class PasswordAgainForm(PasswordAgain):  # type: ignore[misc]
    """The password when confirming."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """The second factor when signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The second factor when confirming."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app. The key stays while it is not taken: whoever looks at the page again has scanned it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        shown = context.request.session.get(SECRET_SESSION_KEY)
        super().__init__(*args, **kwargs)  # makes another key for each look
        if shown:
            self.secret = context.request.session[SECRET_SESSION_KEY] = shown
        _code(self)


# What the library raises for an answer that no browser gives, beside its own errors.
_MADE_UP = (KeyError, TypeError, ValueError, AttributeError)


def _unreadable() -> ValidationError:
    return ValidationError(gettext("The answer of the passkey could not be read. Try again."))


class _Answered:
    """The answer of a passkey comes from anybody: whatever it is, it is refused with a sentence."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MADE_UP as error:
            raise _unreadable() from error


class PasskeyCodeForm(_Answered, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of a code when signing in."""


class PasskeySignInForm(_Answered, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of handle and password."""


class PasskeyAgainForm(_Answered, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey when confirming."""


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey."""

    def clean(self) -> Any:
        try:
            return super().clean()
        except _MADE_UP as error:
            raise _unreadable() from error

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = "So that you know it again in a list."
        self.fields["passwordless"].label = "Sign in with it alone"
        self.fields["passwordless"].help_text = "Without handle and password. The device asks for a PIN or a finger."
        _plain(self)


def _code(form: Any) -> None:
    form.fields["code"].label = ONE_TIME_CODE
    form.fields["code"].widget.attrs |= {"autocomplete": "one-time-code", "inputmode": "numeric"}
    _plain(form)


def _bounded(form: Any) -> None:
    """An address that no column holds is none."""
    form.fields["email"].validators.append(MaxLengthValidator(254))


def _plain(form: Any) -> None:
    """No placeholders: they vanish when one types, and the label says the same."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
