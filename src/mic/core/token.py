"""Access tokens as text: recognizable where they leak, and checkable without asking anybody.

`mic_pat_` (personal) or `mic_agt_` (an agent's, for one session), 43 characters that hold 32 random bytes, and six that
hold the CRC-32 of everything before them. Both numbers are big-endian in base 62: digits, capitals, small letters,
filled with `0`. The checksum is no secret and protects nothing; it tells a token from a word that looks like one
(docs/formats.md).
"""

from __future__ import annotations

import re
import zlib

PERSONAL = "mic_pat_"
SESSION = "mic_agt_"
RANDOM_BYTES = 32
# 62 ** 43 > 2 ** 256 and 62 ** 6 > 2 ** 32.
_VALUE, _CHECK = 43, 6
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = re.compile(r"mic_(?:pat|agt)_[0-9A-Za-z]{49}")


def make_token(prefix: str, random: bytes) -> str:
    """The token with this prefix (PERSONAL or SESSION) for 32 random bytes."""
    assert prefix in (PERSONAL, SESSION)
    assert len(random) == RANDOM_BYTES
    body = prefix + _base62(int.from_bytes(random, "big"), _VALUE)
    return body + _checksum(body)


def is_token(text: str) -> bool:
    """Whether `text` is a token of ours, by form and checksum. Says nothing about whether it is good anywhere."""
    return FORM.fullmatch(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def claims_to_be_token(text: str) -> bool:
    """Whether `text` begins as our tokens do; with `is_token` false it was cut off or mistyped."""
    return text.startswith((PERSONAL, SESSION))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    assert not number
    return "".join(reversed(digits))
