"""A bound on request bodies, before anybody reads them."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mic.core.errors import TooLarge
from micelio.edge.headers import REQUEST_ID

# The largest form of a page is a session's text; contents travel over gRPC. 2 MiB is ten times the largest seen.
LIMIT = 2 * 1024 * 1024
# Of a refused body so much is read and thrown away, for so long: whoever still writes when the connection is closed
# sees it reset and never reads why.
DRAINED = 32 * 1024 * 1024
DRAIN_SECONDS = 10


class BodyLimit:
    """Answers 413 to a body that is, or turns out to be, longer than `limit` bytes.

    A body of stated length is refused unread. One without (chunked) is gathered up to the limit first, so that
    the application never starts on a request that will be refused. The rest is read before the answer, within
    `DRAINED` bytes and `DRAIN_SECONDS`, unless the client waits to be told to go on.
    """

    def __init__(self, app: ASGIApp, limit: int = LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        stated = headers.get(b"content-length")
        if stated is not None:
            if not stated.isdigit() or int(stated) > self._limit:
                await self._refuse(scope, receive, send, more=b"expect" not in headers)
                return
        elif b"transfer-encoding" in headers:
            gathered, more = await self._gather(receive)
            if gathered is None:
                await self._refuse(scope, receive, send, more=more)
                return
            scope = dict(scope)
            scope["headers"] = [*scope["headers"], (b"content-length", str(len(gathered)).encode())]
            receive = _replay(gathered, receive)
        await self._app(scope, receive, send)

    async def _gather(self, receive: Receive) -> tuple[bytes | None, bool]:
        """The body, None when it is too long; and whether there is more to read."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None, False
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                return None, more
            if not more:
                return bytes(body), False

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, more: bool) -> None:
        if more:
            await _drain(receive)
        words, close = f"The request is larger than {self._limit:,} bytes.", {"connection": "close"}
        answer: Response = PlainTextResponse(f"{words}\n", status_code=413, headers=close)
        if scope["path"].startswith("/api/"):
            answer = _problem(words, scope.get(REQUEST_ID, ""), close)
        elif b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            answer = HTMLResponse(_page(words), 413, close)
        await answer(scope, receive, send)


async def _drain(receive: Receive) -> None:
    left = DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


def _problem(words: str, request_id: str, headers: dict[str, str]) -> Response:
    # Here, because Django is set up only after this file has been read.
    from micelio.api.problems import MEDIA_TYPE, problem

    made = problem(TooLarge(words, hint="Send less at once, or use `mic`."), request_id)
    return Response(made.content, made.status_code, headers, MEDIA_TYPE)


def _page(words: str) -> str:
    from micelio.edge.failures import problem_page

    hint = "Large files land with mic, or are pushed with Git; a picture of yours has at most 1 MiB."
    return problem_page(TooLarge(words, hint=hint), 413)


def _replay(body: bytes, receive: Receive) -> Receive:
    first = True

    async def replay() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
