"""The words of a session, cut to the room of a page: its goal, decisions, claims and conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mic.core.session import Alternative, Decision, Message, Session
from micelio.languages.spoken import gettext, gettext_noop
from micelio.pages.answering import Answer, Answering, LedTo
from micelio.pages.asked import asked_number
from micelio.pages.markdown import render_message
from micelio.pages.text import cut, reflow, visible
from micelio.pages.weight import LONG_TEXTS, SHORT_TEXTS, Scale

T = TypeVar("T")

# Compressed bytes that the goal, then the decisions, then the conversation leave to what comes behind them.
_BEHIND_GOAL = 14 * 1024
_BEHIND_DECISIONS = 10 * 1024
BEHIND_CLAIMS = 9 * 1024
_BEHIND_CONVERSATION = 6 * 1024
# Roads not taken of one decision.
_MOST_ROADS = 12
_ROLES = {"human": gettext_noop("person"), "agent": gettext_noop("agent"), "system": gettext_noop("system")}


@dataclass(frozen=True)
class Part:
    """Some of a session's decisions or messages: pieces of HTML, numbers from 1; `next` is 0 at the end."""

    html: list[SafeString]
    first: int
    total: int

    @property
    def last(self) -> int:
        return self.first + len(self.html) - 1

    @property
    def numbers(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def next(self) -> int:
        return self.last + 1 if self.last < self.total else 0

    @property
    def left(self) -> int:
        return self.total - self.last


@dataclass(frozen=True)
class Focus:
    """What a page of a session is asked to begin with; at most one of the three, else it is the whole session."""

    decisions: int = 0
    conversation: int = 0
    changes: int = 0

    def __bool__(self) -> bool:
        return bool(self.decisions or self.conversation or self.changes)


def asked_focus(request: HttpRequest) -> Focus:
    """The first of `?decisions=`, `?conversation=`, `?changes=` that is there. Raises InvalidInput."""
    for name in ("decisions", "conversation", "changes"):
        number = asked_number(request, name)
        if number is not None:
            return Focus(**{name: max(1, number)})
    return Focus()


@dataclass(frozen=True)
class ShownDecision:
    """One decision for the page."""

    number: int
    decision: Decision
    roads: Sequence[Alternative]
    more_roads: int
    cut: int
    whole: str
    answer: Answer | None


@dataclass(frozen=True)
class Said:
    """One turn of the conversation for the page."""

    number: int
    role: str
    role_words: str
    author: str
    text: str
    at: datetime | None
    redactions: int
    used: str = ""
    folded: bool = False
    led_to: Sequence[LedTo] = ()

    @property
    def tools(self) -> str:
        """What was used, in a few words: the names of the tools, each once, and whether one failed."""
        names = list(dict.fromkeys(_TOOL.findall(self.used)))
        shown = ", ".join(names[:4]) or gettext("tools")
        if len(names) > 4:
            shown = gettext("{tools} and {count} more").format(tools=shown, count=len(names) - 4)
        failed = _FAILED.search(self.used) is not None
        said = gettext("used {tools}, not all of it went well") if failed else gettext("used {tools}")
        return said.format(tools=shown)

    @property
    def first(self) -> str:
        """How a text that is folded begins."""
        return cut(self.text.strip().partition("\n")[0], 100)


# `Used: Read `src/a.py`; Bash `make test` failed` below a turn, as a transcript that was read has it.
_USED = "Used: "
_TOOL = re.compile(r"(?:\A|; )(?!and [\d])([\w.:-]{1,60})(?=[ ;]|\Z)(?: `[^`]*`)?")
_FAILED = re.compile(r"(?:`|\)|\A[\w.:-]+) failed(?:;|\Z)")
# What no person and no model said stands folded from so many characters on: output, mostly.
_LONG_OUTPUT = 400


def goal_rest(scale: Scale, text: str, imported: bool) -> tuple[SafeString, int]:
    """(what a goal says behind its first line, characters left out). A message from Git is text, not Markdown."""

    def render(part: str) -> str:
        if imported:
            return format_html('<div class="body">{}</div>', visible(reflow(part)))
        return format_html('<div class="prose">{}</div>', render_message(part))

    return scale.fit_text(text, render, _BEHIND_GOAL)


def decisions_part(scale: Scale, session: Session, start: int, alone: bool, answering: Answering) -> Part:
    """Decisions from number `start` on."""

    def render(number: int, characters: int) -> str:
        found = session.decisions[number - 1]
        shown = ShownDecision(
            number,
            found,
            found.alternatives[:_MOST_ROADS],
            max(0, len(found.alternatives) - _MOST_ROADS),
            max(0, len(found.why) - characters),
            _on("decisions", number, alone and number == start),
            answering.answer(number),
        )
        return render_to_string("pages/_decision.html", {"item": shown, "characters": characters})

    return _part(scale, session.decisions, start, render, alone, _BEHIND_DECISIONS)


def conversation_part(
    scale: Scale, session: Session, start: int, alone: bool, answering: Answering, decisions_here: range = range(0)
) -> Part:
    """Messages from number `start` on. `decisions_here` are the numbers of the decisions on the same page."""

    def render(number: int, characters: int) -> str:
        said = _said(number, session.conversation[number - 1], answering.led_to(number, decisions_here))
        context = {
            "said": said,
            "characters": characters,
            "cut": max(0, len(said.text) - characters),
            "whole": _on("conversation", number, alone and number == start),
        }
        return render_to_string("pages/_said.html", context)

    return _part(scale, session.conversation, start, render, alone, _BEHIND_CONVERSATION)


def _on(name: str, number: int, tried: bool) -> str:
    """Where a text that is cut is read on: on a page that begins with it, and beyond that in the twin."""
    return "?format=md" if tried else f"?{name}={number}"


def _part(
    scale: Scale, found: Sequence[T], start: int, render: Callable[[int, int], str], alone: bool, keep: int
) -> Part:
    items = range(start, len(found) + 1)
    texts = LONG_TEXTS if alone else SHORT_TEXTS
    if not alone:
        return Part(scale.fill(items, render, keep, texts), start, len(found))
    # Alone, the first may be long; the others are cut as usual, so that the page says where they go on.
    first = scale.fill(items[:1], render, 0, texts)
    return Part(first + scale.fill(items[1:], render, 0, SHORT_TEXTS[:1]), start, len(found))


def _said(number: int, message: Message, led_to: Sequence[LedTo]) -> Said:
    role = message.role if message.role in _ROLES else "system"
    at = datetime.fromtimestamp(message.at / 1000, UTC) if message.at else None
    # A turn without a name is named by its role, once.
    words = gettext(_ROLES[role]) if message.author else ""
    text, used = _what_was_used(message.text) if role == "agent" else (message.text, "")
    folded = role == "system" and len(text) > _LONG_OUTPUT
    return Said(
        number, role, words, message.author or gettext(_ROLES[role]), text, at, message.redactions, used, folded,
        led_to,
    )  # fmt: skip


def _what_was_used(text: str) -> tuple[str, str]:
    """(what was said, what was used): the last paragraph of a turn says so, when it came from a transcript."""
    said, gap, last = text.rpartition("\n\n")
    if not last.startswith(_USED) or "\n" in last:
        return text, ""
    return said if gap else "", last.removeprefix(_USED)
