"""Handing a letter to the mail server. The one place of the forge that speaks SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from micelio.config import current
from micelio.mail.contents import Contents, one_line
from micelio.mail.models import Letter
from micelio.postal_place import PostalPlace

# For one step of the conversation. The thread that waits is the one that runs all jobs.
_SECONDS = 15


class NotNow(Exception):
    """The server cannot be reached, or says to come back."""


class Refused(Exception):
    """The server will not take this letter, now or later."""


def send(place: PostalPlace, row: Letter, contents: Contents) -> None:
    """Hand one letter over. Raises NotNow, Refused."""
    server = EmailBackend(
        host=place.host,
        port=place.port,
        username=place.username,
        password=place.password,
        use_tls=place.tls == "starttls",
        use_ssl=place.tls == "always",
        timeout=_SECONDS,
    )
    try:
        server.send_messages([message(place.sender, row, contents)])
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _problem(code, words) from error
    except smtplib.SMTPResponseException as error:
        # A wrong password is the forge's affair: it will be right one day, and the letter is still good.
        code = 400 if isinstance(error, smtplib.SMTPAuthenticationError) else error.smtp_code
        raise _problem(code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
        raise NotNow(one_line(f"{place.host} does not take mail: {error}", 300)) from error


def message(sender: str, row: Letter, contents: Contents) -> EmailMultiAlternatives:
    """The letter as it travels. Django refuses a header with a line end; none gets so far."""
    base_url = current().base_url
    footer = f"Sent by Micelio at {base_url}. You need not answer."
    headers = {
        # The same at each attempt, so that a letter that was sent twice is shown once.
        "Message-ID": f"<{row.id}@{urlsplit(base_url).hostname}>",
        "Date": format_datetime(row.created_at),
        "Auto-Submitted": "auto-generated",
    }
    made = EmailMultiAlternatives(row.subject, contents.text(footer), sender, [row.to], headers=headers)
    made.attach_alternative(contents.html(footer), "text/html")
    return made


def _problem(code: int, words: bytes | str) -> Exception:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    told = one_line(f"{code} {text}", 300)
    return Refused(told) if 500 <= code < 600 else NotNow(told)
