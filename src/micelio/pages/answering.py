"""Which message each decision of a session answers, for its page: links there and back, and its first words.

Whoever may not read the conversation has none of it in the session, so there is nothing here to leave out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from django.utils.safestring import SafeString

from mic.core.answered import Answered
from mic.core.session import Session
from micelio.pages.text import cut, one_line

# Of a message, and of a decision, where the one names the other.
_FIRST_WORDS = 80
# Decisions that one message names.
_MOST_DECISIONS = 4
_LINK = re.compile(r'href="\?conversation=(\d+)#m\1"')


def answered_of(session: Session) -> Answered:
    """What looks up which message a decision of the session answers."""
    return Answered((turn.role, turn.at) for turn in session.conversation)


def first_words(text: str) -> str:
    """How a text begins, on one line; "…" for one of blanks."""
    return cut(one_line(" ".join(text[: 5 * _FIRST_WORDS].split())), _FIRST_WORDS) or "…"


@dataclass(frozen=True)
class Answer:
    """The message that a decision answers. `told`: whoever recorded it says so, else that came last before it."""

    number: int
    words: str
    told: bool

    @property
    def address(self) -> str:
        """Where the message is on any page of the session; `lead_here` shortens it."""
        return f"?conversation={self.number}#m{self.number}"


@dataclass(frozen=True)
class Led:
    """A decision that a message led to, as a link below the message."""

    number: int
    words: str
    address: str


@dataclass(frozen=True)
class LedTo:
    """The first decisions that a message led to; `told` as in `Answer`."""

    told: bool
    first: list[Led]
    more: int


class Answering:
    """The decisions of a session, and the messages that they answer; both are numbered from 1."""

    def __init__(self, session: Session) -> None:
        self._session, answered = session, answered_of(session)
        self._answers: dict[int, tuple[int, bool]] = {}
        self._decisions: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for number, each in enumerate(session.decisions, 1):
            told = answered.told(each.message)
            if message := told or answered.before(each.at, each.message):
                self._answers[number] = message, bool(told)
                self._decisions[message, bool(told)].append(number)

    def answer(self, decision: int) -> Answer | None:
        """What a decision answers."""
        if decision not in self._answers:
            return None
        message, told = self._answers[decision]
        return Answer(message, first_words(self._session.conversation[message - 1].text), told)

    def led_to(self, message: int, here: range) -> list[LedTo]:
        """What a message decided, then what was decided next. `here` are the decisions that stand on the same page."""
        found = []
        for told in (True, False):
            numbers = self._decisions.get((message, told), [])
            first = [self._led(number, number in here) for number in numbers[:_MOST_DECISIONS]]
            if first:
                found.append(LedTo(told, first, len(numbers) - len(first)))
        return found

    def _led(self, number: int, here: bool) -> Led:
        words = first_words(self._session.decisions[number - 1].what)
        return Led(number, words, f"#d{number}" if here else f"?decisions={number}#d{number}")


def lead_here(html: Iterable[SafeString], messages: range) -> list[SafeString]:
    """Decisions whose links to messages lead to those of the same page, where they are there.

    Which these are is known when the page has been filled up, the decisions first. It only gets lighter.
    """
    return [SafeString(_LINK.sub(partial(_shortened, messages), each)) for each in html]


def _shortened(messages: range, link: re.Match[str]) -> str:
    return f'href="#m{link[1]}"' if int(link[1]) in messages else link[0]
