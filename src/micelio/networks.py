"""Lists of networks that something may be reached from: their text, and whether an address is in one. Pure.

A stored list is a text of lines `network note`, each network in its shortest form; "" is no list: it holds everybody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mic.core.errors import InvalidInput, NotFound, TooLarge

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Each is looked at for every request from outside; a page shows them all.
MOST = 500
NOTE_LENGTH = 100
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class Entry:
    """A network in CIDR notation, and why it is there."""

    network: str
    note: str = ""


def parse_entries(entries: Sequence[Entry]) -> str:
    """Entries as the text that is stored. Raises InvalidInput that names the entry, TooLarge for too many."""
    if len(entries) > MOST:
        raise TooLarge(f"{len(entries):,} networks are more than a list holds: {MOST}.", hint="Use larger networks.")
    seen: set[str] = set()
    lines = []
    for entry in entries:
        network, note = str(_network(entry.network)), entry.note.strip()
        if network in seen:
            raise InvalidInput(f"{network} stands in the list twice.", hint="Keep one of them.")
        if len(note) > NOTE_LENGTH or not note.isprintable():
            raise InvalidInput(
                f"The note of {network} is longer than {NOTE_LENGTH} signs, or holds one that cannot be shown.",
                hint="Say in a few words what is there.",
            )
        seen.add(network)
        lines.append(f"{network} {note}".rstrip())
    return "\n".join(lines)


def parse_lines(text: str) -> list[Entry]:
    """What a person wrote: a network a line, a note behind it. Judged by `parse_entries`."""
    found = [line.strip().partition(" ") for line in text.splitlines()[: MOST * 20] if line.strip()]
    return [Entry(network, note.strip()) for network, _, note in found]


def entries_of(stored: str) -> tuple[Entry, ...]:
    """The entries of a stored list."""
    return tuple(Entry(network, note) for network, _, note in (line.partition(" ") for line in stored.splitlines()))


def changed(stored: str, add: Sequence[Entry], remove: Sequence[str]) -> list[Entry]:
    """A stored list without some networks and with others; a network to remove is named as `192.0.2.7` or with its /32.

    Raises InvalidInput for what is no network, NotFound for one to remove that is not in it. Judge the result by
    `parse_entries`.
    """
    kept = {entry.network: entry for entry in entries_of(stored)}
    for text in remove:
        if kept.pop(str(_network(text)), None) is None:
            raise NotFound(f"{text.strip()[:60]} is not in the list.", hint="Look at the list again.")
    return [*kept.values(), *add]


def holds(stored: str, address: str) -> bool:
    """Whether an address is in a stored list. A list holds no unknown address (""); no list holds everything."""
    if not stored:
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return any(mapped.version == network.version and mapped in network for network in _networks(stored))


@lru_cache(maxsize=1024)
def _networks(stored: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(entry.network) for entry in entries_of(stored))


def _network(text: str) -> Network:
    text = text.strip()
    shown = repr(text[:60])
    try:
        if "%" in text:
            raise InvalidInput(f"{shown} names a wire of its machine.", hint="Write it without the % and what follows.")
        network = ipaddress.ip_network(text)
    except ValueError:
        try:
            wider = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise InvalidInput(f"{shown} is no network.", hint="Write one as 192.0.2.0/24 or 2001:db8::/32.") from None
        raise InvalidInput(
            f"{shown} is an address in a network, not a network.",
            hint=f"Write {wider} for the network, or the address without its /{wider.prefixlen}.",
        ) from None
    if network.prefixlen == 0:
        raise InvalidInput(f"{shown} is the whole world.", hint="Leave the list empty to let everybody in.")
    if isinstance(network, ipaddress.IPv6Network) and network.overlaps(_MAPPED):
        raise InvalidInput(f"{shown} is a network of IPv4 in the clothes of IPv6.", hint="Write it as IPv4.")
    return network
