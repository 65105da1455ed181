"""The HTTP root: native routes first, Django's pages last, and the parts that live as long as the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application
from starlette.applications import Starlette
from starlette.types import ASGIApp

from micelio.config import current
from micelio.edge import cdn, health
from micelio.edge.bodies import BodyLimit
from micelio.edge.costly_turns import CostlyTurns
from micelio.edge.git import GitDoor
from micelio.edge.headers import SecurityHeaders
from micelio.edge.large_contents import LargeContents
from micelio.edge.sign_in_turns import SignInTurns
from micelio.edge.tls import Certificate
from micelio.edge.visitors import Visitors
from micelio.sessions.git_push import open_for_push
from micelio.sessions.git_view import open_for_fetch

# Pages wait on SQLite and the store, not on each other; more threads than this only queue at the interpreter's lock.
PAGE_THREADS = 6


def build(certificate: Certificate | None = None) -> ASGIApp:
    """The whole application. Django must be set up, settings installed and the schema in place.

    `certificate` is for the gRPC server, which begins and ends with it; without one it speaks plain text.
    """
    edge = Starlette(routes=[*health.ROUTES, *cdn.ROUTES], lifespan=partial(_lifespan, certificate))
    # Whatever no route matches is Django's. A mount would not do: its pattern stops at a line end in a file's name.
    pages = WSGIMiddleware(_exact_path(), workers=PAGE_THREADS)
    edge.router.default = LargeContents(SignInTurns(CostlyTurns(pages)))
    edge.router.redirect_slashes = False
    return guarded(edge)


def guarded(app: ASGIApp) -> ASGIApp:
    """`app` with what holds for every request and every answer; Git's door has limits of its own."""
    return SecurityHeaders(Visitors(GitDoor(BodyLimit(app), open_for_fetch, open_for_push)))


def _exact_path() -> Callable[..., Iterable[bytes]]:
    """Django, given the path's bytes as they were sent.

    ASGI decodes the path as UTF-8 with replacement characters, so a file name in another encoding would be lost.
    WSGI wants the bytes as Latin-1 text.
    """
    django = get_wsgi_application()
    # Django must be set up before what looks at its requests is loaded.
    from micelio.edge.charsets import as_utf8

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raw = environ["asgi.scope"].get("raw_path")
        if raw:
            environ["PATH_INFO"] = unquote_to_bytes(raw.partition(b"?")[0]).decode("latin-1")
        as_utf8(environ)
        return django(environ, start_response)

    return application


@asynccontextmanager
async def _lifespan(certificate: Certificate | None, app: Starlette) -> AsyncIterator[None]:
    """Starts gRPC, jobs, what carries runs out, indexer and projector with the server; stops the last one first."""
    from micelio.archives.worker import thread as archives
    from micelio.cluster import known
    from micelio.edge.rpc import front_ends
    from micelio.edge.rpc import server as rpc
    from micelio.exports.worker import thread as exports
    from micelio.imports.worker import thread as imports
    from micelio.jobs import worker
    from micelio.search import indexer
    from micelio.sessions import lander, projector

    stop_knowing = await asyncio.to_thread(known.start)
    stop_projector = await asyncio.to_thread(projector.start)
    stop_indexer = indexer.start()
    stop_lander = lander.start()
    stop_imports = imports.start()
    stop_archives = archives.start()
    stop_exports = exports.start()
    stop_jobs = worker.start()
    stop_rpc = await rpc.start(current(), certificate)
    stop_beating = await asyncio.to_thread(front_ends.start, current())
    try:
        yield
    finally:
        await asyncio.to_thread(stop_beating)
        await stop_rpc()
        await asyncio.to_thread(stop_jobs)
        await asyncio.to_thread(stop_exports)
        await asyncio.to_thread(stop_archives)
        await asyncio.to_thread(stop_imports)
        await asyncio.to_thread(stop_lander)
        await asyncio.to_thread(stop_indexer)
        await asyncio.to_thread(stop_projector)
        await asyncio.to_thread(stop_knowing)
