"""Messages that are none: the library would say that the forge failed, with a trace in its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import DecodeError

from mic.core.errors import InvalidInput


class Malformed(NamedTuple):
    """Stands where a message should; `why` is the library's own word."""

    why: str


def well_formed(request: Any) -> Any:
    """The message, or the stream of messages, that a call takes. Raises InvalidInput for one that could not be read."""
    return map(_read, request) if isinstance(request, Iterator) else _read(request)


def _read(message: Any) -> Any:
    if isinstance(message, Malformed):
        raise InvalidInput(
            f"The request is no message of this call: {message.why}.", hint="Update `mic`, or the client."
        )
    return message


class Readable(grpc.ServerInterceptor):  # type: ignore[type-arg]  # it takes none at run time
    """Hands `Malformed` to our own calls instead of ending them as failures of the forge; `guard` raises."""

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """The handler of a call, with a deserializer that does not raise."""
        handler = continuation(details)
        if handler is None or not details.method.startswith("/mic.v1."):
            return handler
        return handler._replace(request_deserializer=_careful(handler.request_deserializer))


def _careful(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(raw: bytes) -> Any:
        try:
            return deserialize(raw)
        except DecodeError as error:
            return Malformed(str(error).rpartition(": ")[2].rstrip("."))

    return read
