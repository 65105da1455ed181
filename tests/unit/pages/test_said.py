"""Turns of a conversation: what was said stands open, what was used and long output are folded."""

from __future__ import annotations

from html_check import Document, malformed
from mic.core.session import Message, Session
from micelio.pages.answering import Answering
from micelio.pages.session_parts import conversation_part
from micelio.pages.weight import Scale


def _html(*said: Message) -> str:
    session = Session(bytes(16), "", conversation=said)
    html = "".join(conversation_part(Scale(), session, 1, False, Answering(session)).html)
    assert malformed(html) == []
    return html


def test_tools_are_folded_below_what_was_said() -> None:
    """The names of the tools are seen, each once; what they were used on is one click away."""
    text = "I look first.\n\nUsed: Read `a; b.py` (2 times); Bash `make test` failed; Read `c.py`; and 4 more"
    html = _html(Message("agent", "sonnet", text))
    page = Document(html)
    assert len(page.all("details")) == 1
    assert "<summary>used Read, Bash, not all of it went well</summary>" in html
    assert html.index("I look first.") < html.index("<details")
    assert "<code>make test</code>" in html


def test_a_turn_of_tools_alone_and_one_that_only_talks_of_them() -> None:
    """Without words the tools stand alone; nothing is folded of a person, nor of a paragraph before another."""
    assert _html(Message("agent", "m", "Used: Read `a.py`")).count("<details") == 1
    assert "<details" not in _html(Message("human", "ada", "Used: Read `a.py`"))
    assert "<details" not in _html(Message("agent", "m", "Used: much.\n\nThen more."))


def test_long_output_is_folded_and_short_is_not() -> None:
    """Four hundred characters of output stand folded under their first line; a line of it stands open."""
    long = "ran `make test`\n\n" + "passed\n" * 200
    assert _html(Message("system", "", long)).count("<details") == 1
    assert "<details" not in _html(Message("system", "", "214 passed"))
    assert "<details" not in _html(Message("human", "ada", long))
