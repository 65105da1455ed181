"""The conversation in the order in which it was held."""

from __future__ import annotations

from mic.core.session import Decision, Message
from mic.workspace.told import decided_in_order, in_order


def _turn(text: str, at: int) -> Message:
    return Message("human", "ada", text, at)


def test_by_their_times_and_who_was_where() -> None:
    """What came later but was said before moves to its place; each turn's new number is told."""
    turns = [_turn("c", 30), _turn("d", 40), _turn("a", 10), _turn("behind a", 0), _turn("c2", 30)]
    ordered, numbers = in_order(turns)
    assert [each.text for each in ordered] == ["a", "behind a", "c", "c2", "d"]
    assert numbers == [3, 5, 1, 2, 4]
    assert in_order(ordered) == (ordered, [1, 2, 3, 4, 5])
    assert in_order([]) == ([], [])


def test_without_times_nothing_moves() -> None:
    turns = [_turn("b", 0), _turn("a", 0)]
    assert in_order(turns) == (turns, [1, 2])


def test_decisions_go_along() -> None:
    """A decision keeps its message wherever that goes; one whose message is not there has none."""
    made = [Decision("none"), Decision("c", at=5, message=1), Decision("gone", message=4), Decision("a", message=3)]
    _, numbers = in_order([_turn("c", 30), _turn("d", 40), _turn("a", 10)])
    assert [(each.what, each.message, each.at) for each in decided_in_order(made, numbers)] == [
        ("none", 0, 0), ("c", 2, 5), ("gone", 0, 0), ("a", 1, 0)
    ]  # fmt: skip
