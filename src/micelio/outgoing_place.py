"""Hosts and networks that the forge may ask although they are not out in the world, as a setting names them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds hand out the keys of the machine that asks. No network opens it on the way, only its own name.
_METADATA = tuple(map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200")))
# Addresses that stand for one of IPv4: mapped and compatible, NAT64, 6to4, Teredo.
_CARRIERS = tuple(
    map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)


@dataclass(frozen=True, slots=True)
class OutgoingPlace:
    """What is named: hosts in lower case, and networks."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]


def parse(name: str, text: str) -> OutgoingPlace:
    """The hosts and networks of a setting, with commas between. Raises ValueError with a sentence."""
    hosts, networks = set(), []
    for part in (part.strip().lower() for part in text.split(",")):
        if "/" in part:
            networks.append(_network(name, part))
        elif part:
            if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*", part):
                raise ValueError(
                    f"{name} holds {part[:100]!r}; use names of hosts, addresses or networks such as 10.1.0.0/16, "
                    "with commas, without ports."
                )
            hosts.add(_plain(part))
    return OutgoingPlace(frozenset(hosts), tuple(networks))


def _plain(host: str) -> str:
    """An address in its shortest form, a name without the dot of the root."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.rstrip(".")


def _network(name: str, text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{name} holds {text[:100]!r}, which is no network: {error}.") from None
    if isinstance(network, ipaddress.IPv6Network) and any(network.overlaps(carrier) for carrier in _CARRIERS):
        raise ValueError(f"{name} holds {text}, where addresses stand for others; name the network of IPv4 instead.")
    for address in _METADATA:
        if address.version == network.version and address in network:
            raise ValueError(
                f"{name} holds {text}, and with it {address}, where clouds hand out keys; name smaller networks."
            )
    return network
