"""What the readers of the three kinds of forges have in common: steps, and what comes of reading one.

A step is one request and what it is for. Reading its answer gives records and further steps: details of what was in
it, then the next page. What is still to be done is thus a short list of steps, which is kept with the records; a run
goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any as Json
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from micelio.archives.records import Any

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next"?')

NOTHING: Mapping[str, str] = {}


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request: the list it is of, its address, the number of the issue or change that it is about, its page."""

    list: str
    url: str
    number: int = 0
    about: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer gave: records, and the steps that come before the next page. `last`: no more pages are needed."""

    records: list[Any] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    last: bool = False


class Reader(Protocol):
    """One kind of forge."""

    # The list of a repository itself; what is absent there is absent at all.
    ROOT: str

    def first(self, since: str) -> list[Step]:
        """The steps that a run begins with; `since`, an ISO 8601 time or "", is when the last one began."""

    def read(self, step: Step, value: Json) -> Read:
        """What the answer to a step says. Never raises for what it holds."""


def next_page(step: Step, headers: Mapping[str, str], count: int) -> str:
    """The address of the page after this one, "" when there is none.

    By the Link header (RFC 8288), as GitHub, Gitea and GitLab send it; by X-Next-Page (GitLab); else by counting, where
    a full page came and the header X-Total-Count says that there is more.
    """
    if found := _NEXT.search(headers.get("link", "")):
        return found[1]
    page = headers.get("x-next-page", "")
    if page.isascii() and page.isdigit():
        return with_query(step.url, {"page": page})
    total = headers.get("x-total-count", "")
    size = dict(parse_qsl(urlsplit(step.url).query)).get("limit", "")
    if total.isdigit() and size.isdigit() and count and "link" not in headers and step.page * int(size) < int(total):
        return with_query(step.url, {"page": str(step.page + 1)})
    return ""


def with_query(url: str, values: Mapping[str, str]) -> str:
    """The address with these values in its query; an empty one is left out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **values}
    return urlunsplit(parts._replace(query=urlencode({name: value for name, value in query.items() if value})))
