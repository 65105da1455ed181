"""What the forge writes to people about their accounts.

Addresses in letters begin with the configured one of the forge, never with the Host header of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.urls import reverse

from micelio.config import current
from micelio.mail.contents import Contents

LINK_LASTS = timedelta(minutes=15)
RESET_LASTS = timedelta(hours=1)
CONFIRM_LASTS = timedelta(days=3)
NEWS_LASTS = timedelta(days=3)

_NOT_YOU = "If that was not you, you need not do anything: without this link nothing happens."
_WAS_IT_YOU = "If that was not you, set a new password, and look at your account for what else has changed."


class Written(NamedTuple):
    """A letter without its address."""

    subject: str
    contents: Contents
    lasts: timedelta


def absolute(path: str) -> str:
    """An address of this forge, in full."""
    return current().base_url + path


def sign_in_link(handle: str, token: str) -> Written:
    """What was asked for on the page for links."""
    words = (f"Somebody, you it seems, wants to sign in to {_host()} as {handle}. This link does it once.", _NOT_YOU)
    link = absolute(reverse("once", args=[token]))
    return Written(
        f"Sign in to {_host()}", Contents((*words, "It is good for 15 minutes."), link, "Sign in"), LINK_LASTS
    )


def approved(handle: str) -> Written:
    """An administrator has let somebody in."""
    words = (f"Your account {handle} on {_host()} was approved. You can sign in now.",)
    return Written(
        f"Your account on {_host()}", Contents(words, absolute(reverse("account_login")), "Sign in"), NEWS_LASTS
    )


def declined(handle: str) -> Written:
    """An administrator has not."""
    words = (f"You asked for the account {handle} on {_host()}. Its administrators have declined; nothing was kept.",)
    return Written(f"Your request to {_host()}", Contents(words), NEWS_LASTS)


def suspended(handle: str, reason: str) -> Written:
    """Why a door is shut."""
    words = (f"Your account {handle} on {_host()} was suspended. The reason that was given: {reason}",)
    return Written(f"Your account on {_host()} is suspended", Contents(words), NEWS_LASTS)


def unsuspended(handle: str) -> Written:
    """It is open again."""
    words = (f"Your account {handle} on {_host()} is open again. Sign in anew; make new tokens where you used some.",)
    return Written(
        f"Your account on {_host()} is open again",
        Contents(words, absolute(reverse("account_login")), "Sign in"),
        NEWS_LASTS,
    )


def unknown() -> Written:
    """To an address that no account has."""
    words = (
        f"Somebody, you it seems, asked to be let in to {_host()} with this address. There is no account with it.",
        "Perhaps yours has another address.",
    )
    return Written(f"No account on {_host()}", Contents(words), RESET_LASTS)


def of_library(template: str, about: Mapping[str, Any]) -> Written | None:
    """A letter that allauth asks for by the name of its template; None for one that is of no use here."""
    if template.endswith(("/email_confirmation", "/email_confirmation_signup")):
        handle = about["user"].handle
        words = (f"The account {handle} on {_host()} names this address. Confirm that it is yours.", _NOT_YOU)
        link = absolute(reverse("account_confirm_email", args=[about["key"]]))
        return Written(f"Confirm your address for {_host()}", Contents(words, link, "Confirm"), CONFIRM_LASTS)
    if template.endswith("/password_reset_key"):
        words = (f"Somebody, you it seems, wants a new password for {about['user'].handle} on {_host()}.", _NOT_YOU)
        key = f"{about['uid']}-{about['key']}"
        link = absolute(reverse("account_reset_password_from_key", args=["UID", "KEY"]).replace("UID-KEY", key))
        contents = Contents((*words, "It is good for one hour."), link, "Set a new password")
        return Written(f"A new password for {_host()}", contents, RESET_LASTS)
    if template.endswith("/account_already_exists"):
        words = (
            f"Somebody, you it seems, wanted to make an account on {_host()} with this address. It has one already.",
            "If you forgot the password, set a new one.",
        )
        link = absolute(reverse("account_reset_password"))
        return Written(f"Your account on {_host()}", Contents(words, link, "Set a new password"), RESET_LASTS)
    if template.endswith("/unknown_account"):
        return unknown()
    news = _NEWS.get(template.rpartition("/")[2])
    if news is None:
        return None
    text = news.format_map({name: _name(about.get(name)) for name in ("from_email", "to_email", "account")})
    words = (f"On {_host()}, from the address {about.get('ip') or 'unknown'}: {text}", _WAS_IT_YOU)
    link = absolute(reverse("account"))
    return Written(f"Your account on {_host()} was changed", Contents(words, link, "Your account"), NEWS_LASTS)


# By the last part of allauth's name for them.
_NEWS = {
    "email_changed": "the address of your account is now {to_email}, and no longer {from_email}.",
    "password_changed": "your password was changed.",
    "password_set": "your account has a password now.",
    "password_reset": "your password was changed, by a link that was sent to you.",
    "totp_activated": "an authenticator app was added to your account.",
    "totp_deactivated": "the authenticator app was removed from your account.",
    "recovery_codes_generated": "new recovery codes were made for your account.",
    "webauthn_added": "a passkey was added to your account.",
    "webauthn_removed": "a passkey was removed from your account.",
    "account_connected": "an account at {account} can sign in to yours.",
    "account_disconnected": "an account at {account} can no longer sign in to yours.",
}


def _name(value: Any) -> str:
    return str(getattr(value, "provider", value or ""))


def _host() -> str:
    return current().hostname
