"""Forms of the account pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from micelio.accounts.handles import MAX_LENGTH

# Longer ones are no safer, and hashing them is work that anybody could order.
PASSWORD_LENGTH = 1000


class NameForm(forms.Form):
    """What sign-up asks beside handle, e-mail and password. allauth calls `signup` after the account is saved."""

    name = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Name"), widget=forms.TextInput({"autocomplete": "name"})
    )
    field_order = ("email", "username", "name", "password1")

    def signup(self, request: HttpRequest, user: Any) -> None:
        """The name was saved with the account."""


class HandleForm(forms.Form):
    """Another handle."""

    handle = forms.CharField(
        max_length=MAX_LENGTH,
        label="Handle",
        help_text="1 to 39 letters a-z, digits and hyphens, beginning with a letter or digit.",
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class AccountForm(forms.Form):
    """One's own name."""

    name = forms.CharField(
        max_length=200, required=False, label="Name", widget=forms.TextInput({"autocomplete": "name"})
    )


class AddressForm(forms.Form):
    """One's own address, where no mail is sent."""

    email = forms.EmailField(
        max_length=254, required=False, label="E-mail", widget=forms.EmailInput({"autocomplete": "email"})
    )


class AskLinkForm(forms.Form):
    """Where to send a link."""

    email = forms.EmailField(
        max_length=254, label=gettext_lazy("E-mail"), widget=forms.EmailInput({"autocomplete": "email"})
    )


class PasswordForm(forms.Form):
    """A new password."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=PASSWORD_LENGTH,
        help_text="At least 12 characters.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    tokens_too = forms.BooleanField(
        required=False,
        initial=True,
        label="Revoke my personal tokens as well",
        help_text="Leave it ticked unless you know that nobody else has them. Scripts will need new ones.",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        """The password, checked by the validators of the settings."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self._user)
        return password
