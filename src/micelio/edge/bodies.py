"""A bound on request bodies, before anybody reads them."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest form of a page is a session's text; contents travel over gRPC. 2 MiB is ten times the largest seen.
LIMIT = 2 * 1024 * 1024


class BodyLimit:
    """Answers 413 to a body that is, or turns out to be, longer than `limit` bytes.

    A body of stated length is refused unread. One without (chunked) is gathered up to the limit first, so that
    the application never starts on a request that will be refused.
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
                await self._refuse(scope, receive, send)
                return
        elif b"transfer-encoding" in headers:
            gathered = await self._gather(receive)
            if gathered is None:
                await self._refuse(scope, receive, send)
                return
            scope = dict(scope)
            scope["headers"] = [*scope["headers"], (b"content-length", str(len(gathered)).encode())]
            receive = _replay(gathered, receive)
        await self._app(scope, receive, send)

    async def _gather(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._limit:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = PlainTextResponse(
            f"The request is larger than {self._limit} bytes.\n", status_code=413, headers={"connection": "close"}
        )
        await answer(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    first = True

    async def replay() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
