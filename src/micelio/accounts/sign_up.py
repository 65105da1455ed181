"""Where the forge differs from allauth's account pages: handles, open or closed sign-up, redirects."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from mic.core.errors import MicError
from micelio.accounts import actions, queries
from micelio.accounts.handles import parse_handle
from micelio.accounts.models import User
from micelio.accounts.policy import may_sign_up
from micelio.accounts.redirects import is_local
from micelio.sentences import one_line


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Bends allauth's forms to the rules of the house."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up()

    def is_safe_url(self, url: str | None) -> bool:
        return is_local(url or "")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            handle = parse_handle(username)
        except MicError as error:
            raise ValidationError(one_line(error)) from error
        if queries.handle_taken(handle):
            raise ValidationError(f"The handle {handle} is taken. Choose another handle.")
        return handle

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "").strip()
        if commit:
            actions.register(user, "web")
        return user
