"""How people reach the forge: its address, its certificate, and what may stand in front of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mic.core.errors import MicError
from micelio.networks import Entry, parse_entries
from micelio.setting_values import ANYWHERE, LOOPBACK, BadSetting, Network

_BESIDE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def base_address(value: str, host: str, port: int, scheme: str) -> str:
    """Where people reach the forge, without a slash at the end: what is set, else where it listens."""
    if not value:
        name = "localhost" if host in LOOPBACK | ANYWHERE else host
        return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting(f"MICELIO_BASE_URL is {value!r}; use http://host[:port] or https://host[:port].")
    if parts.path not in ("", "/") or parts.username is not None:
        raise BadSetting(f"MICELIO_BASE_URL is {value!r}; it may hold no path and no user name.")
    return value.rstrip("/")


def tls_files(values: Mapping[str, str]) -> tuple[Path, Path] | None:
    """The two files, both or neither. Whether they can be used is seen when they are read."""
    names = ("MICELIO_TLS_CERTIFICATE", "MICELIO_TLS_KEY")
    given = [name for name in names if name in values]
    if not given:
        return None
    if len(given) == 1:
        missing = names[1 - names.index(given[0])]
        raise BadSetting(f"{given[0]} is set, but {missing} is not; set both or neither.")
    if values.get("MICELIO_BASE_URL", "").startswith("http://"):
        raise BadSetting(f"{names[0]} is set, but MICELIO_BASE_URL begins with http://; begin it with https://.")
    if "MICELIO_FRONT_END_ADDRESS" in values:
        # They call each other at the gRPC port, with signed messages in plain text.
        raise BadSetting(f"{names[0]} is set, but so is MICELIO_FRONT_END_ADDRESS; end TLS in a proxy, or unset one.")
    chain, key = (Path(values[name]).expanduser().absolute() for name in names)
    return chain, key


def trusted_proxies(values: Mapping[str, str], *, behind: bool) -> tuple[Network, ...]:
    """The networks of MICELIO_TRUSTED_PROXIES. Without it a proxy on this machine, where https says there is one."""
    name = "MICELIO_TRUSTED_PROXIES"
    text = values.get(name, "")
    if not text:
        return _BESIDE if behind else ()
    if text.strip() == "none":
        return ()
    try:
        networks = tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise BadSetting(
            f"{name} is {text[:200]!r}; list networks such as 10.1.0.0/16, with a comma between them, or none."
        ) from None
    if any(network.prefixlen == 0 for network in networks):
        raise BadSetting(f"{name} holds the whole world, which could then claim any address; name your proxies.")
    return networks


def networks(values: Mapping[str, str]) -> str:
    """The list of MICELIO_NETWORKS as `micelio.networks` stores one; "" when there is none."""
    name = "MICELIO_NETWORKS"
    text = values.get(name, "").strip()
    try:
        return parse_entries([Entry(part.strip()) for part in text.split(",")]) if text else ""
    except MicError as error:
        raise BadSetting(f"{name}: {error.message} {error.hint}") from None
