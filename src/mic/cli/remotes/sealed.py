"""A bucket that its owner cannot read: what goes there is encrypted here, and its names say nothing of what is in it.

    {prefix}/remote.enc             what would be remote.json
    {prefix}/packs/{name}.enc       a pack; the name is HMAC-SHA256(names key, SHA-256 of the pack) in hex

    'MICK' | u8 version=1 | 8 bytes: which key | 16 bytes of salt | pieces of 1 MiB, each ChaCha20-Poly1305 (RFC 8439)

The key of an object is HKDF-SHA256(key, salt, "mic remote object"), the nonce of a piece its number, and each piece
vouches for the header and the object's name. That a pack is whole says its name, which stands encrypted in
`remote.enc`. Whoever keeps the bucket sees how many packs there are, how large, and when they came, and can give back
what stood there before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from typing import BinaryIO

from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, NotFound, PermissionDenied
from mic.store.port import ObjectStore, Tagged
from mic.workspace.place import Naming

MAGIC, VERSION = b"MICK", 1
PIECE = 1 << 20
_TAG = 16
_KEY_BYTES, _ID_BYTES, _SALT_BYTES = 32, 8, 16
_HEADER = len(MAGIC) + 1 + _ID_BYTES + _SALT_BYTES
_FORM = re.compile(r"mic-remote-key-1:([A-Za-z0-9_-]{43})")
STATE, SEALED_STATE = "remote.json", "remote.enc"


class SealedStore:
    """What the remote in a bucket asks of a store, encrypted on its way. Raises as the store does, Corrupt for what is
    not what was written, PermissionDenied where another key was used."""

    def __init__(self, store: ObjectStore, key: bytes, where: str) -> None:
        self._store, self._key, self._where = store, key, where
        self._names = _derived(key, b"mic remote names")
        self._id = _derived(key, b"mic remote key id")[:_ID_BYTES]
        self._headers: dict[str, bytes] = {}

    def get(self, key: str) -> Tagged:
        """An object whole; raises InvalidInput where the same one stands there unencrypted."""
        name = self._name(key)
        try:
            found = self._store.get(name)
        except NotFound:
            if key == STATE and _is_there(self._store, STATE):
                raise InvalidInput(
                    f"{self._where} holds a history that is not encrypted.",
                    hint="Use an empty prefix, or the remote without its key.",
                ) from None
            raise
        return Tagged(self._open(name, found.data), found.tag)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """A part of an object; `start` and `length` are multiples of PIECE."""
        assert start % PIECE == length % PIECE == 0
        name = self._name(key)
        header = self._headers.get(name) or self._store.get_range(name, 0, _HEADER)
        self._headers[name] = header
        first = start // PIECE
        raw = self._store.get_range(name, _HEADER + first * (PIECE + _TAG), (length // PIECE) * (PIECE + _TAG))
        return self._pieces(name, header, raw, first)

    def put_new(self, key: str, data: bytes) -> None:
        """Create an object."""
        if key == STATE and _is_there(self._store, STATE):
            raise AlreadyExists(f"{self._where} holds a history that is not encrypted.")
        self._store.put_new(self._name(key), self._sealed(self._name(key), data))

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        """Replace the object whose tag this is."""
        return self._store.put_if(self._name(key), self._sealed(self._name(key), data), tag)

    def put_file(self, key: str, file: BinaryIO) -> None:
        """Create an object of all that a file holds."""
        name = self._name(key)
        header = self._header()
        cipher = self._cipher(header)
        with tempfile.TemporaryFile() as sealed:
            sealed.write(header)
            number = 0
            while piece := file.read(PIECE):
                sealed.write(cipher.encrypt(_nonce(number), piece, header + name.encode()))
                number += 1
            sealed.seek(0)
            self._store.put_file(name, sealed)

    def _name(self, key: str) -> str:
        if key == STATE:
            return SEALED_STATE
        folder, _, name = key.rpartition("/")
        digest = hmac.new(self._names, name.removesuffix(".pack").encode(), hashlib.sha256).hexdigest()
        return f"{folder}/{digest}.enc"

    def _header(self) -> bytes:
        return MAGIC + bytes((VERSION,)) + self._id + secrets.token_bytes(_SALT_BYTES)

    def _sealed(self, name: str, data: bytes) -> bytes:
        header = self._header()
        cipher = self._cipher(header)
        parts = [header]
        for number, at in enumerate(range(0, len(data), PIECE)):
            parts.append(cipher.encrypt(_nonce(number), data[at : at + PIECE], header + name.encode()))
        return b"".join(parts)

    def _open(self, name: str, raw: bytes) -> bytes:
        return self._pieces(name, raw[:_HEADER], raw[_HEADER:], 0)

    def _pieces(self, name: str, header: bytes, raw: bytes, first: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        if len(header) != _HEADER or header[: len(MAGIC)] != MAGIC:
            raise Corrupt(f"{self._where}/{name} is damaged: that is no encrypted object.", hint=_ELSEWHERE)
        if header[len(MAGIC)] != VERSION:
            raise InvalidInput(f"{self._where} was written by a newer version of mic.", hint="Use that version.")
        if header[len(MAGIC) + 1 :][:_ID_BYTES] != self._id:
            raise PermissionDenied(
                f"{self._where} was encrypted with another key.", hint="Give the key that it was pushed with."
            )
        cipher = self._cipher(header)
        parts = []
        for number, at in enumerate(range(0, len(raw), PIECE + _TAG), first):
            try:
                parts.append(cipher.decrypt(_nonce(number), raw[at : at + PIECE + _TAG], header + name.encode()))
            except InvalidTag:
                raise Corrupt(f"{self._where}/{name} is damaged.", hint=_ELSEWHERE) from None
        return b"".join(parts)

    def _cipher(self, header: bytes):  # type: ignore[no-untyped-def]  # of a library that is loaded when it is needed
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        return ChaCha20Poly1305(_derived(self._key, b"mic remote object", header[-_SALT_BYTES:]))


_ELSEWHERE = "Push again from elsewhere, to an empty prefix."


def is_sealed(store: ObjectStore) -> bool:
    """Whether an encrypted history is there."""
    return _is_there(store, SEALED_STATE)


def read_key(key_file: str, key_env: str) -> bytes:
    """The key of a remote, from its file or from the environment. Raises NotFound, InvalidInput."""
    if key_env:
        text = os.environ.get(key_env, "")
        if not text:
            raise NotFound(f"{key_env} is not set, which holds the key of this remote.", hint=f"Set {key_env}.")
        return _parsed(text, key_env)
    try:
        with open(key_file, encoding="utf-8") as file:
            text = file.read(1_000)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise NotFound(f"The key {key_file} cannot be read: {why}.", hint="Bring it back from its copy.") from error
    return _parsed(text, key_file)


def make_key(path: str) -> bool:
    """Write a new key for its owner alone; False where there is one, which is checked. Raises InvalidInput, OSError."""
    text = "mic-remote-key-1:" + base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip("=") + "\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        read_key(path, "")
        return False
    with Naming(path), os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return True


def _parsed(text: str, where: str) -> bytes:
    found = _FORM.fullmatch(text.strip())
    try:
        key = base64.urlsafe_b64decode(found[1] + "=") if found else b""
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidInput(
            f"{where} holds no key of a remote.", hint="It is a line that begins with mic-remote-key-1:."
        )
    return key


def _derived(key: bytes, purpose: bytes, salt: bytes = b"") -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt or None, purpose).derive(key)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        store.get_range(key, 0, 1)
    except NotFound:
        return False
    return True
