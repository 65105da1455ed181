"""Whom the forge may ask: from an address as text to a connected socket.

ssrfguard reads the URL, judges every IP address that its name stands for, and connects to one that was judged: nothing
is looked up twice. What is ours: the deadline over it all, ports, plain http, and the exceptions that settings name.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlsplit

import ssrfguard

from mic.core.errors import InvalidInput, MicError, Unavailable
from micelio.setting_values import Network

# By https, at hosts that no setting names: its own port and the one that stands in for it. Another port may be another
# protocol, and a forge that knocks at all of them is a scanner for whoever signs up.
_PORTS = frozenset({443, 8443})
_ANY_PORT = frozenset(range(1, 65536))
_ANY_ADDRESS: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
# Of a name's addresses so many are tried.
_MOST_ADDRESSES = 4
# Look-ups that wait at once. The system's has no deadline, so one that hangs keeps its thread when we have gone on.
_MOST_LOOK_UPS = 32
_look_ups = threading.BoundedSemaphore(_MOST_LOOK_UPS)
_NUMBER = re.compile(r"\[Errno -?[0-9]+\] ")
_HINT = "The host of the forge can allow this name, or its network: MICELIO_OUTGOING_ALLOW."


@dataclass(frozen=True, slots=True)
class Aim:
    """An address that may be asked: whom to connect to (`scheme`, `host`, `port`), and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str  # with the query, in ASCII

    @property
    def place(self) -> tuple[str, str, int]:
        """What a kept connection is kept for; the same for two addresses of one origin."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as `Host` has them: without the port that is usual."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.scheme == "https" else 80) else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True, slots=True)
class Reach:
    """Out in the world by https; further at `hosts`, by any port and by http, and at addresses in `networks`."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def aim(self, url: str) -> Aim:
        """Parse an address. Raises InvalidInput for what may not be asked, before anything is looked up."""
        try:
            if not url.isascii() and not (urlsplit(url).hostname or "").isascii():
                raise InvalidInput(
                    f"{_short(url)} has a host with other signs than ASCII.", hint="Write its name in punycode (xn--)."
                )
            target = _reading().check_url(url)
            parts = urlsplit(url)
        except (ssrfguard.SSRFGuardError, ValueError) as error:
            raise InvalidInput(f"{_short(url)} cannot be asked: {_why(error)}.", hint=_FORM) from error
        host = target.host.rstrip(".") if target.address is None else str(target.address)
        # What stands in the path may be in any alphabet; what travels is ASCII.
        path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
        aim = Aim(target.scheme, host, target.port, path)
        if host not in self.hosts and not self.networks:
            if aim.scheme != "https":
                raise _only_https(host)
            if aim.port not in _PORTS:
                raise InvalidInput(f"{host} may not be asked at port {aim.port}, only at 443 and 8443.", hint=_HINT)
        return aim

    def connect(self, aim: Aim, deadline: float) -> socket.socket:
        """A connection to an address that was judged, with TLS where https is meant; `deadline` in monotonic seconds.

        Raises InvalidInput for a name that stands for an address which may not be asked, Unavailable when nobody
        answers in time.
        """
        policy = self._policy(aim.host)
        addresses = _in_time(aim, policy, deadline)
        if aim.host not in self.hosts and not all(self._is_named(found.ip) for found in addresses):
            if aim.scheme != "https":
                raise _only_https(aim.host)
            if aim.port not in _PORTS:
                raise InvalidInput(f"{aim.host} may not be asked at port {aim.port}.", hint=_HINT)
        try:
            each = left(deadline, aim.host) / min(len(addresses), _MOST_ADDRESSES)
            connected = ssrfguard.connect(addresses, policy=policy, timeout=each)
            try:
                connected.settimeout(left(deadline, aim.host))
                if aim.scheme == "https":
                    connected = _tls().wrap_socket(connected, server_hostname=aim.host)
                # Requests are written in two parts, and the answer is waited for.
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except BaseException:
                connected.close()
                raise
            return connected
        except ssrfguard.BlockedAddressError as error:
            raise _inside(aim.host) from error
        except OSError as error:
            raise Unavailable(f"{aim.host} does not answer: {reason(error)}.") from error

    def _policy(self, host: str) -> ssrfguard.Policy:
        networks = _ANY_ADDRESS if host in self.hosts else self.networks
        return _judging(networks)

    def _is_named(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(ip.version == network.version and ip in network for network in self.networks)


def reason(error: Exception) -> str:
    """What the system says of an error, for a sentence to people: without its numbers."""
    return _NUMBER.sub("", str(error)) or type(error).__name__


def may_reach(address: str) -> bool:
    """Whether an IP address is out in the world: not this machine, not a private or special network."""
    return _judging(()).permits_address(address.partition("%")[0])


def left(deadline: float, host: str) -> float:
    """Seconds until then. Raises Unavailable when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise Unavailable(f"{host} does not answer in time.")
    return seconds


_FORM = "Use an address like https://host/path, without a user name in it."
_SAFE = "/!$&'()*+,;=:@-._~%?[]"


def _short(url: str) -> str:
    """The part of an address that may stand in a message: nobody's password, no token of a query."""
    return repr(url.partition("?")[0].rpartition("@")[2][:100])


def _why(error: Exception) -> str:
    return str(getattr(error, "reason", "") or "it is no address")[:300].rstrip(".")


def _only_https(host: str) -> InvalidInput:
    return InvalidInput(f"{host} may only be asked by https.", hint=_HINT)


def _inside(host: str) -> InvalidInput:
    return InvalidInput(f"{host} is inside of a private network, where the forge asks nobody.", hint=_HINT)


def _in_time(aim: Aim, policy: ssrfguard.Policy, deadline: float) -> tuple[ssrfguard.Address, ...]:
    """The addresses of a name, all of them judged."""
    if not _look_ups.acquire(blocking=False):
        raise Unavailable(f"The addresses of {_MOST_LOOK_UPS} other names are still waited for.", hint="Try again.")
    answer: queue.SimpleQueue[tuple[ssrfguard.Address, ...] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            literal = ipaddress.ip_address(aim.host) if _is_literal(aim.host) else None
            target = ssrfguard.Target(aim.scheme, aim.host, aim.port, aim.host, literal)
            answer.put(ssrfguard.resolve(target, policy=policy))
        except Exception as error:
            answer.put(error)
        finally:
            _look_ups.release()

    try:
        threading.Thread(target=look_up, name="look-up", daemon=True).start()
    except RuntimeError as error:
        _look_ups.release()
        raise Unavailable(f"{aim.host} cannot be looked up now.", hint="Try again.") from error
    try:
        found = answer.get(timeout=left(deadline, aim.host))
    except queue.Empty:
        raise Unavailable(f"The address of {aim.host} is not found in time.") from None
    if isinstance(found, ssrfguard.BlockedAddressError):
        raise _inside(aim.host) from found
    if isinstance(found, OSError | ValueError):
        raise Unavailable(f"{aim.host} has no address: {reason(found)}.") from found
    if isinstance(found, Exception):
        raise MicError(f"{aim.host} cannot be looked up.") from found
    return found


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


@cache
def _reading() -> ssrfguard.Policy:
    """For reading a URL: ports and addresses are judged by us, once it is known whose they are."""
    return ssrfguard.Policy(allowed_ports=_ANY_PORT, allowed_networks=_ANY_ADDRESS)


@cache
def _judging(networks: tuple[Network, ...]) -> ssrfguard.Policy:
    return ssrfguard.Policy(allowed_networks=networks, allowed_ports=_ANY_PORT, max_connection_attempts=_MOST_ADDRESSES)


@cache
def _tls() -> ssl.SSLContext:
    """Certificates that the system trusts, or those that SSL_CERT_FILE names."""
    return ssl.create_default_context()
