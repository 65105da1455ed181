"""Secrets encrypted where they are stored: they open with their key and for their purpose only."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mic.core.errors import Corrupt, MicError, Unavailable
from micelio import config
from micelio.setting_values import BadSetting
from micelio.vault import Keyring, key_id

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_a_value_opens_again() -> None:
    """For its purpose; two of one text differ."""
    ring = Keyring([NEW])
    one, two = ring.seal("JBSWY3DP", "totp"), ring.seal("JBSWY3DP", "totp")
    assert one != two
    assert ring.open(one, "totp") == ring.open(two, "totp") == "JBSWY3DP"
    assert "JBSWY3DP" not in one
    with pytest.raises(Corrupt):
        ring.open(one, "webhook")


def test_the_form_is_the_documented_one() -> None:
    """Opened with the library alone: key id, nonce, ciphertext, the purpose as associated data."""
    magic, name, body = Keyring([OLD]).seal("text", "totp").split(".")
    raw = base64.urlsafe_b64decode(body)
    assert (magic, name) == ("enc1", "74cec6c1")
    assert AESGCM(OLD).decrypt(raw[:12], raw[12:], b"totp") == b"text"


def test_an_older_key_opens_and_never_encrypts() -> None:
    """Until everything was encrypted anew."""
    value = Keyring([OLD]).seal("text", "totp")
    ring = Keyring([NEW, OLD])
    assert ring.open(value, "totp") == "text"
    assert not ring.is_newest(value)
    assert ring.is_newest(ring.seal("text", "totp"))
    with pytest.raises(Unavailable, match=key_id(OLD)) as found:
        Keyring([NEW]).open(value, "totp")
    assert "ENCRYPTION_PREVIOUS_KEYS" in found.value.hint


@pytest.mark.parametrize("at", range(0, 60, 5))
def test_a_damaged_value_is_an_error(at: int) -> None:
    """Whatever was changed."""
    ring = Keyring([NEW])
    value = ring.seal("text of a secret", "totp")
    damaged = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
    with pytest.raises(MicError):
        ring.open(damaged, "totp")
    with pytest.raises(MicError):
        ring.open(value[:at], "totp")


def test_keys_come_from_the_settings_and_show_nowhere() -> None:
    """In hexadecimal digits or base64; what is no key is refused without being told."""
    text = base64.b64encode(OLD).decode()
    settings = config.load({"ENCRYPTION_KEY": NEW.hex(), "ENCRYPTION_PREVIOUS_KEYS": f"{text}, {NEW.hex()}"})
    assert settings.encryption_keys()[:3] == (NEW, OLD, NEW)
    assert NEW.hex() not in repr(settings)
    assert repr(OLD)[2:20] not in repr(settings)
    assert repr(Keyring([NEW, OLD])) == f"Keyring({key_id(NEW)}, {key_id(OLD)})"
    for wrong in ("short", NEW.hex()[:-2], "zz" * 32, text[:-4]):
        with pytest.raises(BadSetting) as found:
            config.load({"ENCRYPTION_KEY": wrong})
        assert wrong not in found.value.message
