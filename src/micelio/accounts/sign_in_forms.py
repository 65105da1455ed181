"""allauth's forms in the words of the house. Apart from `forms`, which allauth itself imports first."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm, SignupForm


class SignInForm(LoginForm):  # type: ignore[misc]
    """Handle or e-mail, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Handle or e-mail"
        _plain(self)


class SignUpForm(SignupForm):  # type: ignore[misc]
    """E-mail, handle, name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail"
        self.fields["username"].label = "Handle"
        self.fields["username"].help_text = "Letters, digits and hyphens. It stands beside what you land."
        self.fields["password1"].help_text = "At least 10 characters."
        _plain(self)


def _plain(form: Any) -> None:
    """No placeholders: they vanish when one types, and the label says the same."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
