"""Where a request comes from: kept beside the thread that serves it, so that no act must hand it on."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import ip_address

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from micelio.config import current
from micelio.setting_values import Network

# One behind the other; nobody has that many.
_MOST_PROXIES = 20
_address: ContextVar[str] = ContextVar("audit_address", default="")


def current_address() -> str:
    """The network address of whoever asks now; "" outside a request."""
    return _address.get()


def come_from(address: str, forwarded: str = "") -> None:
    """From here on events of this thread carry the address of `visitor_at`."""
    _address.set(visitor_at(address, forwarded))


def visitor_at(address: str, forwarded: str = "") -> str:
    """Who asks over a connection from `address` with this X-Forwarded-For: the nearest that is no proxy of ours.

    Each proxy adds the address that it was asked from at the right. So the header is read from there, and only as far
    as trusted proxies wrote it: what is further left anybody wrote. "" when the connection says nothing.
    """
    here = _plain(address)
    if not forwarded:
        return here
    networks = current().trusted_proxies
    for entry in reversed(forwarded.split(",")[-_MOST_PROXIES:]):
        if not _within(here, networks):
            break
        further = _plain(entry.strip())
        if not further:
            break
        here = further
    return here


@lru_cache(maxsize=4096)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    return bool(address) and any(ip_address(address) in network for network in networks)


def peer_address(peer: str) -> str:
    """The address in gRPC's name of a peer, such as `ipv4:10.0.0.1:5000` or `ipv6:%5B::1%5D:5000`."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    return rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")


def _plain(address: str) -> str:
    """An address without zone and port; that of IPv4 when it is one in the clothes of IPv6. "" for anything else."""
    text = address.partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ip_address(text)
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


class OriginMiddleware:
    """Remembers for every page request where it comes from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The edge has put the visitor's address there, whatever stands between (micelio.edge.visitors).
        come_from(request.META.get("REMOTE_ADDR", ""))
        return self._get_response(request)
