"""What a session said elsewhere, as a note: its form, its limits, and what is refused of anybody's bytes."""

from __future__ import annotations

import json

import msgspec
import pytest

from mic.core.brought import MAX_BYTES, Brought, brought_words, decode_brought, encode_brought, with_words
from mic.core.errors import InvalidInput, TooLarge
from mic.core.session import Alternative, Decision, Message

ID = "01J8ZQ5T9M0000000000000000"
SAID = Brought(
    "https://forge.example.org",
    "acme/garden",
    ID,
    12,
    "Water at dawn",
    "claude",
    (Message("human", "Ada", "Noon burned the leaves", 1_700_000_000_000),),
    (Decision("05:30", "Leaves dry early", (Alternative("Night", "slugs"),), "Ada", "a look"),),
)
FORM = {
    "forge": "https://forge.example.org",
    "project": "acme/garden",
    "session": ID,
    "position": 12,
    "goal": "Water at dawn",
    "agent": "claude",
}


def test_the_form() -> None:
    said = json.loads(encode_brought(SAID))
    assert {name: said[name] for name in FORM} == FORM
    assert said["conversation"][0]["text"] == "Noon burned the leaves"
    assert said["decisions"][0]["alternatives"] == [{"what": "Night", "why_not": "slugs"}]
    assert decode_brought(encode_brought(SAID)) == SAID
    assert SAID.origin == {
        "forge": "https://forge.example.org",
        "project": "acme/garden",
        "session": ID,
        "position": 12,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"forge": "javascript:alert(1)"},
        {"forge": "https://forge.example.org/\nX: y"},
        {"project": "../x/y"},
        {"session": "x"},
        {"position": 0},
        {"position": 1 << 63},
        {"goal": " "},
        {"version": 2},
        {"agent": "a" * 301},
        {"conversation": [{"role": "root", "author": "", "text": ""}]},
        {"conversation": [{"role": "human", "author": "", "text": "", "at": -1}]},
        {"decisions": [{"what": "x", "alternatives": [{"what": "y"}] * 101}]},
        {"decisions": "all"},
        {"decisions": [{"what": "x", "at": -1}]},
        {"decisions": [{"what": "x", "at": 1 << 62}]},
        {"decisions": [{"what": "x", "message": 1}]},
        {"decisions": [{"what": "x", "message": -1}], "conversation": [{"role": "human", "author": "", "text": ""}]},
    ],
)
def test_what_is_refused(wrong: dict[str, object]) -> None:
    decode_brought(json.dumps(FORM).encode())
    with pytest.raises(InvalidInput):
        decode_brought(json.dumps(FORM | wrong).encode())


def test_bytes_of_anybody() -> None:
    for raw in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(InvalidInput):
            decode_brought(raw)
    with pytest.raises(TooLarge):
        decode_brought(b" " * (MAX_BYTES + 1))


def test_a_long_conversation_is_cut_at_its_beginning() -> None:
    """What was said last stays, and that there was more is said."""
    turns = tuple(Message("agent", "claude", str(number) + "x" * 100_000, number) for number in range(100))
    found = decode_brought(encode_brought(_with(turns)))
    assert found.conversation[-1] == turns[-1]
    assert found.conversation[0].text.endswith("earlier turns stayed at https://forge.example.org.")
    assert 30 < len(found.conversation) < 45
    assert found.decisions == SAID.decisions


def test_decisions_find_their_messages_again() -> None:
    """What is left out is answered by nobody; the numbers of the others count from where the note begins."""
    turns = tuple(Message("agent", "claude", str(number) + "x" * 100_000, number) for number in range(1, 101))
    answering = tuple(Decision(f"D{number}", at=number, message=number) for number in (1, 50, 90, 100))
    whole = msgspec.structs.replace(_with(turns), decisions=(*answering, Decision("alone")))
    found = decode_brought(encode_brought(whole))
    said = {
        each.what: found.conversation[each.message - 1].text.rstrip("x") for each in found.decisions if each.message
    }
    assert said == {"D90": "90", "D100": "100"}
    assert [each.at for each in found.decisions] == [1, 50, 90, 100, 0]
    short = msgspec.structs.replace(whole, conversation=turns[:3], decisions=answering[:1])
    assert decode_brought(encode_brought(short)) == short


def _with(turns: tuple[Message, ...]) -> Brought:
    return Brought(SAID.forge, SAID.project, SAID.session, SAID.position, SAID.goal, SAID.agent, turns, SAID.decisions)


def test_every_word_can_be_replaced() -> None:
    words = brought_words(SAID)
    assert with_words(SAID, words) == SAID
    changed = with_words(SAID, [f"{number}" for number in range(len(words))])
    assert brought_words(changed) == [f"{number}" for number in range(len(words))]
