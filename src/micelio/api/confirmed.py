"""Acts that a stolen browser must not be able to do, asked for with a browser's sign-in."""

from __future__ import annotations

from mic.core.errors import ConfirmationNeeded
from micelio.accounts.confirmation import is_confirmed
from micelio.api.request import ApiRequest


def require_confirmed(request: ApiRequest) -> None:
    """What the pages ask for before the same act. Raises ConfirmationNeeded; a token is never asked."""
    if request.actor.via == "web" and not is_confirmed(request):
        raise ConfirmationNeeded(
            "This needs a fresh confirmation that it is you.",
            hint="Confirm at /-/sign-in/again in this browser, or use a token: `Authorization: Bearer <token>`.",
        )
