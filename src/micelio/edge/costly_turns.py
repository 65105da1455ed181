"""Pages that take much to make are made some at a time, so that threads are left for all others.

Blame, history, comparing, changes and search read and reckon for a second where others need milliseconds. A few
crawlers in them would have all the threads. Those who wait hold no thread; who has waited for some seconds is told to
come back.
"""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mic.core.errors import Unavailable
from micelio.edge.headers import REQUEST_ID

# Of the threads that make pages (`app.PAGE_THREADS`).
AT_ONCE = 3
WAIT_SECONDS = 5.0
_RETRY_AFTER = "5"
_TAKES_LONG = re.compile(
    r"/[^/]+/[^/]+/-/(?:(?:blame|history|compare)/|(?:landings|sessions)/[^/]+/changes/)|/-/search\b"
    r"|/api/v1/(?:projects/[^/]+/[^/]+/(?:(?:blame|history)/|(?:landings|sessions)/[^/]+/changes\b)|search\b)"
)


def takes_long(path: str) -> bool:
    """Whether what is at an address reads and reckons much."""
    return _TAKES_LONG.match(path) is not None


class CostlyTurns:
    """Lets `AT_ONCE` requests for such pages through to `app` at a time, and answers 503 after `WAIT_SECONDS`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (takes_long(scope["path"]) or _whole(scope)):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            await _refusal(scope)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._turns.release()


def _whole(scope: Scope) -> bool:
    """All of a difference on one page."""
    return b"lines=all" in scope["query_string"].split(b"&")


def _refusal(scope: Scope) -> Response:
    # Here, because Django is set up only after this file has been read.
    from micelio.api.problems import MEDIA_TYPE, problem
    from micelio.edge.failures import problem_page

    error = Unavailable(
        "The forge is busy with others who search, compare or look at history.",
        hint="Try again in some seconds; files, lists and sessions are there meanwhile.",
    )
    headers = {"Retry-After": _RETRY_AFTER, "Cache-Control": "no-store"}
    if scope["path"].startswith("/api/"):
        made = problem(error, scope.get(REQUEST_ID, ""))
        return Response(made.content, made.status_code, headers, MEDIA_TYPE)
    accept = Headers(scope=scope).get("accept", "*/*")
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get("format", [""])[-1]
    if wanted == "json" or not any(kind in accept for kind in ("text/html", "text/*", "*/*")):
        said = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        return Response(json.dumps(said), 503, headers, "application/json")
    return Response(problem_page(error, 503), 503, headers, "text/html")
