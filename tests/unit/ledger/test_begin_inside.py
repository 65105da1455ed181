"""Where a line can begin near a position that was never a head: several landings became visible at once."""

from __future__ import annotations

import pytest

from ledgers import import_sealed, land
from mic.core.errors import InvalidInput
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore


def hint_of(ledger: Ledger, position: int, origin: str = "p") -> str:
    """What is said of a position that no line can begin at."""
    with pytest.raises(InvalidInput, match=f"nothing can begin at @{position}: it landed together") as caught:
        ledger.branch(origin, f"new-{origin}-{position}", position)
    return caught.value.hint or ""


def test_the_nearest_before_and_after_are_named() -> None:
    """1,100 imported landings are epochs of 256 and a last one; no name of an epoch that lost its race counts."""
    store = MemoryStore()
    ledger = Ledger(store)
    project = ledger.open("p")
    import_sealed(project, 1100, lambda number: b"%d\n" % number)
    assert land(project, 9001, 1100, {b"new": b"new\n"}).position == 1101
    lost = next(each.key for each in store.list("") if f"tail/{1100:016x}-" in each.key)
    store.put(lost.replace(f"{1100:016x}", f"{1050:016x}"), b"lost")
    assert hint_of(ledger, 7) == "nearest to it, one can begin at @256"
    assert hint_of(ledger, 1023) == "nearest to it, one can begin at @768 or @1024"
    assert hint_of(ledger, 1060) == "nearest to it, one can begin at @1024 or @1100"
    for position in (1024, 1100, 1101):
        assert ledger.branch("p", f"at-{position}", position)[1].position == position


def test_a_line_that_began_elsewhere_knows_what_it_shares() -> None:
    """Inside of what it reads through its origin, and where its own landings begin."""
    store = MemoryStore()
    ledger = Ledger(store)
    project = ledger.open("p")
    import_sealed(project, 1100, lambda number: b"%d\n" % number)
    ledger.branch("p", "b", 1024)
    assert land(ledger.open("b"), 9002, 1024, {b"new": b"new\n"}).position == 1025
    assert hint_of(ledger, 1000, "b") == "nearest to it, one can begin at @768 or @1024"
    assert ledger.branch("b", "c", 1025)[1].position == 1025
