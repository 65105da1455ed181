"""Moving a head by compare-and-swap, with an answer even where the store gives none."""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.errors import PreconditionFailed, StorageFull, Unavailable
from mic.core.head import Head
from mic.core.record import Record
from mic.ledger.effects import Protocol
from mic.ledger.follow import refresh
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.tip import move_tip


def swap(line: Line, head: Head, new: Head, ours: Sequence[Record]) -> Protocol[bool]:
    """True when the head is ours, False when another landing was faster. An unclear answer is settled by reading.

    `ours` are records up to the new head by which it is known again.
    """
    try:
        yield from move_tip(line, head, new)
        return True
    except PreconditionFailed:
        pass
    except Unavailable as error:
        now = yield from refresh(line)
        # By position: at 0 nothing vouches for the clock in a head, and one of the two may be misread.
        unmoved = now.position == head.position
        if unmoved and isinstance(error, StorageFull):
            raise
        if unmoved:
            raise Unavailable(
                "the store did not say whether the landing took place",
                hint="land again: the same session is never landed twice",
            ) from error
    # A lost answer and a retry below us look like a lost race: our own head may be in the chain.
    now = yield from refresh(line)
    if now.position < new.position:
        return False
    # All of ours, whole: inside another's epoch lie records that no head named, and one of them may have the same
    # position, clock and tree as ours, and yet be another session.
    return (yield from records(line, ours[0].position, new.position)) == list(ours)
