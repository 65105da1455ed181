"""A guarded HTTP client: https, no redirects, time and bytes bounded, public addresses only."""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from mic.core.errors import InvalidInput, TooLarge, Unavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Idle connections that are kept for each host; more at once are made and closed again.
_KEPT = 8
_PIECE = 64 << 10
_DIGITS = 20  # no length has as many
# Prefixes that carry another address inside: 6to4, Teredo, NAT64.
_CARRIERS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def may_reach(address: str) -> bool:
    """Whether an IP address is out in the world: not this machine, not a private or special network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in _CARRIERS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class Outgoing:
    """Safe between threads. Hosts in `allowed` may be spoken to by http and at private addresses.

    `seconds` bound a whole request, from the look-up of the name to the last byte.
    """

    def __init__(self, allowed: frozenset[str] = frozenset(), seconds: float = 10.0) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._idle: dict[tuple[str, str, int], list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()
        self._context = ssl.create_default_context()

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, limit: int) -> Answer:
        """GET, whatever the status; a redirect is an answer like any other.

        Raises InvalidInput for an address that may not be asked, TooLarge for a body above `limit` bytes, and
        Unavailable when there is no answer in time.
        """
        parts = urlsplit(url)
        host, port = self._checked(parts)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        deadline = time.monotonic() + self._seconds
        place = (parts.scheme, host, port)
        # A kept connection may have been closed by the other side meanwhile: then once more, with a new one.
        kept = self._take(place)
        if kept is not None:
            try:
                return self._ask(kept, place, target, headers or {}, limit, deadline)
            except Unavailable:
                pass
        return self._ask(self._connect(place, deadline), place, target, headers or {}, limit, deadline)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _checked(self, parts: SplitResult) -> tuple[str, int]:
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError as error:
            raise InvalidInput(f"{parts.netloc[:200]!r} has no port that can be meant.") from error
        if parts.username is not None or not host or not host.isascii():
            raise InvalidInput(f"{parts.netloc[:200]!r} is not the name of a host.")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self._allowed):
            raise InvalidInput(
                f"{host} may only be asked by https.", hint="The host of the forge can allow http for this name."
            )
        return host, port or (443 if parts.scheme == "https" else 80)

    def _connect(self, place: tuple[str, str, int], deadline: float) -> http.client.HTTPConnection:
        scheme, host, port = place
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"{host} has no address: {error}.") from error
        addresses = [str(entry[4][0]) for entry in found]
        good = addresses if host in self._allowed else [address for address in addresses if may_reach(address)]
        if not good:
            raise InvalidInput(
                f"{host} is inside of a private network, where the forge asks nobody.",
                hint="The host of the forge can allow this name.",
            )
        # The address that was looked at is the one that is connected to: a second look-up may say another.
        try:
            connected = socket.create_connection((good[0], port), timeout=_left(deadline, host))
            try:
                if scheme == "https":
                    connected = self._context.wrap_socket(connected, server_hostname=host)
                # Requests are written in two parts, and the answer is waited for.
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except BaseException:
                connected.close()
                raise
        except OSError as error:
            raise Unavailable(f"{host} does not answer: {error}.") from error
        connection = http.client.HTTPConnection(host, port)
        connection.sock = _Bounded(connected)
        return connection

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        place: tuple[str, str, int],
        target: str,
        headers: Mapping[str, str],
        limit: int,
        deadline: float,
    ) -> Answer:
        scheme, host, port = place
        keep = False
        try:
            assert isinstance(connection.sock, _Bounded)
            connection.sock.until(deadline, host)
            name = f"[{host}]" if ":" in host else host
            usual = port == (443 if scheme == "https" else 80)
            sent = {"Host": name if usual else f"{name}:{port}", "Accept-Encoding": "identity", **headers}
            connection.request("GET", target, headers=sent)
            response = connection.getresponse()
            with response:
                body = _body(response, host, limit)
                keep = not response.will_close
                found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{host} does not answer: {str(error) or type(error).__name__}.") from error
        finally:
            self._give_back(place, connection, keep)

    def _take(self, place: tuple[str, str, int]) -> http.client.HTTPConnection | None:
        with self._lock:
            kept = self._idle.get(place)
            return kept.pop() if kept else None

    def _give_back(self, place: tuple[str, str, int], connection: http.client.HTTPConnection, keep: bool) -> None:
        if keep and connection.sock is not None:
            with self._lock:
                kept = self._idle.setdefault(place, [])
                if len(kept) < _KEPT:
                    kept.append(connection)
                    return
        with contextlib.suppress(OSError):
            connection.close()


def _left(deadline: float, host: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unavailable(f"{host} does not answer in time.")
    return left


def _body(response: http.client.HTTPResponse, host: str, limit: int) -> bytes:
    stated = response.getheader("Content-Length", "")  # "5, 10" when it was said twice
    if stated and not (stated.isascii() and stated.isdigit() and len(stated) < _DIGITS):
        response.will_close = True
        raise Unavailable(f"{host} says {stated[:100]!r} of the length of its answer.")
    parts: list[bytes] = []
    size = 0
    while size <= limit and not (stated and int(stated) > limit):
        piece = response.read(min(_PIECE, limit + 1 - size))
        if not piece:
            if stated and int(stated) != size:
                raise Unavailable(f"{host} ended its answer after {size} of {stated} bytes.")
            return b"".join(parts)
        parts.append(piece)
        size += len(piece)
    response.will_close = True  # the rest is not read
    raise TooLarge(f"{host} sent more than {limit} bytes.")


class _Bounded:
    """A socket, as far as `http.client` uses one, that waits until a deadline and no longer, however bytes drip in."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._deadline, self._host = 0.0, ""
        self._readers, self._closed = 0, False

    def until(self, deadline: float, host: str) -> None:
        """From now on this deadline (monotonic seconds) holds."""
        self._deadline, self._host = deadline, host

    def left(self) -> socket.socket:
        """The socket, which will wait at most as long as there is time."""
        self._socket.settimeout(_left(self._deadline, self._host))
        return self._socket

    def sendall(self, data: bytes) -> None:
        self.left().sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        self._readers += 1
        return io.BufferedReader(_Received(self))

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

    def __init__(self, bounded: _Bounded) -> None:
        self._bounded = bounded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._bounded.left().recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            self._bounded.reader_closed()
        super().close()
