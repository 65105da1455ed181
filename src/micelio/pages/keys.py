"""Keys on pages with differences: the next file, the next hunk, side by side. Every one is a link or scrolling too."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# Pages that have differences. Their policy lets this one file run, by its whole address, and nothing else.
PAGES = re.compile(r"/[^/]+/[^/]+/-/(landings|sessions|compare)/.")


@cache
def script() -> tuple[str, bytes]:
    """(first 12 hex digits of its SHA-256, the bytes)."""
    data = (files("micelio.pages") / "keys.js").read_bytes()
    return hashlib.sha256(data).hexdigest()[:12], data


def script_address() -> str:
    """Where the current script lives."""
    return f"/-/keys-{script()[0]}.js"


@require_safe
def serve(request: HttpRequest, digest: str) -> HttpResponse:
    """The script; 404 under an address of another version."""
    current, data = script()
    if digest != current:
        raise Http404("another version of the script")
    return HttpResponse(
        data,
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )
