"""The typed client of a forge: one channel, a deadline on every call, errors of the house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TypeVar

import grpc

from mic.core.errors import Corrupt, MicError, Unauthenticated
from mic.rpc.discovery import is_local
from mic.rpc.status import from_rpc_error
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc

T = TypeVar("T")

MAX_MESSAGE = 64 << 20
CALL_SECONDS = 60.0
# Calls that move contents: long enough for 64 GiB over a slow line, short enough that nothing hangs for ever.
STREAM_SECONDS = 24 * 3600.0
TREE_PAGE = 10_000
HASHES_PER_CALL = 10_000
PAGES_PER_CALL = 1_000


class Client:
    """Calls to the forge at `address` (`host:port`) as the owner of `token` ("" asks as nobody).

    Every method raises errors of `mic.core.errors`; `Unavailable` when the forge does not answer. `refused` is the
    hint when the token is: only who made the client knows where the token is from. Close it, or use it as a context
    manager.
    """

    def __init__(self, address: str, token: str = "", *, insecure: bool = False, refused: str = "") -> None:
        self.address = address
        self._refused = refused
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            # A dead connection is noticed in mid-stream within 30 + 20 s.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 20_000),
        ]
        if is_local(address):
            options.append(("grpc.enable_http_proxy", 0))
        if insecure:
            self._channel = grpc.insecure_channel(address, options)
        else:
            self._channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(), options)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.auth: Any = mic_pb2_grpc.AuthServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self.organizations: Any = mic_pb2_grpc.OrganizationServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self.projects: Any = mic_pb2_grpc.ProjectServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self.sessions: Any = mic_pb2_grpc.SessionServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        self._channel.close()

    def call(self, method: Callable[..., T], request: Any, *, seconds: float = CALL_SECONDS) -> T:
        """One answer to one request (or to an iterator of requests), within `seconds`."""
        outgoing = _Outgoing.of(request)
        try:
            answer = method(outgoing, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            _Outgoing.check(outgoing)
            raise self._error(error) from error
        _Outgoing.check(outgoing)
        return answer

    def stream(
        self, method: Callable[..., Iterator[T]], request: Any, *, seconds: float = STREAM_SECONDS
    ) -> Iterator[T]:
        """All answers to one request or to an iterator of requests. A generator left early cancels the call."""
        outgoing = _Outgoing.of(request)
        running: Any = method(outgoing, timeout=seconds, metadata=self._metadata)
        try:
            yield from running
            _Outgoing.check(outgoing)
        except grpc.RpcError as error:
            _Outgoing.check(outgoing)
            raise self._error(error) from error
        finally:
            running.cancel()

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
            if len(page.hashes) != 32 * len(page.paths):
                raise Corrupt("The forge sent a listing whose columns differ in length.", hint="Try again.")
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def frames(self, project: pb.ProjectRef, hashes: list[bytes]) -> Iterator[pb.BlobFrame]:
        """The contents with these hashes as frames, in the forge's order; parts of a large one follow each other."""
        for start in range(0, len(hashes), HASHES_PER_CALL):
            column = b"".join(hashes[start : start + HASHES_PER_CALL])
            request = pb.StreamBlobsRequest(project=project, hashes=column)
            for chunk in self.stream(self.projects.StreamBlobs, request):
                yield from chunk.frames

    def missing(self, project: pb.ProjectRef, hashes: list[bytes]) -> set[bytes]:
        """Which of these contents the project does not hold."""
        found: set[bytes] = set()
        for start in range(0, len(hashes), HASHES_PER_CALL):
            column = b"".join(hashes[start : start + HASHES_PER_CALL])
            request = pb.FindMissingBlobsRequest(project=project, hashes=column)
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
