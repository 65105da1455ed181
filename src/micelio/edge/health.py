"""Is the forge alive, and can it do its work? Answered without Django, so that its failure does not hide itself."""

from __future__ import annotations

import asyncio
import os
import sqlite3

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mic.core.errors import MicError, NotFound
from mic.store.patience import hurried
from micelio import __version__
from micelio.cluster.server import answers
from micelio.config import Settings, current


async def live(request: Request) -> JSONResponse:
    """The process answers. For supervisors that restart it when it does not."""
    return JSONResponse({"status": "ok", "version": __version__})


async def ready(request: Request) -> JSONResponse:
    """Database and store can be read right now; 503 names the ones that cannot. For load balancers."""
    settings = current()
    checks = await asyncio.to_thread(lambda: {"database": database(settings), "store": store(settings)})
    failed = [name for name, ok in checks.items() if not ok]
    body = {"status": "failed" if failed else "ok", "failed": failed, "checks": checks}
    return JSONResponse(body, status_code=503 if failed else 200)


def database(settings: Settings) -> bool:
    """A fresh connection finds the schema. An open one would go on reading a file that somebody removed."""
    if settings.postgres is not None:
        return answers(settings.postgres)
    try:
        connection = sqlite3.connect(f"{settings.database.as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            return connection.execute("SELECT 1 FROM django_migrations LIMIT 1").fetchone() is not None
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def store(settings: Settings) -> bool:
    """The folder of the object store is there, can be listed, and may be written to; a bucket answers."""
    if settings.s3 is not None:
        return _bucket_answers()
    try:
        with os.scandir(settings.store_dir) as entries:
            next(entries, None)
        return os.access(settings.store_dir, os.W_OK | os.X_OK)
    except OSError:
        return False


def _bucket_answers() -> bool:
    """By asking for an object that is not there, which costs least."""
    from micelio.projects.ledgers import ledger

    try:
        with hurried():
            ledger().driver.store.get("registry/none")
    except NotFound:
        return True
    except MicError:
        return False
    return True


ROUTES = [
    Route("/health", live, methods=["GET"]),
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
