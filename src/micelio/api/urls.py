"""Addresses of this door. Included before the pages, whose `/{owner}` would match the first word."""

from __future__ import annotations

import functools

from django.urls import URLPattern, path, re_path

from micelio.api import docs
from micelio.api.description import takes
from micelio.api.door import door, nothing_here
from micelio.api.routes import api
from micelio.pages import file_path  # noqa: F401  # registers `file`

app_name = "api"


def _routes() -> list[URLPattern]:
    """Ninja's own patterns, each behind the door."""
    patterns = [item for item in api.urls[0] if isinstance(item, URLPattern) and item.name != "api-root"]
    return [
        path(f"v1/{item.pattern}", door(item.callback, functools.partial(takes, str(item.pattern))), name=item.name)
        for item in patterns
    ]


urlpatterns = [
    path("openapi.json", docs.openapi, name="openapi"),
    path("docs", docs.index, name="docs"),
    path("docs/errors", docs.errors, name="docs-errors"),
    path("docs/<slug:part>", docs.part, name="docs-part"),
    *_routes(),
    re_path(r"^[\s\S]*$", door(nothing_here, dict), name="nothing"),
]
