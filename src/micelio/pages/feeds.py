"""Atom feeds: what landed, and what a search finds, for programs that look now and then."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from micelio.config import current
from micelio.pages.addresses import Site
from micelio.pages.landing_items import written_at
from micelio.pages.text import cut, headline, one_line, visible
from micelio.sessions.queries import LandingRow

# Entries of a feed, and characters of what one says.
MOST = 30
_LONGEST = 4000
# What no XML may hold, however it is written; controls are shown as marks before.
_NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """One thing in a feed. `address` is a path of this forge."""

    address: str
    title: str
    text: str
    author: str
    at: datetime

    @property
    def updated(self) -> str:
        """As Atom (RFC 4287) has times."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def landing_entry(owner: str, project: str, row: LandingRow, with_project: bool, branch: str = "") -> Entry:
    """A landing; its goal is what it says."""
    title, rest = headline(row.goal)
    name = f"{owner}/{project}@{row.position}: " if with_project else ""
    return entry(
        Site(owner, project, branch).landing(row.position),
        name + (title or f"Landing @{row.position}"),
        rest,
        row.author_name or row.owner_handle,
        written_at(row),
    )


def entry(address: str, title: str, text: str, author: str, at: datetime) -> Entry:
    """One thing, its words made harmless: control characters are shown, what no XML holds is replaced."""
    return Entry(
        address,
        _plain(one_line(cut(title, 300))),
        _plain(visible(cut(text, _LONGEST))),
        _plain(one_line(cut(author, 100))) or "somebody",
        at,
    )


def _plain(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def feed(request: HttpRequest, title: str, page: str, address: str, entries: Sequence[Entry]) -> HttpResponse:
    """The feed at `address` of the page `page`; 304 for whoever has it already."""
    newest = max((each.updated for each in entries), default="1970-01-01T00:00:00Z")
    context = {
        "base": current().base_url,
        "title": _plain(one_line(cut(title, 200))),
        "page": page,
        "address": address,
        "updated": newest,
        "entries": entries,
    }
    body = render_to_string("pages/feed.xml", context).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": tag})
    response = HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
    response.headers["ETag"] = tag
    return response
