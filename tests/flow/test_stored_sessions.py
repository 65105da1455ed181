"""Sessions of browsers in the database: under a hash, encrypted, and those of an earlier version carried over."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.contrib.sessions.backends import db as of_django
from django.contrib.sessions.models import Session
from django.test import Client

from micelio.accounts import actions as accounts
from micelio.accounts.browser_sessions import SessionStore, encrypt_anew, key_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def sara() -> User:
    return accounts.create_user(OPERATOR, "sara")


def _status(cookie: str) -> int:
    client = Client(headers={"host": "localhost"})
    client.cookies["sessionid"] = cookie
    return client.get("/-/account").status_code


def test_the_key_is_a_hash() -> None:
    """240 bits of the SHA-256, as `printf session | sha256sum | xxd -r -p | head -c 30 | base64 | tr +/ -_` says."""
    assert key_of("session") == "Pzrx7Ou9FBCrQX7A0nu_y100Dhd64Vm1n8hibC39"


def test_a_copy_of_the_database_signs_nobody_in(sara: User) -> None:
    """What the browser keeps opens the session; the name of the row does not, and the row shows nothing."""
    client = Client(headers={"host": "localhost"})
    sign_in(client, sara)
    cookie = client.cookies["sessionid"].value
    row = Session.objects.get()
    assert client.get("/-/account").status_code == 200
    assert _status(row.session_key) == 302
    assert cookie not in row.session_key + row.session_data
    assert row.session_data.startswith("enc1.")


def test_whoever_is_signed_in_stays_so(sara: User) -> None:
    """A row of an earlier version is found by the same cookie afterwards; the migration may run again."""
    old = of_django.SessionStore()
    client = Client(headers={"host": "localhost"})
    sign_in(client, sara)
    old.update(dict(SessionStore(key_of(client.cookies["sessionid"].value)).items()))
    old.create()
    cookie = str(old.session_key)
    assert len(cookie) == 32
    assert _status(cookie) == 302
    migration = import_module("micelio.accounts.migrations.0005_sessions_by_hash")
    from django.apps import apps

    for _ in range(2):
        migration._hash_and_seal(apps, None)
        assert _status(cookie) == 200
    assert not Session.objects.filter(session_key=cookie).exists()


def test_sessions_change_keys_with_everything_else(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is encrypted with an older key is encrypted with the newest, and then opens without the older one."""
    from micelio import vault
    from micelio.accounts import browser_sessions

    client = Client(headers={"host": "localhost"})
    sign_in(client, sara)
    old = vault.keyring()
    ring = vault.Keyring([b"n" * 32])
    ring._ciphers |= old._ciphers
    monkeypatch.setattr(browser_sessions, "keyring", lambda: ring)
    assert (encrypt_anew(), encrypt_anew()) == (1, 0)
    monkeypatch.setattr(browser_sessions, "keyring", lambda: vault.Keyring([b"n" * 32]))
    assert client.get("/-/account").status_code == 200
    monkeypatch.setattr(browser_sessions, "keyring", lambda: vault.Keyring([b"x" * 32]))
    assert client.get("/-/account").status_code == 302
