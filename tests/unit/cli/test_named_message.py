"""A message of the open session by some of its words, or by the number that it is shown with."""

from __future__ import annotations

import pytest

from mic.cli.session.named_message import named_message
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.core.errors import NotFound
from mic.core.session import Message
from mic.workspace.session import LocalSession

# As they came: a transcript brought what was said before the first note.
SESSION = LocalSession(
    id=bytes(16),
    goal="Water at dawn",
    started_ms=0,
    base_position=0,
    conversation=[
        Message("human", "ada", "Noted at the end: keep the old pump", 50),
        Message("human", "ada", "Water the roses\n  at dawn", 10),
        Message("agent", "m", "You said: water the roses at dawn. And the pump?", 20),
        Message("human", "ada", "The roses first", 30),
    ],
)


def test_by_its_number_as_shown() -> None:
    assert [named_message(SESSION, f"#{at}") for at in (1, 2, 3, 4)] == [2, 3, 4, 1]
    for wrong in ("#0", "#5", "#999999999"):
        with pytest.raises(NotFound, match=f"no {wrong}"):
            named_message(SESSION, wrong)


def test_by_its_words_a_persons_first_then_the_newest() -> None:
    """Whatever their case, and wherever lines end."""
    assert named_message(SESSION, "WATER the  roses at dawn") == 2
    assert named_message(SESSION, "the roses") == 4
    assert named_message(SESSION, "pump") == 1
    assert named_message(SESSION, "you said") == 3


@pytest.mark.parametrize("named", ["", " ", "a", "#", "at"])
def test_too_little_names_nothing(named: str) -> None:
    with pytest.raises(WrongCommandLine):
        named_message(SESSION, named)


def test_what_nobody_said() -> None:
    with pytest.raises(NotFound, match="No message of this session says 'tulips'"):
        named_message(SESSION, "tulips")
    with pytest.raises(NotFound, match="has 0 messages"):
        named_message(LocalSession(bytes(16), "g", 0, 0), "#1")
