"""Kinds of secret that only their surroundings tell: a name that a value is given to, an address that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mic.core.scanning import plausible


class Context(NamedTuple):
    """A kind of secret inside a match: the first group of `pattern`. `true` is asked of all groups.

    `lead` is what an excerpt begins with.
    """

    name: str
    starts: bytes  # what a match can begin with
    pattern: bytes
    true: Callable[..., bool]
    lead: bytes = b""
    # Bytes before the match that belong to the secret, at most.
    before: int = 0


_NAME = (
    rb"(?:secret|token|passw(?:or)?d|passwd|pwd|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|credentials?)"
)
_VALUE = rb"([A-Za-z0-9+/=_.~!@#%^&*-]{16,200})"
_GIVEN = rb"[\"']?\]?\s{0,4}(?:=>|:=|=|:)\s{0,4}"
_UNFIT = rb"[^\s/:@\"'<>{}$\[\]\x00]"

CONTEXTS = (
    Context(
        "aws-secret-key",
        b"sSaA",
        rb"(?i:secret[_-]?access[_-]?key|aws[_-]?secret[_-]?key|aws[_-]?secret)"
        + _GIVEN
        + rb"[\"']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
        lambda value: plausible.is_random(value, 4.0),
    ),
    Context(
        "generic-secret",
        b"sStTpPaAcC",
        rb"(?i:" + _NAME + rb"[a-z0-9_.-]{0,32})" + _GIVEN + rb"[\"'`]" + _VALUE + rb"[\"'`]",
        plausible.assigned,
    ),
    # As environment files have it, without quotes.
    Context(
        "generic-secret",
        b"STPA",
        rb"(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY)[A-Z0-9_]{0,32}=" + _VALUE + rb"(?:[\s;]|\z)",
        plausible.assigned,
    ),
    Context(
        "url-password",
        b":",
        rb"://" + _UNFIT + rb"{1,64}:(" + _UNFIT + rb"{10,128})@([A-Za-z0-9.-]{1,255})",
        plausible.url_password,
        b"://",
    ),
    Context(
        "telegram-token",
        b"0123456789",
        rb"\b([0-9]{8,10}:AA[A-Za-z0-9_-]{33})\b",
        lambda value: plausible.is_random(value, 3.5),
    ),
    # Found by its middle: what begins with any letter would be looked for at every letter.
    Context(
        "discord-token",
        b".",
        rb"(\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})",
        plausible.discord,
        before=28,
    ),
)
