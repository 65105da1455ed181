"""Where other front ends reach this one, as settings say it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from mic.core.beacon import host_of
from micelio.setting_values import LOOPBACK, BadSetting, Network


@dataclass(frozen=True, slots=True)
class FrontEndPlace:
    """Where other front ends reach this one (`ip:port`), the secret that all share, and where they may be."""

    address: str
    secret: str = field(repr=False)
    networks: tuple[Network, ...]

    def allows(self, host: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
        """Whether another front end may be at an address."""
        return host is not None and any(host in network for network in self.networks)


def parse(values: Mapping[str, str], host: str) -> FrontEndPlace | None:
    """How front ends reach each other, None when they do not. Raises BadSetting, never with the secret in it."""
    names = ("MICELIO_FRONT_END_ADDRESS", "MICELIO_FRONT_END_SECRET", "MICELIO_FRONT_END_NETWORKS")
    given = [name for name in names if name in values]
    if not given:
        return None
    for name in names:
        if name not in values:
            raise BadSetting(f"{given[0]} is set, but {name} is not; set all three of {', '.join(names)}, or none.")
    address, secret = values[names[0]], values[names[1]]
    if len(secret) < 32 or not secret.isascii() or not secret.isprintable():
        raise BadSetting(f"{names[1]} must have at least 32 printable signs; make one with `openssl rand -hex 32`.")
    networks = tuple(_network(text.strip()) for text in values[names[2]].split(","))
    place = FrontEndPlace(address, secret, networks)
    at = host_of(address)
    if at is None:
        raise BadSetting(f"{names[0]} is {address!r}; use ip:port or [ip]:port, as the other front ends dial it.")
    if not place.allows(at):
        raise BadSetting(f"{names[0]} is {address}, which is in no network of {names[2]}; correct one of them.")
    if host in LOOPBACK and not at.is_loopback:
        raise BadSetting(f"MICELIO_HOST is {host}, so nobody reaches {address}; set MICELIO_HOST to it.")
    return place


def _network(text: str) -> Network:
    """One network of front ends: what goes between them is signed and not encrypted, so none that is public."""
    name = "MICELIO_FRONT_END_NETWORKS"
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise BadSetting(f"{name} holds {text!r}; list networks as 10.1.0.0/16, with a comma between them.") from None
    if not network.is_private:
        raise BadSetting(f"{name} holds {text}, which is not private; front ends talk to each other unencrypted.")
    return network
