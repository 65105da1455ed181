"""Errors on the wire: each code of `mic.core.errors` as a gRPC status, and back.

The status is for proxies and other clients; `mic-error-code` in the trailing metadata is what counts.
Texts travel in `-bin` keys, since plain metadata is ASCII.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc

from mic.core import errors
from mic.core.errors import MicError

CODE_KEY = "mic-error-code"
HINT_KEY = "mic-error-hint-bin"

_STATUS: dict[str, grpc.StatusCode] = {
    "invalid_input": grpc.StatusCode.INVALID_ARGUMENT,
    "invalid_path": grpc.StatusCode.INVALID_ARGUMENT,
    "too_large": grpc.StatusCode.INVALID_ARGUMENT,
    "nothing_to_land": grpc.StatusCode.INVALID_ARGUMENT,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "already_exists": grpc.StatusCode.ALREADY_EXISTS,
    "precondition_failed": grpc.StatusCode.FAILED_PRECONDITION,
    "base_mismatch": grpc.StatusCode.FAILED_PRECONDITION,
    "conflict": grpc.StatusCode.ABORTED,
    "busy": grpc.StatusCode.ABORTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "storage_full": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unsafe_store": grpc.StatusCode.FAILED_PRECONDITION,
    "corrupt_object": grpc.StatusCode.DATA_LOSS,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "permission_denied": grpc.StatusCode.PERMISSION_DENIED,
}


def _classes(base: type[MicError]) -> Iterator[type[MicError]]:
    yield base
    for below in base.__subclasses__():
        yield from _classes(below)


_CLASSES = {cls.code: cls for cls in reversed(list(_classes(MicError))) if cls.__module__ == errors.__name__}
_BY_STATUS = {
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.TooLarge,
}


def to_status(error: MicError) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str | bytes], ...]]:
    """Status, message and trailing metadata of an error."""
    status = _STATUS.get(error.code, grpc.StatusCode.INTERNAL)
    trailing: list[tuple[str, str | bytes]] = [(CODE_KEY, error.code)]
    if error.hint:
        trailing.append((HINT_KEY, error.hint.encode()))
    return status, error.message, tuple(trailing)


def from_rpc_error(error: Any) -> MicError:
    """The typed error behind a failed call (a `grpc.RpcError` with `code`, `details`, `trailing_metadata`)."""
    trailing = dict(error.trailing_metadata() or ())
    code = trailing.get(CODE_KEY)
    message = error.details() or "The call failed."
    if isinstance(code, str):
        hint = trailing.get(HINT_KEY, b"")
        text = hint.decode("utf-8", "replace") if isinstance(hint, bytes) else str(hint)
        return _CLASSES.get(code, MicError)(message, hint=text)
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.Unavailable("The forge took too long to answer.", hint="Try again.")
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return errors.Unavailable("The forge cannot be reached.", hint="Is it running? Then try again.")
    return _BY_STATUS.get(error.code(), MicError)(message)
