"""A mail server that keeps what it is given: real SMTP, on a port of its own."""

from __future__ import annotations

import email
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

_PATIENCE = 30.0


class _Keeper:
    """Takes letters, or answers `refuses` when that is set."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refuses = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        made = cast(EmailMessage, email.message_from_bytes(content, policy=default))
        made["X-Envelope-To"] = ",".join(envelope.rcpt_tos)
        self.letters.append(made)
        return "250 OK"


class MailServer:
    """`port`, `letters` in the order that they came; `refuses` is the answer to each recipient, "" to take them.

    `tls` is a context for TLS: `always` from the first byte, else by STARTTLS. Who signs in is let in, by TLS or not,
    and `passwords` is what they sent.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, always: bool = False) -> None:
        self._keeper = _Keeper()
        self.passwords: list[bytes] = []

        def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
            self.passwords.append(data.password)
            return AuthResult(success=True)

        # The controller connects to the port that it was told, so "any free one" will not do.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._controller = Controller(
            self._keeper,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=tls if always else None,
            tls_context=None if always else tls,
            authenticator=let_in,
            auth_require_tls=False,
        )
        self._controller.start()

    @property
    def settings(self) -> dict[str, str]:
        """Those of a forge that sends here."""
        return {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self.port), "SMTP_TLS": "off"}

    def refuse(self, answer: str) -> None:
        """Answer so from now on; "" to take letters again."""
        self._keeper.refuses = answer

    def letters_to(self, address: str) -> list[EmailMessage]:
        """What came for one address."""
        return [letter for letter in self._keeper.letters if letter["X-Envelope-To"] == address]

    def wait_for(self, address: str, count: int = 1) -> EmailMessage:
        """The letter number `count` for an address, as soon as it is there."""
        deadline = time.monotonic() + _PATIENCE
        while len(self.letters_to(address)) < count:
            assert time.monotonic() < deadline, f"no letter number {count} for {address}"
            time.sleep(0.05)
        return self.letters_to(address)[count - 1]

    def stop(self) -> None:
        """Take no more."""
        self._controller.stop()


def text_of(letter: EmailMessage) -> str:
    """Its plain text."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def path_in(letter: EmailMessage, base_url: str) -> str:
    """The path that its one link leads to, at this forge."""
    links = [line for line in text_of(letter).splitlines() if line.startswith("http")]
    assert len(links) == 1, text_of(letter)
    assert re.fullmatch(re.escape(base_url) + r"/-/\S+", links[0]), links[0]
    return links[0].removeprefix(base_url)


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """One for a test module."""
    made = MailServer()
    try:
        yield made
    finally:
        made.stop()
