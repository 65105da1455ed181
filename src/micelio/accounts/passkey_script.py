"""The script of passkeys, which a browser offers to scripts only. Pages without it have keys on differences at most."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@cache
def script() -> tuple[str, bytes]:
    """(first 12 hex digits of its SHA-256, the bytes)."""
    data = (files("micelio.accounts") / "passkeys.js").read_bytes()
    return hashlib.sha256(data).hexdigest()[:12], data


def script_address() -> str:
    """Where the current script lives."""
    return f"/-/passkeys-{script()[0]}.js"


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
