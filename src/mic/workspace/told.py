"""The conversation of a session in the order in which it was held.

Here turns are kept in the order in which they came, so that whoever has their number keeps it: what was noted at once,
then what a transcript brought of hours before. Where they are shown or sent, they stand by their times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from mic.core.session import Decision, Message


def in_order(conversation: Sequence[Message]) -> tuple[list[Message], list[int]]:
    """The turns by their times, and for each of the given ones its number now, from 1.

    A turn without a time stays behind the one that it stands behind; turns of one time keep their order.
    """
    times, last = [], 0
    for turn in conversation:
        last = turn.at or last
        times.append(last)
    order = sorted(range(len(times)), key=times.__getitem__)
    numbers = [0] * len(order)
    for new, old in enumerate(order, 1):
        numbers[old] = new
    return [conversation[at] for at in order], numbers


def decided_in_order(decisions: Iterable[Decision], numbers: Sequence[int]) -> list[Decision]:
    """Decisions whose messages go by other numbers: `numbers[n - 1]` is that of the message that was number n.

    One that names a message which is not among them names none.
    """
    return [
        replace(each, message=numbers[each.message - 1] if each.message <= len(numbers) else 0)
        if each.message
        else each
        for each in decisions
    ]
