"""Reading what an address asks for: whole numbers that say where a page begins."""

from __future__ import annotations

from django.http import HttpRequest

from mic.core.errors import InvalidInput


def asked_number(request: HttpRequest, name: str) -> int | None:
    """The number of `?{name}=`, None when it is not there. Raises InvalidInput."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput(f"`{name}={text[:20]}` is no position.", hint="Positions are whole numbers, such as 42.")
    return int(text)
