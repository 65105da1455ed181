"""Headers that routes take, for the description of the API. Each call makes its own: the describing changes them."""

from __future__ import annotations

from typing import Any


def conditional() -> dict[str, Any]:
    """The route takes `If-Match`."""
    return {"x-conditional": True}


def ranged() -> dict[str, Any]:
    """The route takes `Range`."""
    words = "One range of bytes, such as `bytes=1000-1999`."
    header = {"in": "header", "name": "Range", "required": False, "schema": {"type": "string"}, "description": words}
    return {"parameters": [header]}
