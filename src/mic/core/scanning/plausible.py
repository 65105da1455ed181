"""Whether what has the form of a secret can be one: documentation is full of forms that are none.

Every judgement is about the match alone. An example beside a true key hides nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections import Counter
from itertools import pairwise

from mic.core.token import is_token

# In lower case. None is likelier than one in 10,000 to stand in a random token of 64 letters by chance.
_PLACEHOLDERS = (
    b"example", b"xxxxx", b"placeholder", b"dummy", b"changeme", b"change_me", b"change-me", b"redacted", b"abcdef",
    b"12345", b"00000", b"insert", b"replace", b"your_", b"your-", b"yourt", b"youra", b"yours", b"fake", b"sample",
    b".....", b"*****", b"-----", b"_____", b"aaaaa", b"deadbeef", b"foobar", b"sometoken", b"mytoken", b"notreal",
)  # fmt: skip
# Values that standards and libraries print: RFC 6749 4.1.4, RFC 7515 A.1, jwt.io, PyJWT.
_PUBLISHED = (
    b"tGzv3JOkF0XG5Qx2TlKWIA", b"2YotnFZFEjr1zCsicMWpAA", b"7Fjfp0ZBr1KtDRbnfVdmIw", b"gX1fBat3bV",
    b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", b"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    b"4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOpOVswacPZg",
)  # fmt: skip
# Tokens that name their expiry and are older than these rules open nothing: 1 November 2026, in Unix seconds.
_EXPIRED = 1_793_491_200
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def entropy(text: bytes) -> float:
    """Shannon entropy of the bytes of a text, in bits a byte."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def is_placeholder(text: bytes) -> bool:
    """Whether a value was written to be replaced, or to be looked at."""
    lower = text.lower()
    return any(word in lower for word in _PLACEHOLDERS) or any(value in text for value in _PUBLISHED)


def is_random(text: bytes, bits: float) -> bool:
    """Whether a value of a known form could have been drawn: enough entropy, and no placeholder."""
    return not is_placeholder(text) and entropy(text) >= bits


def base62_crc32(text: bytes) -> bytes:
    """Six base-62 digits of the CRC-32 of a text, as GitHub ends its tokens with.

    Source: "Behind GitHub's new authentication token formats", github.blog, 5 April 2021.
    """
    number, digits = zlib.crc32(text), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.encode()


def github(token: bytes) -> bool:
    """Whether `ghp_` and its like, with 36 characters behind it, ends in the checksum of the 30 before."""
    body = token[4:]
    return base62_crc32(body[:30]) == body[30:]


def micelio(token: bytes) -> bool:
    """Whether a token of this or another forge of our kind ends in its checksum."""
    return is_token(token.decode("ascii", "replace"))


def jwt(token: bytes) -> bool:
    """Whether it is a signed JSON Web Token (RFC 7519) that has not expired, and no public one.

    The `anon` role is what Supabase puts into web pages on purpose.
    """
    parts = token.split(b".")
    if len(parts) != 3 or len(parts[2]) < 20 or any(value in token for value in _PUBLISHED):
        return False
    header, payload = _decoded(parts[0]), _decoded(parts[1])
    if header is None or payload is None or str(header.get("alg", "none")).lower() == "none":
        return False
    expires = payload.get("exp")
    if isinstance(expires, int | float) and expires < _EXPIRED:
        return False
    return payload.get("role") != "anon"


def _decoded(part: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def discord(token: bytes) -> bool:
    """Whether the first part is the number of an account: digits in base64, as Discord's tokens begin."""
    first = token.split(b".")[0]
    try:
        digits = base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4))
    except (binascii.Error, ValueError):
        return False
    return digits.isdigit() and 17 <= len(digits) <= 20


def assigned(value: bytes) -> bool:
    """Whether a value that is given to a name such as `password` was drawn rather than written.

    Hexadecimal from 32 digits on; else a mixture of letters and digits that no words explain.
    """
    if is_placeholder(value) or _is_uuid(value):
        return False
    lower = value.lower()
    if not lower.strip(b"0123456789abcdef"):
        return len(value) >= 32 and entropy(lower) >= 3.2
    if len(value) < 20 or entropy(value) < 3.9:
        return False
    digits = sum(48 <= byte < 58 for byte in value)
    return digits >= 3 and _turns(value) * 4 >= len(value)


def _is_uuid(value: bytes) -> bool:
    return len(value) == 36 and [at for at, byte in enumerate(value) if byte == 0x2D] == [8, 13, 18, 23]


def _turns(value: bytes) -> int:
    """How often a value turns between small letters, capitals, digits and signs; words turn seldom."""
    kinds = [0 if 97 <= b < 123 else 1 if 65 <= b < 91 else 2 if 48 <= b < 58 else 3 for b in value]
    return sum(left != right for left, right in pairwise(kinds))


def url_password(password: bytes, host: bytes) -> bool:
    """Whether a password inside an address opens something: not on the reader's own machine, and not in a document."""
    where = host.lower().rstrip(b".")
    if where in (b"localhost", b"127.0.0.1", b"host", b"hostname") or where.endswith(_EXAMPLE_HOSTS):
        return False
    lower = password.lower()
    if len(password) < 10 or any(word in lower for word in (b"pass", b"secret", b"user", b"token", b"test")):
        return False
    digits = sum(48 <= byte < 58 for byte in password)
    return 0 < digits < len(password) and is_random(password, 3.0)


# RFC 2606 and RFC 6761.
_EXAMPLE_HOSTS = (
    b"example",
    b"example.com",
    b"example.org",
    b"example.net",
    b".test",
    b".invalid",
    b".localhost",
    b".local",
)
