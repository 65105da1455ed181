"""The HTTP root: native routes first, Django's pages last, and the parts that live as long as the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote_to_bytes

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application
from starlette.applications import Starlette
from starlette.types import ASGIApp

from micelio.config import current
from micelio.edge import cdn, health
from micelio.edge.bodies import BodyLimit
from micelio.edge.headers import SecurityHeaders
from micelio.edge.large_contents import LargeContents

# Pages wait on SQLite and the store, not on each other; more threads than this only queue at the interpreter's lock.
PAGE_THREADS = 6


def build() -> ASGIApp:
    """The whole application. Django must be set up, settings installed and the schema in place."""
    edge = Starlette(routes=[*health.ROUTES, *cdn.ROUTES], lifespan=_lifespan)
    # Whatever no route matches is Django's. A mount would not do: its pattern stops at a line end in a file's name.
    edge.router.default = LargeContents(WSGIMiddleware(_exact_path(), workers=PAGE_THREADS))
    edge.router.redirect_slashes = False
    return guarded(edge)


def guarded(app: ASGIApp) -> ASGIApp:
    """`app` with what holds for every request and every answer."""
    return SecurityHeaders(BodyLimit(app))


def _exact_path() -> Callable[..., Iterable[bytes]]:
    """Django, given the path's bytes as they were sent.

    ASGI decodes the path as UTF-8 with replacement characters, so a file name in another encoding would be lost.
    WSGI wants the bytes as Latin-1 text.
    """
    django = get_wsgi_application()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raw = environ["asgi.scope"].get("raw_path")
        if raw:
            environ["PATH_INFO"] = unquote_to_bytes(raw.partition(b"?")[0]).decode("latin-1")
        return django(environ, start_response)

    return application


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Starts gRPC, jobs and projector with the server; stops them in the opposite order."""
    from micelio.edge.rpc import server as rpc
    from micelio.jobs import worker
    from micelio.sessions import projector

    stop_projector = await asyncio.to_thread(projector.start)
    stop_jobs = worker.start()
    stop_rpc = await rpc.start(current())
    try:
        yield
    finally:
        await stop_rpc()
        await asyncio.to_thread(stop_jobs)
        await asyncio.to_thread(stop_projector)
