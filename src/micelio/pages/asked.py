"""Reading what an address asks for: whole numbers that say where a page begins, and which lines are meant."""

from __future__ import annotations

import re

from django.http import HttpRequest

from mic.core.errors import InvalidInput

_LINES = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?\Z")


def asked_lines(request: HttpRequest) -> tuple[int, int] | None:
    """(first, last) of `?lines=5-9` or `?lines=7`, whichever way round; None where it is not. Raises InvalidInput."""
    text = request.GET.get("lines", "")
    if not text:
        return None
    found = _LINES.match(text)
    if found is None:
        raise InvalidInput(f"`lines={text[:20]}` names no lines.", hint="Lines are a number or two, such as 5-9.")
    ends = int(found[1]), int(found[2] or found[1])
    return min(ends), max(ends)


def asked_number(request: HttpRequest, name: str) -> int | None:
    """The number of `?{name}=`, None when it is not there. Raises InvalidInput."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"`{name}={text[:20]}` is no position.", hint="Positions are whole numbers, such as 42.")
    return int(text)
