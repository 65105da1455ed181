"""What a scan found: where, by which rule, and a name for it that does not tell it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_DOMAIN = b"micelio secret 1\x00"
# Between the pieces of an excerpt; no secret holds it.
HIDDEN = "…"


class Finding(NamedTuple):
    """A secret in a content. `line` and `column` count from 1, the column in bytes; `start` and `stop` are offsets.

    `excerpt` shows what every secret of its kind begins with, and how long this one is; never more. `fingerprint` is
    the first 16 bytes of SHA-256 over a fixed word, the rule and the secret, in hex: the same secret found again by
    the same rule has the same one.
    """

    rule: str
    line: int
    column: int
    excerpt: str
    fingerprint: str
    start: int
    stop: int


def fingerprint(rule: str, secret: bytes) -> str:
    """The name of a secret among allowed findings: 32 hexadecimal digits."""
    return hashlib.sha256(_DOMAIN + rule.encode() + b"\x00" + secret).hexdigest()[:32]


def masked(lead: bytes, length: int) -> str:
    """An excerpt: the fixed beginning of a kind of secret, and the length of the whole."""
    return f"{lead.decode('ascii', 'replace')}{HIDDEN} ({length} characters)"
