"""Where the forge differs from allauth's steps of signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage


class AddressStage(EmailVerificationStage):  # type: ignore[misc]
    """The address must be confirmed, where mail is sent. An account without one, of the operator's making, passes."""

    def handle(self) -> Any:
        user = self.login.user
        if user is not None and not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        return super().handle()
