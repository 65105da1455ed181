"""A message of the open session, as whoever records a decision names it: by some of its words, or by its number."""

from __future__ import annotations

import re

from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import plural
from mic.core.errors import NotFound
from mic.workspace.session import LocalSession
from mic.workspace.told import in_order

_NUMBER = re.compile(r"#(\d{1,9})")
# Fewer letters stand in nearly every message.
_FEWEST = 3


def named_message(session: LocalSession, named: str) -> int:
    """The number that a message has in the session, in the order in which turns came, from 1.

    `#3` is the third as the conversation is shown. Words are looked for as they stand, whatever their case and their
    line ends: in what people said, the newest first, then in all else. Raises NotFound, WrongCommandLine.
    """
    order = _shown_order(session)
    if number := _NUMBER.fullmatch(named.strip()):
        at = int(number[1])
        if not 0 < at <= len(order):
            raise NotFound(
                f"This session has {plural(len(order), 'message')}, and no #{at}.",
                hint="`mic session status` shows them in their order.",
            )
        return order[at - 1]
    words = _plain(named)
    if len(words) < _FEWEST:
        raise WrongCommandLine(f"{named[:40]!r} names no message.", hint='Some of its words, or "#3" for the third.')
    newest = sorted(reversed(order), key=lambda each: session.conversation[each - 1].role != "human")
    for each in newest:
        if words in _plain(session.conversation[each - 1].text):
            return each
    raise NotFound(
        f"No message of this session says {named[:60]!r}.",
        hint="`mic session note --as human` says it first, or `mic session attach` brings the transcript.",
    )


def _shown_order(session: LocalSession) -> list[int]:
    """The numbers of the turns, in the order in which they are shown."""
    numbers = in_order(session.conversation)[1]
    return sorted(range(1, len(numbers) + 1), key=lambda each: numbers[each - 1])


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
