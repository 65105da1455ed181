"""A socket, as far as `http.client` uses one, that waits until a deadline and reads no endless headers."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

from mic.core.errors import Unavailable
from micelio.outgoing.reach import left

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Bytes of a status line and its headers, interim answers (1xx) included. The largest seen have some 8 KiB.
_MOST_HEADERS = 64 << 10
# What the reader takes in one piece, of which some may be the body already.
_AHEAD = 8 << 10


class BoundedSocket:
    """However bytes drip in: `until` says for how long."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._deadline, self._idle, self._host = 0.0, 0.0, ""
        self._readers, self._closed = 0, False
        self._headers_left: int | None = None

    def until(self, deadline: float, idle: float, host: str) -> None:
        """From now on this deadline (monotonic seconds) holds, and so many seconds for each next byte."""
        self._deadline, self._idle, self._host = deadline, idle, host
        self._headers_left = _MOST_HEADERS + _AHEAD

    def headers_end(self) -> None:
        """What comes now is the body, which whoever reads it bounds."""
        self._headers_left = None

    def left(self) -> socket.socket:
        """The socket, which will wait at most as long as there is time."""
        self._socket.settimeout(min(left(self._deadline, self._host), self._idle))
        return self._socket

    def receive(self, buffer: WriteableBuffer) -> int:
        """Bytes that have come; 0 at the end."""
        size = self.left().recv_into(buffer)
        if self._headers_left is not None:
            self._headers_left -= size
            if self._headers_left < 0:
                raise Unavailable(f"{self._host} sent more than {_MOST_HEADERS} bytes of headers.")
        return size

    def sendall(self, data: bytes) -> None:
        """A reader that takes a byte now and then does not stretch the time."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.left().send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        self._readers += 1
        return io.BufferedReader(_Received(self), _AHEAD)

    def close(self) -> None:
        """Close, or leave it to the last reader: `http.client` closes before it reads the last answer's body."""
        self._closed = True
        if not self._readers:
            self._socket.close()

    def reader_closed(self) -> None:
        """One of those that `makefile` made is done."""
        self._readers -= 1
        if self._closed:
            self.close()


class _Received(io.RawIOBase):
    """The bytes that come in."""

    def __init__(self, bounded: BoundedSocket) -> None:
        self._bounded = bounded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._bounded.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            self._bounded.reader_closed()
        super().close()
