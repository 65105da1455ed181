"""Paths of files in addresses: bytes, read from the raw request line so that nothing of them is lost."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from django.http import HttpRequest

from mic.core.paths import parse_path

# /api/v1/projects/{owner}/{project}/{kind}/ has this many parts before the path.
_BEFORE = 7


def path_of(request: HttpRequest) -> bytes:
    """The path at the end of an address, "" when there is none. Raises InvalidPath for one that no tree can hold."""
    scope = request.META.get("asgi.scope")
    raw = scope.get("raw_path") if isinstance(scope, dict) else None
    whole = unquote_to_bytes(raw) if isinstance(raw, bytes) else request.path_info.encode("utf-8", "surrogateescape")
    parts = whole.split(b"/", _BEFORE)
    path = parts[_BEFORE] if len(parts) > _BEFORE else b""
    return parse_path(path) if path else b""
