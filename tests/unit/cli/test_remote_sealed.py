"""What stands in an encrypted bucket: nothing that says what is in it, and nothing that can be changed unseen."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mic.cli.remotes.sealed import PIECE, SealedStore, is_sealed, make_key, read_key
from mic.core.errors import Corrupt, InvalidInput, NotFound, PermissionDenied, PreconditionFailed
from mic.store import MemoryStore

KEY = bytes(range(32))
STATE = b'{"refs": {"refs/heads/main": "1234"}}'


def derived(purpose: bytes, salt: bytes = b"") -> bytes:
    """As docs/formats.md has it."""
    return HKDF(SHA256(), 32, salt or None, purpose).derive(KEY)


def opened(raw: bytes, name: str) -> bytes:
    """An object by another reader than the one that is tested."""
    header, rest = raw[:29], raw[29:]
    assert header[:5] == b"MICK\x01"
    assert header[5:13] == derived(b"mic remote key id")[:8]
    cipher = ChaCha20Poly1305(derived(b"mic remote object", header[13:]))
    size = PIECE + 16
    return b"".join(
        cipher.decrypt(at.to_bytes(12, "big"), rest[at * size : (at + 1) * size], header + name.encode())
        for at in range((len(rest) + size - 1) // size)
    )


def test_what_stands_there() -> None:
    """By an independent reader; names are keyed, and two writes of the same have nothing in common."""
    store = MemoryStore()
    sealed = SealedStore(store, KEY, "s3://b/p")
    pack = os.urandom(3 * PIECE + 100)
    name = hashlib.sha256(pack).hexdigest()
    sealed.put_new("remote.json", STATE)
    sealed.put_file(f"packs/{name}.pack", io.BytesIO(pack))
    keyed = hmac.new(derived(b"mic remote names"), name.encode(), hashlib.sha256).hexdigest()
    assert sorted(item.key for item in store.list("")) == [f"packs/{keyed}.enc", "remote.enc"]
    assert opened(store.get("remote.enc").data, "remote.enc") == STATE
    raw = store.get(f"packs/{keyed}.enc").data
    assert opened(raw, f"packs/{keyed}.enc") == pack
    assert name.encode() not in raw + store.get("remote.enc").data
    got = b"".join(sealed.get_range(f"packs/{name}.pack", at, 2 * PIECE) for at in range(0, 6 * PIECE, 2 * PIECE))
    assert got == pack
    found = sealed.get("remote.json")
    first = store.get("remote.enc").data
    sealed.put_if("remote.json", STATE, found.tag)
    assert store.get("remote.enc").data[29:] != first[29:]
    with pytest.raises(PreconditionFailed):
        sealed.put_if("remote.json", STATE, found.tag)


def test_another_key_and_no_key() -> None:
    store = MemoryStore()
    SealedStore(store, KEY, "s3://b/p").put_new("remote.json", STATE)
    with pytest.raises(PermissionDenied, match="s3://b/p was encrypted with another key"):
        SealedStore(store, bytes(32), "s3://b/p").get("remote.json")
    assert is_sealed(store)
    plain = MemoryStore()
    plain.put("remote.json", STATE)
    with pytest.raises(InvalidInput, match="not encrypted"):
        SealedStore(plain, KEY, "s3://b/p").get("remote.json")
    with pytest.raises(NotFound):
        SealedStore(MemoryStore(), KEY, "s3://b/p").get("remote.json")


@pytest.mark.parametrize("at", [0, 4, 29, 40, -1])
def test_a_changed_byte(at: int) -> None:
    """Wherever it is, it is seen; so is one object in the place of another."""
    store = MemoryStore()
    sealed = SealedStore(store, KEY, "s3://b/p")
    sealed.put_new("remote.json", STATE)
    raw = bytearray(store.get("remote.enc").data)
    raw[at] ^= 1
    store.put("remote.enc", bytes(raw))
    with pytest.raises((Corrupt, InvalidInput)):
        sealed.get("remote.json")
    sealed.put_file("packs/aa.pack", io.BytesIO(b"x"))
    (other,) = [item.key for item in store.list("packs/")]
    store.put("remote.enc", store.get(other).data)
    with pytest.raises(Corrupt):
        sealed.get("remote.json")
    with pytest.raises(InvalidTag):
        opened(store.get(other).data, "remote.enc")


def test_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is a line in a file of one's own, or in the environment; what is none is said."""
    path = tmp_path / "key"
    assert make_key(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not make_key(str(path))
    key = read_key(str(path), "")
    assert len(key) == 32
    monkeypatch.setenv("GARDEN_KEY", path.read_text())
    assert read_key("", "GARDEN_KEY") == key
    for text in ("", "secret", "mic-remote-key-1:short", path.read_text()[:-3]):
        path.write_text(text)
        with pytest.raises(InvalidInput, match="holds no key"):
            read_key(str(path), "")
    with pytest.raises(NotFound, match="cannot be read"):
        read_key(str(tmp_path / "nowhere"), "")
    with pytest.raises(NotFound, match="NOT_SET is not set"):
        read_key("", "NOT_SET")
