"""Security headers on every answer, whoever made it: pages, native routes, and failures of either."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from micelio.edge.csp import CSP

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SecurityHeaders:
    """Wraps the whole application, outside of its own error handling, so that a 500 carries them too.

    A policy that an answer brings itself (raw files are sandboxed) stands beside ours: browsers enforce both.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _ALWAYS}
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
                message["headers"] = [*kept, (b"content-security-policy", CSP.encode()), *_ALWAYS]
            await send(message)

        await self._app(scope, receive, send_with_headers)
