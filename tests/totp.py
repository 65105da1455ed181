"""What an authenticator app shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time


def totp(secret: str, ahead: int = 0) -> str:
    """The code of RFC 6238: SHA-1, 30 seconds, 6 digits; `ahead` steps from now."""
    counter = int(time.time()) // 30 + ahead
    digest = hmac.new(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"
