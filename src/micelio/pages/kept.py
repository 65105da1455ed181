"""Pages as they were made a moment ago, for visitors without an account, while what they were made of is the same.

A page is made of rows, of the heads of projects, of what never changes, and of the time. SQLite says cheaply whether
any row of the whole database is another one (`PRAGMA data_version`, SQLite's documentation), a head says it of a
project, and no page is kept for longer than `SECONDS`. So whoever is served a kept page sees what making it would have
shown, but for the words that tell how long ago something was, and what making it cost. Over PostgreSQL nobody says so
as cheaply, and nothing is kept.
"""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from mic.core.head import Head
from micelio.config import current
from micelio.languages.spoken import spoken
from micelio.projects.ledgers import open_ledger

# How long a page may be kept, and bytes of all that are.
SECONDS = 5.0
MOST = 16 << 20
# A larger one is made each time.
LARGEST = 1 << 20
_HTML = ("text/html", "application/json", "text/markdown")

_looked_at: ContextVar[dict[UUID, Head] | None] = ContextVar("micelio_heads", default=None)


class _Key(NamedTuple):
    address: str
    language: str
    zipped: bool


class _Kept(NamedTuple):
    version: int
    at: float
    heads: dict[UUID, Head]
    body: bytes
    headers: tuple[tuple[str, str], ...]


def note_head(line: UUID, head: Head) -> None:
    """The page that is being made shows what this line has at its head."""
    heads = _looked_at.get()
    if heads is not None:
        heads[line] = head


class Rows:
    """Whether a row of the database changed: a number that is another one then. A connection that writes nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def version(self) -> int | None:
        """None where it cannot be told."""
        if current().postgres is not None or connection.in_atomic_block:
            return None
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = sqlite3.connect(
                        f"{current().database.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
                    )
                return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            self._connection = None
            return None


class KeptPages:
    """The pages that are kept, those that were asked for last; safe to use from several threads."""

    def __init__(self, rows: Rows, clock: Callable[[], float] = time.monotonic) -> None:
        self._rows, self._clock = rows, clock
        self._lock = threading.Lock()
        self._pages: OrderedDict[_Key, _Kept] = OrderedDict()
        self._bytes = 0

    def answer(self, request: HttpRequest, make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The kept page if it still is what `make` would make, else what that makes, which is kept where it may be."""
        version = self._rows.version() if _for_anybody(request) else None
        if version is None:
            return make()
        key = _Key(request.get_full_path(), spoken().tag, "gzip" in request.headers.get("Accept-Encoding", ""))
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
        if found is not None and found.version == version and self._clock() - found.at < SECONDS and _stand(found):
            return _response(found)
        with _looking() as heads:
            response = make()
        if isinstance(response, HttpResponse) and _keepable(request, response):
            made = _Kept(version, self._clock(), dict(heads), *_packed(response, key.zipped))
            self._keep(key, made)
            return _response(made)
        return response

    def _keep(self, key: _Key, page: _Kept) -> None:
        with self._lock:
            before = self._pages.pop(key, None)
            self._bytes -= len(before.body) if before is not None else 0
            if len(page.body) > LARGEST:
                return
            self._pages[key] = page
            self._bytes += len(page.body)
            while self._bytes > MOST:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest.body)


def _for_anybody(request: HttpRequest) -> bool:
    """Whether it is a page as everybody without an account sees it, who sent nothing of their own."""
    return (
        request.method == "GET"
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and settings.CSRF_COOKIE_NAME not in request.COOKIES
        and "Authorization" not in request.headers
        and "format" not in request.GET
        and request.get_preferred_type(_HTML) in ("text/html", None)
    )


def _keepable(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and not response.cookies
        and not request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        and response.headers.get("Content-Type", "").startswith("text/html")
        and "Content-Encoding" not in response.headers
    )


def _stand(page: _Kept) -> bool:
    return all(open_ledger(line).head() == head for line, head in page.heads.items())


def _packed(response: HttpResponse, zipped: bool) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    body = bytes(response.content)
    if zipped:
        # What else a page is packed with has random bytes, for pages with something secret in them: here is nothing.
        body = gzip.compress(body, 6, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    return body, tuple(response.headers.items())


def _response(page: _Kept) -> HttpResponse:
    return HttpResponse(page.body, headers=dict(page.headers))


@contextlib.contextmanager
def _looking() -> Iterator[dict[UUID, Head]]:
    heads: dict[UUID, Head] = {}
    token = _looked_at.set(heads)
    try:
        yield heads
    finally:
        _looked_at.reset(token)


pages = KeptPages(Rows())
