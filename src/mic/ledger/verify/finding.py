"""What a check finds."""

from __future__ import annotations

from typing import NamedTuple

from mic.core.errors import MicError, NotFound


class Finding(NamedTuple):
    """Something that is not as it should be. `kind` is one of missing, damaged, wrong, unfinished, unreachable.

    Only `unreachable` is harmless: an upload or a landing that is under way or was given up. `unfinished` is an erasure
    that was stopped, or is under way.
    """

    kind: str
    object: str
    message: str


def finding(error: MicError, name: str) -> Finding:
    """What an error that was met says of the object it names, or of `name`."""
    missing = isinstance(error, NotFound) or "missing" in error.message
    return Finding("missing" if missing else "damaged", str(error.details.get("object") or name), error.message)
