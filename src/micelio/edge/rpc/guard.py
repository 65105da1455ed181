"""What every call goes through: who asks, for how long, and how an error leaves."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
from django.db import OperationalError

from mic.core.errors import Busy, InvalidInput, MicError, Unauthenticated, Unavailable
from mic.rpc.status import MOVED_KEY, to_status
from micelio.accounts.actor import ANONYMOUS, Actor
from micelio.audit.origin import come_from, current_address, peer_address
from micelio.databases import let_go
from micelio.edge.rpc.malformed import well_formed
from micelio.limits.door import Who, spend, spend_sign_in
from micelio.organizations.policy import asked_once
from micelio.projects.moved import moves
from micelio.projects.queries import project_name
from micelio.sentences import for_people
from micelio.tokens.queries import actor_of_token

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
# Calls that wait for a landing to be carried out.
WAITS = threading.BoundedSemaphore(8)


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
    return actor_of_token(token)


def _let_in(context: grpc.ServicerContext) -> Actor:
    """Who asks, once it is clear that they may ask once more. Raises Unauthenticated, RateLimited."""
    _remember_origin(context)
    try:
        actor = actor_of(context)
    except Unauthenticated:
        spend_sign_in(current_address())
        raise
    grant = actor.grant
    if grant is None:
        spend("grpc", Who(current_address(), actor.user_id))
    else:
        spend("grpc", Who(current_address(), actor.user_id, grant.token_id, grant.session))
    return actor


def call(method: Callable[[Any, Actor, Any], T]) -> Callable[[Any, Any, grpc.ServicerContext], T]:
    """A method `(self, actor, request or iterator) -> response` as a servicer method with one answer."""

    @functools.wraps(method)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> T:
        if not context.is_active():  # it waited for a thread for longer than its client did
            context.abort(grpc.StatusCode.CANCELLED, "The caller has gone.")
        let_go()
        try:
            actor = _let_in(context)
            sent = well_formed(_let_go_between(request) if isinstance(request, Iterator) else request)
            with asked_once(), moves() as moved:
                answer = method(self, actor, sent)
            if moved:
                context.set_trailing_metadata(((MOVED_KEY, " ".join(moved[0]).encode()),))
            return answer
        except Exception as error:
            _abort(context, error)
        finally:
            let_go()

    return guarded


def stream(method: Callable[[Any, Actor, Any], Iterator[T]]) -> Callable[[Any, Any, grpc.ServicerContext], Iterator[T]]:
    """A method `(self, actor, request or iterator) -> iterator` as a streaming servicer method."""

    @functools.wraps(method)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> Iterator[T]:
        let_go()
        try:
            actor = _let_in(context)
            sent = well_formed(_let_go_between(request) if isinstance(request, Iterator) else request)
            yield from _let_go_between(method(self, actor, sent))
        except Exception as error:
            _abort(context, error)
        finally:
            let_go()

    return guarded


def _remember_origin(context: grpc.ServicerContext) -> None:
    forwarded = [str(value) for key, value in context.invocation_metadata() if key == "x-forwarded-for"]
    come_from(peer_address(context.peer()), ",".join(forwarded))


def _let_go_between(messages: Iterator[T]) -> Iterator[T]:
    """The messages, with no connection of the database's pool kept while the other side takes or makes the next."""
    while True:
        let_go()
        try:
            message = next(messages)
        except StopIteration:
            return
        let_go()
        yield message


def _abort(context: grpc.ServicerContext, error: Exception) -> NoReturn:
    if isinstance(error, grpc.RpcError):
        raise error  # the client went away in mid-stream
    if isinstance(error, OperationalError):
        _log.error("the database failed: %s", error)
        error = Unavailable("The forge's database cannot be used right now.", hint="Try again in a moment.")
    elif not isinstance(error, MicError):
        _log.exception("a call failed")
        error = MicError("Something went wrong in the forge.", hint="Try again; its log says more.")
    code, message, trailing = to_status(for_people(error, project_name))
    context.set_trailing_metadata(trailing)
    context.abort(code, message[:MAX_MESSAGE])


def page_size(asked: int, default: int = DEFAULT_PAGE, most: int = MAX_PAGE) -> int:
    """How many items a page has: what was asked for, within bounds."""
    return min(asked or default, most)


# Of lists that are short: whoever asks for no size gets all there can be.
SHORT_PAGE = 1000


def page_of(found: Sequence[T], asked: Any, name: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """A page of a list that is at hand whole, and the token behind it; `name` is of each thing. Raises InvalidInput."""
    names = [name(each) for each in found]
    if asked.page_token and asked.page_token not in names:
        raise bad_token()
    start = names.index(asked.page_token) + 1 if asked.page_token else 0
    stop = start + page_size(asked.page_size, SHORT_PAGE)
    return found[start:stop], names[stop - 1] if stop < len(found) else ""


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
