"""A channel whose questions somebody passes on who holds a connection already. It connects when that is not enough.

A connection of its own costs a command 10 ms of processor time, which is more than most answers take. Passed on are
questions alone: whoever asks one again, because nobody knows what became of it, has changed nothing. A command that had
to connect asks over that connection from then on: what a forge refuses would be asked, and counted, twice each time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import grpc
from google.protobuf.message import DecodeError

# The beginnings of the names of calls that change nothing.
_QUESTIONS = ("Blame", "Explain", "Explore", "Find", "Get", "List", "Search")

# Seconds that its own connection has at least, however long the other way took.
_LEAST = 5.0

# (the call's whole name, the request, seconds, metadata) -> the answer, None where the asker has to ask himself.
PassOn = Callable[[str, bytes, float, tuple[tuple[str, str], ...]], bytes | None]


class PassedOn(grpc.Channel):
    """What `mic.rpc.client.Client` needs of a channel. `make` connects, at most once, when it has to be."""

    def __init__(self, pass_on: PassOn, make: Callable[[], grpc.Channel]) -> None:
        self._pass_on, self._make = pass_on, make
        self._made: grpc.Channel | None = None

    def unary_unary(self, method: str, *given: Any, **named: Any) -> Any:
        """A call that is passed on when it is a question."""
        return _Call(self._own("unary_unary", method, given, named), method, named, self._asked(method))

    def unary_stream(self, method: str, *given: Any, **named: Any) -> Any:
        """A call over the connection."""
        return _Call(self._own("unary_stream", method, given, named), method, named, None)

    def stream_unary(self, method: str, *given: Any, **named: Any) -> Any:
        """A call over the connection."""
        return _Call(self._own("stream_unary", method, given, named), method, named, None)

    def stream_stream(self, method: str, *given: Any, **named: Any) -> Any:
        """A call over the connection."""
        return _Call(self._own("stream_stream", method, given, named), method, named, None)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        """As the connection does."""
        self._channel().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """As the connection does."""
        self._channel().unsubscribe(callback)

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._made is not None:
            self._made.close()

    def __enter__(self) -> PassedOn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(self, method: str) -> PassOn | None:
        return self._while_unconnected if method.rpartition("/")[2].startswith(_QUESTIONS) else None

    def _while_unconnected(self, *question: Any) -> bytes | None:
        return None if self._made is not None else self._pass_on(*question)

    def _channel(self) -> grpc.Channel:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _own(self, arity: str, method: str, given: Any, named: Any) -> Callable[[], Any]:
        return lambda: getattr(self._channel(), arity)(method, *given, **named)


class _Call:
    """One call of a stub. `_method` and `_response_deserializer` are named as gRPC names them in its own."""

    def __init__(self, make: Callable[[], Any], method: str, named: dict[str, Any], pass_on: PassOn | None) -> None:
        self._make, self._pass_on = make, pass_on
        self._method = method.encode()
        self._serialize: Any = named.get("request_serializer")
        self._response_deserializer: Any = named.get("response_deserializer")

    def with_call(self, request: Any, timeout: float, metadata: Any) -> tuple[Any, Any]:
        """The answer within `timeout` seconds, and what is known of the call; raises grpc.RpcError."""
        if self._pass_on is not None:
            began = monotonic()
            raw = self._pass_on(self._method.decode(), self._serialize(request), timeout, metadata)
            if raw is not None:
                try:
                    return self._response_deserializer(raw), _Answered()
                except DecodeError:
                    pass  # its own connection has the words for that
            timeout = max(timeout - (monotonic() - began), min(timeout, _LEAST))
        return self._make().with_call(request, timeout=timeout, metadata=metadata)  # type: ignore[no-any-return]

    def __call__(self, request: Any, timeout: float, metadata: Any) -> Any:
        """What the connection's own call gives."""
        return self._make()(request, timeout=timeout, metadata=metadata)


class _Answered:
    """Of an answer that came by somebody else: with anything to say beside it he would not have passed it on."""

    def trailing_metadata(self) -> tuple[()]:
        """Nothing."""
        return ()
