"""What every call goes through: who asks, for how long, and how an error leaves."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import grpc
from django.db import close_old_connections

from mic.core.errors import Busy, InvalidInput, MicError, Unauthenticated
from mic.rpc.status import to_status
from micelio.accounts.actor import ANONYMOUS, Actor, actor_from_token
from micelio.projects.queries import project_name
from micelio.sentences import for_people

_log = logging.getLogger("micelio.rpc")

T = TypeVar("T")
DEFAULT_PAGE = 50
MAX_PAGE = 10_000
# A message travels percent-encoded in the trailing metadata, of which clients take 8 KiB.
MAX_MESSAGE = 500
# Signed 64 bits, which is what the database counts in.
_LAST_POSITION = (1 << 63) - 1

# Streams hold a thread for as long as the other side likes. Together they leave threads for short calls.
UPLOADS = threading.BoundedSemaphore(16)
DOWNLOADS = threading.BoundedSemaphore(32)


@contextlib.contextmanager
def slot(slots: threading.BoundedSemaphore) -> Iterator[None]:
    """One of a bounded number of streams; raises Busy when all are taken."""
    if not slots.acquire(blocking=False):
        raise Busy("The forge is moving as many contents as it can.", hint="Try again in a moment.")
    try:
        yield
    finally:
        slots.release()


def actor_of(context: grpc.ServicerContext) -> Actor:
    """Who the bearer token stands for; ANONYMOUS without one. Raises Unauthenticated for a bad one."""
    values = [value for key, value in context.invocation_metadata() if key == "authorization"]
    if not values:
        return ANONYMOUS
    scheme, _, token = str(values[0]).partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthenticated("The authorization header is not a bearer token.", hint="Sign in with `mic auth login`.")
    return actor_from_token(token)


def call(method: Callable[[Any, Actor, Any], T]) -> Callable[[Any, Any, grpc.ServicerContext], T]:
    """A method `(self, actor, request) -> response` as a unary servicer method."""

    @functools.wraps(method)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> T:
        close_old_connections()
        try:
            return method(self, actor_of(context), request)
        except Exception as error:
            _abort(context, error)

    return guarded


def stream(method: Callable[[Any, Actor, Any], Iterator[T]]) -> Callable[[Any, Any, grpc.ServicerContext], Iterator[T]]:
    """A method `(self, actor, request or iterator) -> iterator` as a streaming servicer method."""

    @functools.wraps(method)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> Iterator[T]:
        close_old_connections()
        try:
            yield from method(self, actor_of(context), request)
        except Exception as error:
            _abort(context, error)

    return guarded


def _abort(context: grpc.ServicerContext, error: Exception) -> NoReturn:
    if isinstance(error, grpc.RpcError):
        raise error  # the client went away in mid-stream
    if not isinstance(error, MicError):
        _log.exception("a call failed")
        error = MicError("Something went wrong in the forge.", hint="Try again; its log says more.")
    code, message, trailing = to_status(for_people(error, project_name))
    context.set_trailing_metadata(trailing)
    context.abort(code, message[:MAX_MESSAGE])


def page_size(asked: int, default: int = DEFAULT_PAGE, most: int = MAX_PAGE) -> int:
    """How many items a page has: what was asked for, within bounds."""
    return min(asked or default, most)


def hashes(column: bytes, most: int = 10_000) -> list[bytes]:
    """A column of 32-byte hashes; raises InvalidInput."""
    if len(column) % 32 or len(column) > 32 * most:
        raise InvalidInput(f"A column of hashes has 32 bytes each, at most {most}.")
    return [column[at : at + 32] for at in range(0, len(column), 32)]


def position(token: str) -> int | None:
    """The position in a page token, None for the first page; raises InvalidInput."""
    if not token:
        return None
    if not (token.isascii() and token.isdecimal()) or len(token) > 19:
        raise bad_token()
    return bounded(int(token))


def bounded(number: int) -> int:
    """A position as far as the database can count; none of a project is beyond."""
    return min(number, _LAST_POSITION)


def bad_token() -> InvalidInput:
    """The error for a page token that was made up."""
    return InvalidInput("The page token is not one that this forge gave.", hint="Begin with the first page.")
