"""An answer whose body is read piece by piece, bounded before and after it is unpacked."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterator, Mapping

from mic.core.errors import TooLarge, Unavailable
from micelio.outgoing.reach import reason

PIECE = 64 << 10
_DIGITS = 20  # no length has as many
_GZIP = 31  # zlib's word for gzip's frame
# What was packed may be larger than what it stands for, by frames and by what cannot be made smaller.
_SLACK = 64 << 10


class Opened:
    """Status, headers with names in lower case, the address that answered in the end, and the body.

    At most `limit` bytes of body are given, counted as they are given: unpacked. A stated length is held to.
    """

    def __init__(self, response: http.client.HTTPResponse, url: str, limit: int) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = _headers(response)
        self.url = url
        self._response = response
        self._host = url.split("/")[2]
        self._limit = limit
        self._stated = self._length()
        self._received = self._given = 0
        self._rest = b""
        self._ended = False
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "", "gzip", "x-gzip"):
            raise Unavailable(f"{self._host} packed its answer as {coding[:40]!r}, which nobody asked for.")
        self._packed = "gzip" in coding
        self._unpack = zlib.decompressobj(_GZIP) if self._packed else None
        if self._stated is not None and not self._packed and self._stated > limit:
            raise self._too_large()

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most `size` of them and perhaps fewer; b"" at the end and only there.

        Raises TooLarge when the body goes on behind the limit, Unavailable when it breaks off or the time is over.
        """
        size = min(size, self._limit + 1 - self._given)
        try:
            found = self._next(size) if self._unpack is None else self._unpacked(size)
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            raise Unavailable(f"{self._host} does not answer: {reason(error)}.") from error
        self._given += len(found)
        if self._given > self._limit:
            raise self._too_large()
        return found

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece; none is empty."""
        while piece := self.read():
            yield piece

    def whole(self) -> bytes:
        """The body."""
        return b"".join(self.pieces())

    @property
    def at_end(self) -> bool:
        """Whether the body was read whole, so that the connection serves another request."""
        return self._ended and not self._response.will_close

    def _next(self, size: int) -> bytes:
        found = self._response.read1(size)
        self._received += len(found)
        if self._packed and self._received > self._limit + _SLACK:
            raise self._too_large()  # of what stands for nothing, without end
        if not found:
            self._ended = True
            if self._stated is not None and self._received != self._stated:
                raise Unavailable(f"{self._host} ended its answer after {self._received} of {self._stated} bytes.")
        return found

    def _unpacked(self, size: int) -> bytes:
        """As `_next`. Never more than `size` bytes come out, however many a few bytes stand for."""
        assert self._unpack is not None
        while True:
            if self._unpack.eof:
                # What follows is another member, or it is nothing.
                self._rest = self._unpack.unused_data or self._next(PIECE)
                if not self._rest:
                    return b""
                self._unpack = zlib.decompressobj(_GZIP)
            if not self._rest:
                self._rest = self._next(PIECE)
                if not self._rest:
                    if self._received:
                        raise Unavailable(f"{self._host} ended its answer in the middle of what it packed.")
                    return b""
            found = self._unpack.decompress(self._rest, size)
            self._rest = self._unpack.unconsumed_tail
            if found:
                return found

    def _length(self) -> int | None:
        stated = self._response.getheader("Content-Length", "")  # "5, 10" when it was said twice
        if not stated or self._response.chunked:
            return None
        if not (stated.isascii() and stated.isdigit() and len(stated) < _DIGITS):
            raise Unavailable(f"{self._host} says {stated[:100]!r} of the length of its answer.")
        # What has no body may state the length that one would have.
        return None if self._response.length == 0 else int(stated)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"{self._host} sent more than {self._limit} bytes.")


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    """One line a name; what was said several times stands with commas between, as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
