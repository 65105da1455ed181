"""The mail server that settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr

NAMES = frozenset({"SMTP_HOST", "SMTP_PORT", "SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_TLS", "FROM_EMAIL"})
_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


@dataclass(frozen=True, slots=True)
class PostalPlace:
    """Where mail is handed over. `tls` is starttls, always (from the first byte) or off; `sender` may hold a name."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: str
    sender: str


def parse(values: Mapping[str, str], hostname: str) -> PostalPlace | None:
    """The server of the settings, None when mail is off. Raises ValueError with a sentence, never with the password."""
    if "SMTP_HOST" not in values:
        alone = sorted(name for name in NAMES & set(values) if name.startswith("SMTP_"))
        if alone:
            raise ValueError(f"{alone[0]} is set, but SMTP_HOST is not; set both or neither.")
        return None
    host = values["SMTP_HOST"]
    if not _HOST.fullmatch(host):
        raise ValueError(f"SMTP_HOST is {host!r}; give the name of the mail server alone, without port.")
    text = values.get("SMTP_PORT", "587")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise ValueError(f"SMTP_PORT is {text!r}, which is not a port; use a number from 1 to 65535.")
    port = int(text)
    tls = values.get("SMTP_TLS", "always" if port == 465 else "starttls")
    if tls not in ("starttls", "always", "off"):
        raise ValueError(f"SMTP_TLS is {tls!r}; use starttls, always or off.")
    username, password = values.get("SMTP_USERNAME", ""), values.get("SMTP_PASSWORD", "")
    if bool(username) != bool(password):
        raise ValueError("Of SMTP_USERNAME and SMTP_PASSWORD one is set; set both or neither.")
    if password and tls == "off" and host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("SMTP_TLS is off, which would send SMTP_PASSWORD in clear; use starttls or always.")
    return PostalPlace(host, port, username, password, tls, _sender(values.get("FROM_EMAIL", ""), hostname))


def _sender(text: str, hostname: str) -> str:
    if not text:
        return f"Micelio <micelio@{hostname}>"
    _, address = parseaddr(text)
    if not text.isprintable() or not _ADDRESS.fullmatch(address):
        raise ValueError(f"FROM_EMAIL is {text!r}; use name@example.org, or Name <name@example.org>.")
    return text
