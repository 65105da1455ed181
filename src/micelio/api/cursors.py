"""Cursors: where the next page of a list begins, signed, so that what comes back is what was given out."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core import signing

from mic.core.errors import InvalidInput
from micelio.api.limits import LONGEST_CURSOR

_SALT = "micelio.api.cursor"


def made(place: str, key: Any) -> str:
    """The cursor of the page that begins behind `key`, a value of JSON, in the list `place`."""
    return signing.Signer(salt=_SALT).sign_object([_short(place), key])


def read(place: str, cursor: str) -> Any:
    """The key in a cursor of this list, None for the first page. Raises InvalidInput for a cursor of another."""
    if not cursor:
        return None
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise signing.BadSignature
        found = signing.Signer(salt=_SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError, UnicodeError) as error:
        raise _unknown() from error
    if found[0] != _short(place):
        raise _unknown()
    return found[1]


def _short(place: str) -> str:
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _unknown() -> InvalidInput:
    return InvalidInput(
        "The cursor is not one that this forge gave for this list.", hint="Begin with the first page: leave it out."
    )
