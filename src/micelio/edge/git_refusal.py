"""What git is told where its protocol has not begun: a status, and a sentence that it shows after `remote:`."""

from __future__ import annotations

import asyncio

from django.db import OperationalError
from starlette.types import Receive, Scope, Send

from mic.core.errors import Busy, MicError, RateLimited, Unauthenticated, Unavailable
from micelio.edge.failures import status_of
from micelio.edge.git_answer import NEVER_CACHED

SIGN_IN = (
    "This needs a token: as the password, with any user name. `mic auth setup-git` sees to it, and the forge's page "
    "of tokens makes one."
)
# Bytes and seconds that a refused client may go on sending, so that it reads why: closing a connection on what it
# sends loses the answer that is under way.
_UNREAD, _LINGER = 64 << 20, 10.0


class Refused(Exception):
    """An answer that is no Git protocol: a status, one sentence, and headers."""

    def __init__(self, status: int, words: str, *headers: tuple[str, str]) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers


def refused_for(error: Exception, words: str) -> Refused:
    """The refusal that an error is, told in `words`."""
    if isinstance(error, Unauthenticated):
        return Refused(401, words, ("WWW-Authenticate", 'Basic realm="Micelio", charset="UTF-8"'))
    if isinstance(error, RateLimited):
        wait = max(1, -int(-error.details["retry_after"] // 1))
        return Refused(429, words, ("Retry-After", str(wait)))
    if isinstance(error, OperationalError | Busy | Unavailable):
        return Refused(503, words, ("Retry-After", "5"))
    return Refused(status_of(error) if isinstance(error, MicError) else 500, words)


async def refuse(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal. What the client still sends is read for a moment and thrown away."""
    body = f"{refused.words}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in refused.headers]
    sends = scope["method"] == "POST"
    if sends:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status, "headers": [*headers, *NEVER_CACHED]})
    await send({"type": "http.response.body", "body": body, "more_body": sends})
    if sends:
        await _let_finish(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _let_finish(receive: Receive) -> None:
    left = _UNREAD
    try:
        async with asyncio.timeout(_LINGER):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
