"""Passwords that are known from breaches are refused, without telling anybody the password.

The range service is sent the first five hexadecimal digits of the password's SHA-1 and answers with the rest of every
hash that it knows, so it learns one of a million groups (k-anonymity). When it gives no answer, what remains is the
list of common passwords that comes with Django, which every password is checked against anyway.

    GET {address}{first 5 digits} -> lines of `{other 35 digits}:{count}`; with Add-Padding, made-up ones of count 0
"""

from __future__ import annotations

import hashlib
import logging

from django.core.exceptions import ValidationError

from mic.core.errors import MicError
from micelio.accounts.models import User
from micelio.config import current
from micelio.languages.spoken import gettext
from micelio.languages.words import number_words
from micelio.outgoing.client import outgoing

LEAST = 12
_log = logging.getLogger("micelio.accounts")
# An answer has about 1,000 lines, padded ones included.
_LIMIT = 256 << 10
# A form waits for it.
_SECONDS = 3.0


class BreachedPasswordValidator:
    """Refuses what `times_seen` has seen."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        address = current().password_breach_address
        if not address:
            return
        try:
            seen = times_seen(password, address)
        except MicError as error:
            _log.warning("passwords are checked against the own list only: %s", error.message)
            return
        if seen:
            said = gettext(
                "This password was found {seen} times in stolen lists, so it is the first that somebody tries. "
                "Choose another."
            )
            raise ValidationError(said.format(seen=number_words(seen)), code="password_breached")

    def get_help_text(self) -> str:
        """For people."""
        return "A password that was stolen somewhere is not taken."


def times_seen(password: str, address: str) -> int:
    """How often a password is in the breaches that the service knows, 0 for never. Raises Unavailable and the like."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    client = outgoing(_SECONDS)
    try:
        answer = client.get(f"{address}{digest[:5]}", {"Add-Padding": "true"}, limit=_LIMIT)
    finally:
        client.close()
    if answer.status != 200:
        raise MicError(f"the list of breached passwords answered {answer.status}")
    for line in answer.body.decode("ascii", "replace").splitlines():
        rest, _, count = line.partition(":")
        if rest.strip().upper() == digest[5:] and count.strip().isdecimal():
            return int(count)
    return 0
