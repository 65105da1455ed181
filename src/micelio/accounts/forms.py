"""Forms of the account pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest


class NameForm(forms.Form):
    """What sign-up asks beside handle, e-mail and password. allauth calls `signup` after the account is saved."""

    name = forms.CharField(
        max_length=200, required=False, label="Name", widget=forms.TextInput({"autocomplete": "name"})
    )
    field_order = ("email", "username", "name", "password1")

    def signup(self, request: HttpRequest, user: Any) -> None:
        """The name was saved with the account."""


class AccountForm(forms.Form):
    """One's own name, e-mail and, when wished, a new password."""

    name = forms.CharField(
        max_length=200, required=False, label="Name", widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(required=False, label="E-mail", widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        required=False,
        label="New password",
        strip=False,
        help_text="At least 10 characters. Leave empty to keep the present one.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        """The password, checked by the validators of the settings."""
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, self._user)
        return password
