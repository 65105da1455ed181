"""Keeps secrets out of every log line."""

from __future__ import annotations

import logging
import re

# What stands after these in an address opens an account.
_ONCE = re.compile(r"(/-/(?:sign-in/once|reset-password/link|e-mail/confirm|invited)/)[^\s?\"]+")
# Codes and tokens in query strings: device codes, OAuth codes, redirect targets that may hold either.
_QUERY = re.compile(r"([?&](?:code|token|state|request|next|user_code)=)[^\s&\"]+")


def scrubbed(text: str) -> str:
    """`text` with one-time tokens and secret query values replaced by an ellipsis."""
    return _QUERY.sub(r"\1...", _ONCE.sub(r"\1...", text))


class Scrub(logging.Filter):
    """A filter that cleans message and arguments; never drops a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "whole", False):  # what is meant to be read there: see `micelio.mail.outbox`
            return True
        record.msg = scrubbed(record.getMessage())
        record.args = ()
        return True
