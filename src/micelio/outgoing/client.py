"""A guarded HTTP client: public addresses by https unless settings say otherwise, time and bytes bounded.

    client = outgoing(seconds=10)
    client.get(url, headers, limit=1 << 20)        -> Answer, a redirect is one like any other
    client.follow(url, headers, limit=1 << 20)     -> Answer, behind redirects, each of which is judged anew
    with client.opened(url, limit=1 << 30, hops=5) as answer:
        for piece in answer.pieces(): ...

It is for threads. Whoever is on the loop of the edge asks in a thread, as for every other work that waits.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from mic.core.errors import InvalidInput, Unavailable
from micelio.config import current
from micelio.outgoing.bounded import BoundedSocket
from micelio.outgoing.opened import Opened
from micelio.outgoing.reach import Aim, Reach, left, reason
from micelio.setting_values import Network

# Idle connections that are kept for each origin; more at once are made and closed again.
_KEPT = 8
_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may go to another origin with a redirect. Everything else may be a secret: there is no list of their names.
_HARMLESS = frozenset({"accept", "accept-language", "range", "user-agent"})
_AGENT = "Micelio"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case; `url` is the address that answered in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    headers: Mapping[str, str]
    body: bytes | None


class Outgoing:
    """Safe between threads. Hosts in `allowed` may be asked by http, at any port and at private addresses.

    So may whatever stands for addresses in `networks`. `seconds` bound a whole request, from the look-up of the name to
    the last byte, redirects included.
    """

    def __init__(
        self, allowed: frozenset[str] = frozenset(), seconds: float = 10.0, networks: tuple[Network, ...] = ()
    ) -> None:
        self._reach = Reach(allowed, networks)
        self._seconds = seconds
        self._idle: dict[tuple[str, str, int], list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, limit: int) -> Answer:
        """GET, whatever the status; a redirect is an answer like any other.

        Raises InvalidInput for an address that may not be asked, TooLarge for a body above `limit` bytes, and
        Unavailable when there is no answer in time.
        """
        with self.opened(url, headers, limit=limit, hops=0) as answer:
            return Answer(answer.status, answer.headers, answer.whole(), answer.url)

    def follow(self, url: str, headers: Mapping[str, str] | None = None, *, limit: int, hops: int = _HOPS) -> Answer:
        """GET behind at most `hops` redirects; raises as `get`, and InvalidInput where one may not be followed.

        Each hop is judged as if somebody had named it, and none leads from https to http. At another origin only
        headers arrive that can be no secret.
        """
        with self.opened(url, headers, limit=limit, hops=hops) as answer:
            return Answer(answer.status, answer.headers, answer.whole(), answer.url)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, limit: int) -> Answer:
        """POST, as `get`; once, and on a new connection, for nobody knows what a second time would do."""
        with self.opened(url, headers, method="POST", body=body, limit=limit) as answer:
            return Answer(answer.status, answer.headers, answer.whole(), answer.url)

    @contextlib.contextmanager
    def opened(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        limit: int,
        hops: int = 0,
        idle: float | None = None,
    ) -> Iterator[Opened]:
        """Ask, and read the answer piece by piece; raises as `get` and `follow`, also while it is read.

        `idle` is how many seconds the other side may be silent, by default as long as the whole may take. A body is
        sent again behind no redirect: then the redirect is the answer.
        """
        deadline = time.monotonic() + self._seconds
        request = _Request(method, _checked(headers or {}), body)
        aim = self._reach.aim(url)
        left_hops = hops if method in ("GET", "HEAD") else 0
        while True:
            with self._asked(aim, request, limit, deadline, idle or self._seconds, follows=left_hops > 0) as found:
                further = _further(aim, found) if hops and method in ("GET", "HEAD") else None
                if further is None:
                    yield found
                    return
            if not left_hops:
                raise InvalidInput(f"{aim.host} sends from one address to the next, more than {hops} times.")
            left_hops -= 1
            before, aim = aim, self._reach.aim(further)
            if before.scheme == "https" and aim.scheme != "https":
                raise InvalidInput(f"{before.host} sends from https to http, to {aim.host}.", hint=_HINT)
            if before.place != aim.place:
                kept = {name: value for name, value in request.headers.items() if name.lower() in _HARMLESS}
                request = _Request(method, kept, None)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def _asked(
        self, aim: Aim, request: _Request, limit: int, deadline: float, idle: float, *, follows: bool
    ) -> Iterator[Opened]:
        """One hop. A kept connection may have been closed by the other side meanwhile: then once more, by a new one."""
        connection = self._take(aim) if request.body is None and request.method in ("GET", "HEAD") else None
        if connection is not None:
            try:
                response = _answered(connection, aim, request, deadline, idle)
            except Unavailable:
                _drop(connection)
                connection = None
        if connection is None:
            connection = self._connect(aim, deadline)
            try:
                response = _answered(connection, aim, request, deadline, idle)
            except BaseException:
                _drop(connection)
                raise
        keep = False
        try:
            with response:
                redirects = follows and response.status in _REDIRECTS
                # Nobody reads what a redirect says beside where to.
                opened = Opened(response, aim.url, (1 << 62) if redirects else limit)
                yield opened
                keep = opened.at_end
        finally:
            if keep:
                self._give_back(aim, connection)
            else:
                _drop(connection)

    def _connect(self, aim: Aim, deadline: float) -> http.client.HTTPConnection:
        connected = self._reach.connect(aim, deadline)
        connection = http.client.HTTPConnection(aim.host, aim.port)
        connection.sock = BoundedSocket(connected)
        return connection

    def _take(self, aim: Aim) -> http.client.HTTPConnection | None:
        with self._lock:
            kept = self._idle.get(aim.place)
            return kept.pop() if kept else None

    def _give_back(self, aim: Aim, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            kept = self._idle.setdefault(aim.place, [])
            if connection.sock is not None and len(kept) < _KEPT:
                kept.append(connection)
                return
        _drop(connection)


_HINT = "Name the address that it leads to."


def outgoing(seconds: float = 10.0) -> Outgoing:
    """A client with the exceptions that the settings of this forge make. To be closed."""
    settings = current()
    return Outgoing(settings.outgoing_allowed, seconds, settings.outgoing_networks)


def _answered(
    connection: http.client.HTTPConnection, aim: Aim, request: _Request, deadline: float, idle: float
) -> http.client.HTTPResponse:
    bounded = connection.sock
    assert isinstance(bounded, BoundedSocket)
    left(deadline, aim.host)
    bounded.until(deadline, idle, aim.host)
    sent = {"Host": aim.authority, "Accept-Encoding": "identity", "User-Agent": _AGENT}
    names = {name.lower(): name for name in sent}
    for name, value in request.headers.items():
        sent[names.get(name.lower(), name)] = value
    try:
        connection.request(request.method, aim.path, body=request.body, headers=sent)
        response = connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"{aim.host} does not answer: {reason(error)}.") from error
    bounded.headers_end()
    return response


def _further(aim: Aim, answer: Opened) -> str | None:
    """Where a redirect leads, None for another answer."""
    if answer.status not in _REDIRECTS:
        return None
    location = answer.headers.get("location", "")
    try:
        return urljoin(aim.url, location) if location else None
    except ValueError as error:
        raise InvalidInput(f"{aim.host} sends to what is no address.") from error


def _checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers that can be sent. Their values may be secrets and stand in no message."""
    for name, value in headers.items():
        if not (name.isascii() and name.replace("-", "").isalnum()):
            raise InvalidInput(f"{name[:60]!r} is not the name of a header.")
        if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
            raise InvalidInput(f"The header {name} is not for the caller to say.")
        if not (value.isascii() and value.isprintable()):
            raise InvalidInput(f"What is to be sent as {name} holds a sign that no header may hold.")
    return headers


def _drop(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError):
        connection.close()
