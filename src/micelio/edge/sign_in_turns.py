"""Whoever signs in waits for others who do, and nobody else waits for them.

A password takes as long to hash as some pages to make. Without this a crowd at the sign-in would have all the threads
that make pages: first with a thousand empty forms, then with a thousand passwords. Those who wait hold no thread, and
the event loop does nothing but remember them. Forms do not wait behind passwords: they would open after a minute.
"""

from __future__ import annotations

import asyncio
import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Of the threads that make pages (`app.PAGE_THREADS`), so that others are left for pages.
AT_ONCE = 3
# Forms to type it into, of the same threads.
SHOWN_AT_ONCE = 1
# Each holds a connection and its form. Ten thousand would wait some minutes; their browsers do not.
MOST_WAITING = 10_000
_HASHES = re.compile(r"/-/(sign-in|sign-up|reset-password/link|account/password)\b")


class SignInTurns:
    """Lets `AT_ONCE` requests that hash a password through to `app` at a time, and `SHOWN_AT_ONCE` for their forms."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._signing, self._showing = _Queue(AT_ONCE), _Queue(SHOWN_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _HASHES.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        queue = self._signing if scope["method"] == "POST" else self._showing
        if queue.waiting >= MOST_WAITING:
            answer = PlainTextResponse("Too many people sign in right now. Try again in a minute.\n", 503)
            answer.headers["Retry-After"] = "60"
            await answer(scope, receive, send)
            return
        queue.waiting += 1
        try:
            async with queue.turns:
                await self._app(scope, receive, send)
        finally:
            queue.waiting -= 1


class _Queue:
    """Those who have a turn and those who wait for one, together `waiting`."""

    def __init__(self, at_once: int) -> None:
        self.turns = asyncio.Semaphore(at_once)
        self.waiting = 0
