"""The one stylesheet, under an address that changes with its content, so that it may be kept for ever."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@cache
def stylesheet() -> tuple[str, bytes]:
    """(first 12 hex digits of its SHA-256, the bytes without line breaks that CSS does not need)."""
    source = (files("micelio.pages") / "look.css").read_text("utf-8")
    data = re.sub(r"\n+", "", source).encode()
    return hashlib.sha256(data).hexdigest()[:12], data


def stylesheet_address() -> str:
    """Where the current stylesheet lives."""
    return f"/-/look-{stylesheet()[0]}.css"


@require_safe
def serve(request: HttpRequest, digest: str) -> HttpResponse:
    """The stylesheet; 404 under an address of another version."""
    current, data = stylesheet()
    if digest != current:
        raise Http404("another version of the stylesheet")
    return HttpResponse(
        data,
        content_type="text/css; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )
