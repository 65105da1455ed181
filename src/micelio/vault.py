"""Secrets that the forge must be able to read again, encrypted where they are stored.

    enc1.{key id}.{base64url of 12 bytes nonce | ciphertext | 16 bytes tag}

AES-256-GCM. The purpose of a value is authenticated with it, so a value that was moved to another place does not open
there. The key id says which key of the ring opens it: the newest one encrypts, older ones only open until everything
was encrypted anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mic.core.errors import Corrupt, Unavailable
from micelio.config import current

KEY_BYTES = 32
_NONCE_BYTES = 12
_MAGIC = "enc1"


class Keyring:
    """Keys by id, the first one for encrypting."""

    __slots__ = ("_ciphers", "newest")

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.newest = key_id(keys[0])
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)})"

    def seal(self, text: str, purpose: str) -> str:
        """The text, encrypted for one purpose."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self.newest].encrypt(nonce, text.encode(), purpose.encode())
        return f"{_MAGIC}.{self.newest}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, value: str, purpose: str) -> str:
        """The text again. Raises Unavailable without the key, Corrupt for a damaged value or one of another purpose."""
        magic, _, rest = value.partition(".")
        name, _, body = rest.partition(".")
        if magic != _MAGIC:
            raise Corrupt("an encrypted value has not the form of one", hint="restore the database from a backup")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise Unavailable(
                f"A secret was encrypted with the key {name[:16]}, which this forge was not given.",
                hint="Add that key to ENCRYPTION_PREVIOUS_KEYS.",
            )
        try:
            sealed = base64.urlsafe_b64decode(body.encode())
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Corrupt(
                f"a secret for {purpose} does not open with its key", hint="restore the database from a backup"
            ) from error

    def is_newest(self, value: str) -> bool:
        """Whether the value was encrypted with the newest key."""
        return value.startswith(f"{_MAGIC}.{self.newest}.")


def key_id(key: bytes) -> str:
    """Eight hexadecimal digits that name a key and tell nothing of it."""
    return hashlib.sha256(b"micelio key id\0" + key).hexdigest()[:8]


def keyring() -> Keyring:
    """The keys of this forge."""
    return _keyring(current().encryption_keys())


@cache
def _keyring(keys: tuple[bytes, ...]) -> Keyring:
    return Keyring(keys)
