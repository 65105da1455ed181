"""Keeps secrets out of every log line."""

from __future__ import annotations

import logging
import re

_ONCE = re.compile(r"(/-/sign-in/once/)[^\s/?\"]+")
# Codes and tokens in query strings: device codes, OAuth codes, redirect targets that may hold either.
_QUERY = re.compile(r"([?&](?:code|token|state|request|next|user_code)=)[^\s&\"]+")


def scrubbed(text: str) -> str:
    """`text` with one-time tokens and secret query values replaced by an ellipsis."""
    return _QUERY.sub(r"\1...", _ONCE.sub(r"\1...", text))


class Scrub(logging.Filter):
    """A filter that cleans message and arguments; never drops a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = scrubbed(record.getMessage())
        record.args = ()
        return True
