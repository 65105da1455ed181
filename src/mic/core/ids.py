"""Identities: SHA-256 of content, ULIDs of sessions. Randomness and time are arguments, never taken here."""

from __future__ import annotations

import hashlib

from mic.core.errors import InvalidInput

HASH_BYTES = 32
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DECODE = {char: value for value, char in enumerate(_CROCKFORD)} | {"I": 1, "L": 1, "O": 0}


def content_hash(data: bytes) -> bytes:
    """The identity of content: SHA-256 of its uncompressed bytes, 32 bytes."""
    return hashlib.sha256(data).digest()


def new_ulid(now_ms: int, randomness: bytes) -> bytes:
    """16 bytes: 48-bit Unix milliseconds, then 80 random bits (10 bytes). Sorts by time."""
    assert len(randomness) == 10
    return now_ms.to_bytes(6, "big") + randomness


def ulid_text(ulid: bytes) -> str:
    """26 Crockford base-32 characters, as ulid.md of the ULID specification writes them."""
    number = int.from_bytes(ulid, "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def parse_ulid(text: str) -> bytes:
    """The 16 bytes of a ULID's text; raises InvalidInput."""
    number = 0
    upper = text.upper()
    if len(upper) != 26 or any(char not in _DECODE for char in upper):
        raise InvalidInput(f"{text[:40]!r} is not a session id", hint="a session id has 26 letters and digits")
    for char in upper:
        number = number << 5 | _DECODE[char]
    if number >> 128:
        raise InvalidInput(f"{text[:40]!r} is not a session id", hint="its first character is at most 7")
    return number.to_bytes(16, "big")


def ulids_that_begin(text: str) -> tuple[bytes, bytes]:
    """The least and the greatest ULID whose text begins so (1 to 26 characters); raises InvalidInput."""
    if not 1 <= len(text) <= 26:
        raise InvalidInput(
            f"{text[:40]!r} is no beginning of a session id", hint="a session id has 26 letters and digits"
        )
    return parse_ulid(text.ljust(26, "0")), parse_ulid(text.ljust(26, "Z"))
