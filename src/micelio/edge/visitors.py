"""Who is at the other end of a connection, when proxies of ours stand between: put right once, for all behind."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

from micelio.audit.origin import visitor_at

_log = logging.getLogger("micelio.proxy")


class Visitors:
    """Writes the visitor's address over that of the connection, as far as trusted proxies say it.

    A proxy that nobody has named is told of once: every visitor behind it counts as one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host, port = scope.get("client") or ("", 0)
            said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
            visitor = visitor_at(host, said.decode("latin-1"))
            if said and visitor == host and not self._told:
                self._told = True
                _log.warning(
                    "A request from %s names whom it is for, and MICELIO_TRUSTED_PROXIES does not name that address. "
                    "If a proxy of yours is there, add it: until then all behind it count as one visitor.",
                    host,
                )
            scope = {**scope, "client": (visitor, port)}
        await self._app(scope, receive, send)
