"""Addresses that people type or copy, and where the page is that they mean."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.views.decorators.http import require_safe


@require_safe
def plain_address(request: HttpRequest, owner: str, handle: str = "") -> HttpResponsePermanentRedirect:
    """From `/owner/project.git`, which Git clones from, and from what ends in a slash; whether it is there or not."""
    names = [owner, handle.removesuffix(".git")] if handle else [owner]
    query = request.META.get("QUERY_STRING", "")
    address = "/" + "/".join(quote(name, safe="") for name in names)
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)
