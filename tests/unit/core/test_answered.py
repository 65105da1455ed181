"""Which message a decision answers: what is told is told, what is not came before, and nothing is guessed."""

from __future__ import annotations

from mic.core.answered import Answered

TALK = Answered(
    zip(
        ("system", "human", "agent", "human", "human", "agent", "human", "human"),
        (5, 10, 20, 30, 30, 40, 0, 60),
        strict=True,
    )
)


def test_what_is_named_is_told_whoever_said_it() -> None:
    assert [TALK.told(number) for number in (0, 1, 3, 8, 9, -1)] == [0, 1, 3, 8, 0, 0]


def test_else_the_last_message_of_a_person_that_is_not_later() -> None:
    """Of two at one time the later one; a message without a time is before nothing."""
    assert [TALK.before(at) for at in (9, 10, 29, 30, 59, 60, 1 << 60)] == [0, 2, 2, 5, 5, 8, 8]


def test_nothing_came_before_where_no_time_is_known_or_a_message_is_named() -> None:
    assert [TALK.before(0), TALK.before(-5), TALK.before(30, message=3)] == [0, 0, 0]
    assert Answered([]).before(30) == Answered([("agent", 10)]).before(30) == 0


def test_turns_need_not_be_in_the_order_of_their_times() -> None:
    assert Answered([("human", 50), ("human", 10)]).before(20) == 2
