"""Addresses that people type or copy, and where the page is that they mean."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.views.decorators.http import require_safe

from micelio.pages.views.organization import organization


@require_safe
def plain_address(request: HttpRequest, owner: str, handle: str = "") -> HttpResponsePermanentRedirect:
    """From `/owner/project.git`, which Git clones from, and from what ends in a slash; whether it is there or not."""
    names = [owner, handle.removesuffix(".git")] if handle else [owner]
    query = request.META.get("QUERY_STRING", "")
    address = "/" + "/".join(quote(name, safe="") for name in names)
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


@require_safe
def design_address(request: HttpRequest) -> HttpResponseBase:
    """From `/design` to the living page, unless an organization has that name since before it was reserved."""
    answer = organization(request, owner="design")
    return HttpResponseRedirect("/-/design") if answer.status_code == 404 else answer
