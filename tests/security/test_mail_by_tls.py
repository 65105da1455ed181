"""A mail server is believed by its certificate alone: whoever stands before it gets neither a letter nor a password."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from certificates import Authority
from mail_server import MailServer
from micelio import config
from micelio.mail import outbox, smtp
from micelio.mail.contents import Contents
from micelio.mail.jobs import deliver
from micelio.mail.models import Letter, State
from micelio.postal_place import PostalPlace

pytestmark = pytest.mark.django_db
PASSWORD = "the password of the mail server"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail-tls")


@pytest.fixture(scope="module")
def trusted(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(autouse=True)
def _believe_only_it(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a machine whose administrator trusts this authority: where OpenSSL looks for those that it knows."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.path))


def _context(folder: Path, authority: Authority, host: str = "", *, own: bool = False) -> ssl.SSLContext:
    chain, key = folder / "chain.pem", folder / "key.pem"
    if own:
        authority.write_own(chain, key)
    else:
        authority.write(chain, key, host)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(chain, key)
    return made


@contextlib.contextmanager
def _server(tls: ssl.SSLContext | None, *, always: bool = False) -> Iterator[MailServer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiosmtpd says of this very configuration that it is unwise
        made = MailServer(tls, always=always)
    try:
        yield made
    finally:
        made.stop()


def _sent(server: MailServer, monkeypatch: pytest.MonkeyPatch, *, tls: str) -> Letter:
    """What became of a letter that was to go out by this server, after one attempt."""
    place = PostalPlace("localhost", server.port, "forge", PASSWORD, tls, "Micelio <micelio@example.org>")
    monkeypatch.setattr(config, "_installed", replace(config.current(), postal=place))
    with transaction.atomic():
        outbox.post(
            "ada@example.org", "A link", Contents(("Here it is",), "https://x.example/secret"), timedelta(hours=1)
        )
    row = Letter.objects.get()
    with contextlib.suppress(smtp.NotNow):  # it is tried again
        deliver.func(str(row.id))
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("tls", ["starttls", "always"])
def test_a_good_certificate_is_believed(
    folder: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    """The letter is there, signed in for by the password; its contents are gone from the outbox."""
    with _server(_context(folder, trusted), always=tls == "always") as server:
        row = _sent(server, monkeypatch, tls=tls)
        assert [letter["Subject"] for letter in server.letters_to("ada@example.org")] == ["A link"]
        assert server.passwords == [PASSWORD.encode()]
    assert (row.state, row.trouble, row.sealed) == (State.SENT, "", "")


@pytest.mark.parametrize("tls", ["starttls", "always"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("another host", "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("signed by itself", "self-signed certificate"),
        ("signed by another authority of the same name", "certificate signature failure"),
    ],
)
def test_another_certificate_is_not(
    folder: Path, trusted: Authority, monkeypatch: pytest.MonkeyPatch, tls: str, fault: str, words: str
) -> None:
    """Nothing is handed over and no password sent; the letter waits, with what is wrong."""
    (folder / "other").mkdir(exist_ok=True)
    foreign = Authority(folder / "other")
    if fault == "another host":
        context = _context(folder, trusted, "mail.example.org")
    else:
        context = _context(folder, foreign, own=fault == "signed by itself")
    with _server(context, always=tls == "always") as server:
        row = _sent(server, monkeypatch, tls=tls)
        assert server.passwords == []
        assert server.letters_to("ada@example.org") == []
    assert (row.state, row.attempts) == (State.WAITING, 1)
    assert row.trouble.startswith("localhost does not take mail: ")
    assert words in row.trouble
    assert outbox.contents_of(row).link == "https://x.example/secret"


def test_a_server_that_offers_no_tls_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one behind somebody who takes the offer out of its greeting: the password is not sent in clear instead."""
    with _server(None) as server:
        row = _sent(server, monkeypatch, tls="starttls")
        assert server.passwords == []
        assert server.letters_to("ada@example.org") == []
    assert (row.state, row.attempts) == (State.WAITING, 1)
    assert row.trouble == "localhost does not take mail: STARTTLS extension not supported by server."


def test_a_server_that_speaks_no_tls_at_all_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where settings say TLS from the first byte."""
    with _server(None) as server:
        row = _sent(server, monkeypatch, tls="always")
        assert server.passwords == []
    assert row.state == State.WAITING
    assert "localhost does not take mail: [SSL" in row.trouble
