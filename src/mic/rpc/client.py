"""The typed client of a forge: one channel, a deadline on every call, errors of the house."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeVar

import grpc

from mic.core.errors import Corrupt, InvalidPath, MicError, RateLimited, Unauthenticated
from mic.core.paths import parse_paths
from mic.rpc.channel import open_channel
from mic.rpc.passed_on import PassedOn, PassOn
from mic.rpc.status import MOVED_KEY, from_rpc_error, retry_after
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc

T = TypeVar("T")

# gRPC writes tracebacks of what it cannot read; where nobody listens they would end at the terminal.
logging.getLogger("grpc").addHandler(logging.NullHandler())

CALL_SECONDS = 60.0
# Calls that move contents: long enough for 64 GiB over a slow line, short enough that nothing hangs for ever.
STREAM_SECONDS = 24 * 3600.0
# How long one call waits in all when the forge asks it to come back later.
PATIENCE = 120.0
TREE_PAGE = 10_000
HASHES_PER_CALL = 10_000
PAGES_PER_CALL = 1_000


class Tokens(Protocol):
    """A token that is renewed while it is in use."""

    def current(self) -> str:
        """The token to send now; "" asks as nobody."""

    def instead_of(self, refused: str) -> str:
        """A token to try when the forge did not take `refused`; "" when there is no other."""


class Move(NamedTuple):
    """A project was asked for where it is no longer, and where it is now."""

    organization: str
    project: str
    new_organization: str
    new_project: str


class Client:
    """Calls to the forge at `address` (`host:port`) as the owner of `token` ("" asks as nobody), or of `Tokens`.

    Every method raises errors of `mic.core.errors`; `Unavailable` when the forge does not answer. `refused` is the
    hint when the token is: only who made the client knows where the token is from. A forge that asks to come back later
    is obeyed for two minutes in all; `waiting` is told the seconds. `pass_on` may answer questions in place of a
    connection (`mic.rpc.passed_on`). Close it, or use it as a context manager.
    """

    def __init__(
        self,
        address: str,
        token: str | Tokens = "",
        *,
        insecure: bool = False,
        refused: str = "",
        waiting: Callable[[float], None] = lambda seconds: None,
        pause: Callable[[float], None] = time.sleep,
        pass_on: PassOn | None = None,
    ) -> None:
        self.address = address
        self._refused = refused
        self._waiting, self._pause = waiting, pause
        # Told of each answer about a project that has moved.
        self.on_move: Callable[[Move], None] | None = None
        self._channel: grpc.Channel
        if pass_on is None:
            self._channel = open_channel(address, insecure=insecure)
        else:
            self._channel = PassedOn(pass_on, lambda: open_channel(address, insecure=insecure))
        self._raw_chunks: Any = self._channel.unary_stream(
            "/mic.v1.ProjectService/StreamBlobs",
            request_serializer=pb.StreamBlobsRequest.SerializeToString,
            response_deserializer=None,
        )
        self._token = token

    # Each makes an object of every call of its service, 0.5 ms in all, and a command seldom needs more than one.
    @cached_property
    def auth(self) -> Any:
        """AuthService."""
        return mic_pb2_grpc.AuthServiceStub(self._channel)  # type: ignore[no-untyped-call]

    @cached_property
    def account(self) -> Any:
        """AccountService."""
        return mic_pb2_grpc.AccountServiceStub(self._channel)  # type: ignore[no-untyped-call]

    @cached_property
    def organizations(self) -> Any:
        """OrganizationService."""
        return mic_pb2_grpc.OrganizationServiceStub(self._channel)  # type: ignore[no-untyped-call]

    @cached_property
    def projects(self) -> Any:
        """ProjectService."""
        return mic_pb2_grpc.ProjectServiceStub(self._channel)  # type: ignore[no-untyped-call]

    @cached_property
    def sessions(self) -> Any:
        """SessionService."""
        return mic_pb2_grpc.SessionServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        self._channel.close()

    def use(self, token: str | Tokens) -> None:
        """Ask as another from now on."""
        self._token = token

    def call(self, method: Callable[..., T], request: Any, *, seconds: float = CALL_SECONDS) -> T:
        """One answer to one request (or to an iterator of requests), within `seconds`."""
        outgoing = _Outgoing.of(request)
        token, patience = self._current(), PATIENCE
        while True:
            try:
                answer, call = method.with_call(outgoing, timeout=seconds, metadata=_bearer(token))  # type: ignore[attr-defined]  # of a stub
            except grpc.RpcError as error:
                _Outgoing.check(outgoing)
                waited = self._obey(error, outgoing, patience)
                if waited:
                    patience -= waited
                    continue
                token = self._another(token, error, outgoing)
                if not token:
                    raise self._error(error) from error
                continue
            _Outgoing.check(outgoing)
            self._look_for_move(call)
            return answer  # type: ignore[no-any-return]

    def _look_for_move(self, call: Any) -> None:
        trailing: dict[str, Any] = dict(call.trailing_metadata() or ())
        words = trailing.get(MOVED_KEY, b"").decode("utf-8", "replace").split()
        if len(words) == 4 and self.on_move is not None:
            self.on_move(Move(*words))

    def stream(
        self, method: Callable[..., Iterator[T]], request: Any, *, seconds: float = STREAM_SECONDS
    ) -> Iterator[T]:
        """All answers to one request or to an iterator of requests. A generator left early cancels the call."""
        outgoing = _Outgoing.of(request)
        token, patience = self._current(), PATIENCE
        while True:
            running: Any = method(outgoing, timeout=seconds, metadata=_bearer(token))
            begun = False
            try:
                for answer in running:
                    begun = True
                    yield answer
                _Outgoing.check(outgoing)
                return
            except grpc.RpcError as error:
                _Outgoing.check(outgoing)
                waited = 0.0 if begun else self._obey(error, outgoing, patience)
                if waited:
                    patience -= waited
                    continue
                token = "" if begun else self._another(token, error, outgoing)
                if not token:
                    raise self._error(error) from error
            finally:
                running.cancel()

    def _current(self) -> str:
        return self._token if isinstance(self._token, str) else self._token.current()

    def _obey(self, error: grpc.RpcError, outgoing: Any, patience: float) -> float:
        """The seconds waited for a forge that takes nothing more just now; 0.0 when the call is not to be repeated.

        It refused before it did anything, so to repeat is safe, unless requests were drawn already.
        """
        found = from_rpc_error(error)
        wait = retry_after(found) if isinstance(found, RateLimited) and not isinstance(outgoing, _Outgoing) else 0.0
        if not 0.0 < wait <= patience:
            return 0.0
        self._waiting(wait)
        self._pause(wait)
        return wait

    def _another(self, refused: str, error: grpc.RpcError, outgoing: Any) -> str:
        """A token to try once more with, "" when there is none: when the clock here is wrong, expiry comes unseen."""
        if isinstance(self._token, str) or not refused or isinstance(outgoing, _Outgoing):
            return ""
        return self._token.instead_of(refused) if isinstance(from_rpc_error(error), Unauthenticated) else ""

    def _error(self, error: grpc.RpcError) -> MicError:
        found = from_rpc_error(error)
        if self._refused and isinstance(found, Unauthenticated):
            return Unauthenticated(found.message, hint=self._refused)
        return found

    def tree(self, project: pb.ProjectRef, position: int, prefix: bytes = b"") -> Iterator[pb.TreeResponse]:
        """The files of a position, page by page, sorted by path."""
        request = pb.GetProjectTreeRequest(project=project, position=position, prefix=prefix, page_size=TREE_PAGE)
        yield from self._pages(request)

    def directory(self, project: pb.ProjectRef, position: int, prefix: bytes = b"") -> Iterator[pb.TreeResponse]:
        """One directory of a position, page by page."""
        request = pb.GetProjectTreeRequest(
            project=project, position=position, prefix=prefix, directory=True, page_size=TREE_PAGE
        )
        yield from self._pages(request)

    def _pages(self, request: pb.GetProjectTreeRequest) -> Iterator[pb.TreeResponse]:
        while True:
            page = self.call(self.projects.GetProjectTree, request)
            _check_listing(page)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def chunks(self, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b"") -> Iterator[pb.BlobChunk]:
        """The contents with these hashes, in the forge's order; frames of a large one follow each other.

        With a session also contents that were pushed of it. Of those that were erased come their tombstones.
        """
        for column in columns(hashes):
            request = pb.StreamBlobsRequest(
                project=project, hashes=column, tombstones=True, session_id=session_id, columns=True
            )
            yield from self.stream(self.projects.StreamBlobs, request)

    def raw_chunks(self, project: pb.ProjectRef, hashes: bytes) -> Iterator[bytes]:
        """The contents with these hashes, one of `columns`, as encoded BlobChunks, for a process that decodes them."""
        request = pb.StreamBlobsRequest(project=project, hashes=hashes, tombstones=True, columns=True)
        yield from self.stream(self._raw_chunks, request)

    def missing(self, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b"") -> set[bytes]:
        """Which of these contents the project does not hold, and were not pushed of the session."""
        found: set[bytes] = set()
        for start in range(0, len(hashes), HASHES_PER_CALL):
            column = b"".join(hashes[start : start + HASHES_PER_CALL])
            request = pb.FindMissingBlobsRequest(project=project, hashes=column, session_id=session_id)
            answer = self.call(self.projects.FindMissingBlobs, request).hashes
            found.update(answer[at : at + 32] for at in range(0, len(answer), 32))
        return found

    def incomplete_pages(self, project: pb.ProjectRef, hashes: list[bytes]) -> set[bytes]:
        """Which of these list pages the project does not hold, or holds without all the chunks that they name."""
        found: set[bytes] = set()
        for start in range(0, len(hashes), PAGES_PER_CALL):
            column = b"".join(hashes[start : start + PAGES_PER_CALL])
            request = pb.FindMissingBlobsRequest(project=project, pages=column)
            answer = self.call(self.projects.FindMissingBlobs, request).pages
            found.update(answer[at : at + 32] for at in range(0, len(answer), 32))
        return found


def _check_listing(page: pb.TreeResponse) -> None:
    """Raises Corrupt unless it is one that a working copy may be made of: no path of it leads elsewhere."""
    if {len(page.hashes) / 32, len(page.modes), len(page.kinds), len(page.sizes)} != {len(page.paths)}:
        raise Corrupt("The forge sent a listing whose columns differ in length.", hint="Try again.")
    try:
        parse_paths(page.paths)
    except InvalidPath as error:
        raise Corrupt(
            f"The forge sent a listing in which {error.message}.", hint="Tell whoever runs the forge."
        ) from error


def columns(hashes: list[bytes]) -> Iterator[bytes]:
    """As many hashes as one call may ask for, one after the other."""
    for start in range(0, len(hashes), HASHES_PER_CALL):
        yield b"".join(hashes[start : start + HASHES_PER_CALL])


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),) if token else ()


class _Outgoing:
    """An iterator of requests whose failure is kept: gRPC draws it in a thread of its own and would lose the reason.

    On failure the stream ends early, which no call of a forge takes for complete.
    """

    def __init__(self, requests: Iterator[Any]) -> None:
        self.failure: BaseException | None = None
        self._requests = requests

    @staticmethod
    def of(request: Any) -> Any:
        """The request, wrapped when it is an iterator of them."""
        return _Outgoing(request) if isinstance(request, Iterator) else request

    @staticmethod
    def check(outgoing: Any) -> None:
        """Raises what went wrong while requests were made."""
        if isinstance(outgoing, _Outgoing) and outgoing.failure is not None:
            raise outgoing.failure

    def __iter__(self) -> _Outgoing:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._requests)
        except StopIteration:
            raise
        except BaseException as error:
            self.failure = error
            raise StopIteration from error
