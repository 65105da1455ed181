"""Sending what Git's services answer: piece by piece, no faster than it is read, and a sign of life in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import OperationalError
from starlette.types import Receive, Send

from mic.core.errors import MicError, Unavailable
from mic.git.sideband import Reply
from micelio.databases import let_go
from micelio.projects.queries import project_name
from micelio.sentences import for_people, one_line

_log = logging.getLogger("micelio.git")

T = TypeVar("T")

# Seconds of work without a word until the client is told that it goes on, as git's uploadpack.keepAlive has it.
KEEPALIVE_AFTER = 5.0

# An answer of yesterday's refs would be a wrong one (the headers of git's own http-backend).
NEVER_CACHED = (
    (b"expires", b"Fri, 01 Jan 1980 00:00:00 GMT"),
    (b"pragma", b"no-cache"),
    (b"cache-control", b"no-cache, max-age=0, must-revalidate"),
)


class _Gone(Exception):
    """The client has gone: nobody reads on."""


class Answer:
    """The answer to one request. Its pieces are made in threads of `pool`; `receive` tells when the client goes."""

    def __init__(self, pool: Executor, receive: Receive, send: Send, content_type: str) -> None:
        self._pool = pool
        self._context = copy_context()
        self._receive = receive
        self._send = send
        self._headers = [(b"content-type", content_type.encode()), *NEVER_CACHED]
        self._started = False

    async def run(self, reply: Reply, first: bytes = b"") -> None:
        """Send `first` and what the reply yields, unless the client goes. A failure becomes a line that it shows."""
        gone = asyncio.ensure_future(self._gone())
        job: Future[bytes | None] | None = None
        try:
            if first:
                await self._write(first)
            while not (first and reply.last):
                job = self._pool.submit(self._context.run, _next_piece, reply)
                piece = await self._made(job, gone, reply)
                if piece is None:
                    break
                await self._write(piece)
                if reply.last:
                    break
            job = None
            if reply.last:
                reply.close()
            await self._end()
        except _Gone:
            pass
        except Exception as error:
            told = reply.failure(await in_thread(self._pool, words_of, error))
            # Where bytes of a pack are under way, only an end of the connection before its time can tell.
            if told:
                await self._write(told)
                await self._end()
        finally:
            gone.cancel()
            if job is not None:
                # Not while a thread is within it.
                job.add_done_callback(lambda _: reply.close())

    async def _made(self, job: Future[bytes | None], gone: asyncio.Future[None], reply: Reply) -> bytes | None:
        """The next piece, None at the end. Raises _Gone when the client does not wait for it, and what it failed by."""
        made = asyncio.wrap_future(job)
        waited: set[asyncio.Future[Any]] = {made, gone}
        try:
            while True:
                done, _ = await asyncio.wait(waited, timeout=KEEPALIVE_AFTER, return_when="FIRST_COMPLETED")
                if gone in done:
                    raise _Gone
                if made in done:
                    return made.result()
                if reply.keepalive:
                    await self._write(reply.keepalive)
        finally:
            made.cancel()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _write(self, data: bytes) -> None:
        await self._start()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _end(self) -> None:
        await self._start()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self) -> None:
        if not self._started:
            self._started = True
            await self._send({"type": "http.response.start", "status": 200, "headers": self._headers})


async def in_thread(pool: Executor, function: Callable[..., T], *arguments: object) -> T:
    """What a function returns that may wait for the store or the database."""
    return await asyncio.wrap_future(pool.submit(copy_context().run, _alone, function, *arguments))


def words_of(error: Exception) -> str:
    """One line for whoever runs git. What should not have come up is logged, and told without what it was."""
    if isinstance(error, OperationalError):
        _log.error("the database failed: %s", error)
        error = Unavailable("The forge's database cannot be used right now.", hint="Try again in a moment.")
    elif not isinstance(error, MicError):
        _log.error("a Git request failed", exc_info=error)
        error = MicError("Something went wrong in the forge.", hint="Try again; its log says more.")
    return one_line(for_people(error, project_name))


def _next_piece(reply: Reply) -> bytes | None:
    return _alone(reply.next_piece)


def _alone(function: Callable[..., T], *arguments: object) -> T:
    """Call it, and give the thread's connection back."""
    let_go()
    try:
        return function(*arguments)
    finally:
        let_go()
