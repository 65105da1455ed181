"""Errors on the wire: each code of `mic.core.errors` as a gRPC status, and back.

The status is for proxies and other clients; `mic-error-code` in the trailing metadata is what counts.
Texts travel in `-bin` keys, since plain metadata is ASCII.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import grpc

from mic.core import errors
from mic.core.errors import MicError
from mic.rpc.unreached import Unreached

CODE_KEY = "mic-error-code"
HINT_KEY = "mic-error-hint-bin"
# A JSON object with what else an error says for programs; at most 4 KiB, since clients take 8 KiB of metadata.
DOCUMENT_KEY = "mic-error-document-bin"
MAX_DOCUMENT = 4_500
# What gRPC itself calls it (proposal A6), and the details that clients of other makes read (google.rpc.RetryInfo).
PUSHBACK_KEY = "grpc-retry-pushback-ms"
DETAILS_KEY = "grpc-status-details-bin"
# Beside an answer: the project was asked for where it is no longer. `owner handle new-owner new-handle`.
MOVED_KEY = "mic-project-moved-bin"

# In gRPC's own words: an answer of HTTP alone, as proxies give, and a message that is none.
_PAGE = re.compile(r"Received http2 header with status: (\d{3})")
_UNREADABLE = "Exception deserializing response!"

_STATUS: dict[str, grpc.StatusCode] = {
    "invalid_input": grpc.StatusCode.INVALID_ARGUMENT,
    "invalid_path": grpc.StatusCode.INVALID_ARGUMENT,
    "too_large": grpc.StatusCode.INVALID_ARGUMENT,
    "secret_found": grpc.StatusCode.INVALID_ARGUMENT,
    "invalid_owners": grpc.StatusCode.INVALID_ARGUMENT,
    "not_text": grpc.StatusCode.INVALID_ARGUMENT,
    "nothing_to_land": grpc.StatusCode.INVALID_ARGUMENT,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "already_exists": grpc.StatusCode.ALREADY_EXISTS,
    "precondition_failed": grpc.StatusCode.FAILED_PRECONDITION,
    "not_empty": grpc.StatusCode.FAILED_PRECONDITION,
    "upload_expired": grpc.StatusCode.FAILED_PRECONDITION,
    "base_mismatch": grpc.StatusCode.FAILED_PRECONDITION,
    "erased": grpc.StatusCode.FAILED_PRECONDITION,
    "conflict": grpc.StatusCode.ABORTED,
    "busy": grpc.StatusCode.ABORTED,
    "queue_full": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "storage_full": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unsafe_store": grpc.StatusCode.FAILED_PRECONDITION,
    "corrupt_object": grpc.StatusCode.DATA_LOSS,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "permission_denied": grpc.StatusCode.PERMISSION_DENIED,
    "confirmation_needed": grpc.StatusCode.PERMISSION_DENIED,
    "rate_limited": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "blocked": grpc.StatusCode.PERMISSION_DENIED,
    "archived": grpc.StatusCode.FAILED_PRECONDITION,
    "protected": grpc.StatusCode.PERMISSION_DENIED,
    "limit_reached": grpc.StatusCode.RESOURCE_EXHAUSTED,
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
    document = error.details.get("document")
    if document is not None:
        raw = json.dumps(document).encode()
        assert len(raw) <= MAX_DOCUMENT, "an error says more than travels"
        trailing.append((DOCUMENT_KEY, raw))
    if isinstance(error, errors.RateLimited) and document is not None:
        trailing.append((PUSHBACK_KEY, str(document["retry_after_ms"])))
        trailing.append((DETAILS_KEY, _retry_info(status, error.message, document["retry_after_ms"])))
    return status, error.message, tuple(trailing)


def _retry_info(status: grpc.StatusCode, message: str, wait_ms: int) -> bytes:
    """A google.rpc.Status that holds a RetryInfo: three fields, which are not worth a library of protobuf files."""
    from google.protobuf.any_pb2 import Any as Packed
    from google.protobuf.duration_pb2 import Duration

    delay = Duration(seconds=wait_ms // 1000, nanos=wait_ms % 1000 * 1_000_000).SerializeToString()
    packed = Packed(type_url="type.googleapis.com/google.rpc.RetryInfo", value=_field(1, delay)).SerializeToString()
    return b"\x08" + bytes([status.value[0]]) + _field(2, message[:200].encode()) + _field(3, packed)


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes as protobuf writes it, for less than 16 KiB."""
    size = len(data)
    return bytes([number << 3 | 2]) + (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + data


def retry_after(error: MicError) -> float:
    """Seconds that a forge asks to wait before the next try, 0.0 when it does not say."""
    document = error.details.get("document")
    wait = document.get("retry_after_ms") if isinstance(document, dict) else None
    return wait / 1000 if isinstance(wait, int) and not isinstance(wait, bool) and 0 < wait < 10**9 else 0.0


def error_of(code: str, message: str, hint: str) -> MicError:
    """The typed error of a code; MicError for a code that this version does not know."""
    return _CLASSES.get(code, MicError)(message, hint=hint)


def _with_document(error: MicError, raw: object) -> MicError:
    if isinstance(raw, bytes) and len(raw) <= MAX_DOCUMENT:
        with contextlib.suppress(ValueError, RecursionError):
            document = json.loads(raw)
            if isinstance(document, dict):
                error.details["document"] = document
    return error


def from_rpc_error(error: Any) -> MicError:
    """The typed error behind a failed call (a `grpc.RpcError` with `code`, `details`, `trailing_metadata`)."""
    trailing = dict(error.trailing_metadata() or ())
    code = trailing.get(CODE_KEY)
    message = error.details() or "The call failed."
    if isinstance(code, str):
        hint = trailing.get(HINT_KEY, b"")
        text = hint.decode("utf-8", "replace") if isinstance(hint, bytes) else str(hint)
        return _with_document(error_of(code, message, text), trailing.get(DOCUMENT_KEY))
    return _not_ours(error, message)


def _not_ours(error: Any, message: str) -> MicError:
    """What no forge of ours has said: gRPC, a proxy, a forge of another version. None says no to what was asked."""
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreached("The forge took too long to answer.", hint="Try again.")
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return Unreached("The forge cannot be reached.", hint="Is it running? Then try again.")
    if (page := _PAGE.match(message)) is not None:
        return errors.Unavailable(
            f"Something between here and the forge answered {page[1]} in its place.",
            hint="Is a proxy in the way? Try again, or ask whoever runs it.",
        )
    if error.code() == grpc.StatusCode.UNIMPLEMENTED:
        return MicError(
            "The forge does not know what this mic asks for: it is of an older version.",
            hint="Whoever runs it can bring it up to date; `mic --version` says what is here.",
        )
    if message == _UNREADABLE:
        return MicError(
            "The forge has sent what cannot be read here.",
            hint="Try again. If it stays so, this mic may be too old: `mic update --check`.",
        )
    return _BY_STATUS.get(error.code(), MicError)(message)
