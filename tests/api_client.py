"""Plain calls to the REST door of a running forge, over one connection."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

# Of one request, however much there is. Writing takes locks and savepoints, its audit row; a deletion cascades. In
# PostgreSQL each lock of the audit log is a query of its own.
MOST_READING = 12
MOST_WRITING = 44 if os.environ.get("TEST_POSTGRES_URL") else 40
# A connection is let go of before the forge, which waits five seconds, closes it between two requests.
_LIMITS = httpx.Limits(keepalive_expiry=2)
_addresses = itertools.count(2)


class Api(httpx.Client):
    """Requests of one actor below `/api/v1`. `token` "" is nobody."""

    def __init__(self, base_url: str, token: str = "") -> None:
        high, low = divmod(next(_addresses), 250)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.HTTPTransport(local_address=f"127.1.{high}.{low + 1}", limits=_LIMITS)
        super().__init__(base_url=f"{base_url}/api/v1", timeout=60, headers=headers, transport=transport)

    def done(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The body of an answer that must have this status; None when there is none."""
        answer = self.request(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def goals(self, path: str, asked: Mapping[str, str]) -> list[str]:
        """The goals of a list that is narrowed down so, one row a page, to its end."""
        found: list[str] = []
        begin = f"{path}?{urlencode({**asked, 'limit': 1})}"
        address: str | None = begin
        while address:
            page = self.done("GET", address)
            found += [row["goal"] for row in page["items"]]
            address = f"{begin}&cursor={quote(page['next'])}" if page["next"] else None
        return found

    def refused(self, method: str, path: str, status: int, code: str, **options: Any) -> Any:
        """The problem of a request that must be refused with this status and code."""
        answer = self.request(method, path, **options)
        assert answer.headers.get("content-type") == "application/problem+json", answer.text
        body = answer.json()
        assert (answer.status_code, body["code"]) == (status, code), body
        assert body["status"] == status
        return body


def queries(answer: httpx.Response) -> int:
    """How many queries of the database an answer took, as it says itself."""
    return int(re.findall(r'desc="(\d+)"', answer.headers["server-timing"])[0])
