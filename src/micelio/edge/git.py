"""Git's door: `/{owner}/{project}[.git]/` with `info/refs`, `git-upload-pack` and `git-receive-pack` below.

The smart protocol over HTTP (gitprotocol-http), before Django and beside its limit of bodies. Who asks is told by Basic
authentication with a token: as the password of any user name, or as the user name of no password.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import BinaryIO, NamedTuple, TypeVar
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mic.core.errors import MicError, NotFound, PermissionDenied, TooLarge, Unauthenticated
from mic.git import receive_pack, upload_pack, upload_pack_v0
from mic.git.pktline import FLUSH_LINE, line
from mic.git.serving import GitRepositoryView
from mic.git.sideband import Reply
from micelio.accounts.actor import Actor
from micelio.audit.origin import come_from
from micelio.config import current
from micelio.edge.git_answer import Answer, in_thread, words_of
from micelio.edge.git_body import Gone, Silent, begun, take_body
from micelio.edge.git_refusal import SIGN_IN, Refused, refuse, refused_for
from micelio.edge.git_visitor import let_in
from micelio.organizations.policy import asked_once

T = TypeVar("T")
# What opens a repository for an actor: its first line is the policy.
Open = Callable[[Actor, str, str], GitRepositoryView]

# Handles as they are given out; whatever has another form is a page's address, or nothing.
_HANDLE = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}"
# A project's may have dots; `.git` behind it is not part of it.
_PROJECT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}?"
_ADDRESS = re.compile(
    rf"/(?P<owner>{_HANDLE})/(?P<project>{_PROJECT})(?:\.git)?"
    r"/(?P<rest>info/refs|git-upload-pack|git-receive-pack|HEAD|objects/.*)"
)
_VERSION = re.compile(r"version=([0-2])")
FETCH, PUSH = "git-upload-pack", "git-receive-pack"

# Answers under way at once. A fetch waits for its reader most of the time and has a thread only while a piece is made.
FETCHES, PUSHES, ASKS = 128, 16, 32
# Seconds that a request waits for one of these before it is refused.
PATIENCE = 20.0
# Bytes of a push, inflated: twice what the well-known forges take.
LARGEST_PUSH = 4 << 30


class _Request(NamedTuple):
    owner: str
    project: str
    service: str
    headers: Headers
    version: int


class GitDoor:
    """Answers Git's requests, and hands on all others. Without `open_for_push` nothing is pushed."""

    def __init__(self, app: ASGIApp, open_for_fetch: Open, open_for_push: Open | None) -> None:
        self._app = app
        self._open = {FETCH: open_for_fetch} if open_for_push is None else {FETCH: open_for_fetch, PUSH: open_for_push}
        # As many threads as there may be answers: one that waits for another's work never keeps that from a thread.
        self._pool = ThreadPoolExecutor(FETCHES + PUSHES + ASKS, "git")
        self._slots = {FETCH: asyncio.Semaphore(FETCHES), PUSH: asyncio.Semaphore(PUSHES)}
        self._asks = asyncio.Semaphore(ASKS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _ADDRESS.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        come_from((scope.get("client") or ("",))[0])
        try:
            request = _request(scope, found)
            if request.service not in self._open:
                raise Refused(403, "This forge takes no pushes by Git. Land with `mic land`.")
            if found["rest"] == "info/refs":
                await self._advertise(request, receive, send)
            else:
                await self._serve(request, receive, send)
        except Refused as refused:
            await refuse(refused, scope, receive, send)
        except Gone:
            pass

    async def _advertise(self, request: _Request, receive: Receive, send: Send) -> None:
        async with _slot(self._asks):
            view = await self._called(lambda: self._opened(request))
            lines: Iterator[bytes] = iter(())
            if request.service == FETCH and request.version == 2:
                first = upload_pack.capabilities()
            else:
                said = upload_pack_v0 if request.service == FETCH else receive_pack
                lines = said.advertisement(view, request.version)
                first = line(b"# service=%b\n" % request.service.encode()) + FLUSH_LINE
                # What cannot be read becomes a status, and must be known before anything is sent.
                first += await self._called(lambda: next(lines, b""))
            answer = Answer(self._pool, receive, send, f"application/x-{request.service}-advertisement")
            reply = Reply(lambda _: (text for text in lines))
            reply.last = request.service == FETCH and request.version == 2
            await answer.run(reply, first)

    async def _serve(self, request: _Request, receive: Receive, send: Send) -> None:
        service = request.service
        limit = LARGEST_PUSH if service == PUSH else upload_pack.LARGEST_REQUEST
        async with _slot(self._slots[service]):
            view = await self._called(lambda: self._opened(request))
        try:
            # Whoever sends nothing keeps no place from others.
            receive = await begun(receive, request.headers, limit)
        except Silent as error:
            raise Refused(408, error.message) from error
        except TooLarge as error:
            raise await self._refused(error) from error
        async with _slot(self._slots[service]):
            try:
                body = await take_body(receive, request.headers, limit, current().data_dir, self._in_thread)
            except Silent as error:
                raise Refused(408, error.message) from error
            except (MicError, OSError) as error:
                raise await self._refused(error) from error
            # Closed once nobody reads it: a thread may be within it for longer than the client waits.
            answer = Answer(self._pool, receive, send, f"application/x-{service}-result")
            await answer.run(Reply(lambda reply: _closing(body, _reply(request, view, body, reply))))

    def _opened(self, request: _Request) -> GitRepositoryView:
        """The repository, for whoever comes with these credentials."""
        actor = let_in(request.headers)
        try:
            with asked_once():
                return self._open[request.service](actor, request.owner, request.project)
        except (NotFound, PermissionDenied, Unauthenticated) as error:
            if actor.signed_in:
                raise
            # git asks for a token when, and only when, it is told to; and what is absent must look as what is private.
            raise Unauthenticated(SIGN_IN) from error

    async def _called(self, function: Callable[[], T]) -> T:
        try:
            return await self._in_thread(function)
        except Exception as error:
            raise await self._refused(error) from error

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await in_thread(self._pool, function, *arguments)

    async def _refused(self, error: Exception) -> Refused:
        return refused_for(error, await self._in_thread(words_of, error))


def _request(scope: Scope, found: re.Match[str]) -> _Request:
    """What is asked for. Raises Refused for what is not Git's smart protocol."""
    headers = Headers(scope=scope)
    method, rest = scope["method"], found["rest"]
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("service", []) if rest == "info/refs" else [rest]
    if asked not in ([FETCH], [PUSH]):
        raise Refused(
            403,
            "This forge speaks Git's smart protocol over HTTP only. Use a client that asks info/refs for a service, "
            "as git has done since 1.6.6.",
        )
    service = asked[0]
    wanted = "GET" if rest == "info/refs" else "POST"
    if method != wanted:
        raise Refused(405, f"Use {wanted} here.", ("Allow", wanted))
    # No page can make a browser send this type across sites without asking the forge, which says no.
    if wanted == "POST" and headers.get("content-type", "") != f"application/x-{service}-request":
        raise Refused(415, f"Send the type application/x-{service}-request here.")
    versions = [int(version) for version in _VERSION.findall(headers.get("git-protocol", ""))]
    return _Request(found["owner"], found["project"], service, headers, max(versions, default=0))


def _reply(request: _Request, view: GitRepositoryView, body: BinaryIO, reply: Reply) -> Iterator[bytes]:
    if request.service == PUSH:
        return receive_pack.answer(view, body, words_of, reply)
    if request.version == 2:
        return upload_pack.answer(view, body, reply)
    return upload_pack_v0.answer(view, body, reply)


def _closing(body: BinaryIO, parts: Iterator[bytes]) -> Iterator[bytes]:
    with body:
        yield from parts


@asynccontextmanager
async def _slot(slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of a bounded number of answers. Raises Refused when none becomes free."""
    try:
        await asyncio.wait_for(slots.acquire(), PATIENCE)
    except TimeoutError:
        words = "The forge is answering as many Git clients as it can. Try again in a moment."
        raise Refused(503, words, ("Retry-After", "5")) from None
    try:
        yield
    finally:
        slots.release()
