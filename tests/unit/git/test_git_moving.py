"""Which refs move, which wait for a landing, and which are refused."""

from __future__ import annotations

import pytest

from mic.core.head import ms_hlc
from mic.git import moving
from mic.git.moving import HELD, HELD_MS, MOVED, RefMove, advance, begin, move, withdraw
from mic.git.serving import ABSENT
from mic.git.view import Moving, View

NOW = 1_793_491_200_000
A, B, C, TIP = (bytes((value,)) * 20 for value in (1, 2, 3, 9))
V1, V2, V3 = b"refs/tags/v1", b"refs/tags/v2", b"refs/tags/v3"
VIEW = View(7, TIP, refs={V1: A})
HLC = ms_hlc(NOW)


def test_moves_at_once() -> None:
    """Each that names what its pusher believed; of an atomic push all or none."""
    moves = [RefMove(V1, A, B, True), RefMove(V2, B, C, True), RefMove(V3, ABSENT, C, True)]
    moved = move(VIEW, moves, False, NOW)
    assert moved.refused == {V2: MOVED}
    assert moved.view == View(7, TIP, refs={V1: B, V3: C})
    assert move(VIEW, moves, True, NOW) == (None, {V2: MOVED})
    gone = move(VIEW, [RefMove(V1, A, ABSENT, True)], False, NOW)
    assert gone.view == View(7, TIP, refs={}, exact=False)


def test_moves_with_the_landing() -> None:
    """All of them with the landing they wait for; none when another is at its position."""
    moves = [RefMove(V1, A, ABSENT, True), RefMove(V2, ABSENT, C, True)]
    begun = begin(VIEW, moves, 9, HLC, NOW).view
    assert begun == View(7, TIP, refs={V1: A}, movings=(Moving(9, HLC, {V1: (A, ABSENT), V2: (ABSENT, C)}, False),))
    assert advance(begun, 8, B, {8: HLC}) == View(8, B, refs={V1: A}, movings=begun.movings)
    assert advance(begun, 9, B, {8: 1, 9: HLC}) == View(9, B, refs={V2: C}, exact=False)
    assert advance(begun, 9, B, {8: 1, 9: HLC + 1}) == View(9, B, refs={V1: A})
    # Begun although its position had passed: nobody will land there.
    assert advance(begun, 12, B, {11: 1, 12: HLC}) == View(12, B, refs={V1: A})


def test_what_waits_is_held() -> None:
    """Nobody else moves it, atomically or not; others wait beside it; after a time it is let go."""
    begun = begin(VIEW, [RefMove(V1, A, B, True)], 8, HLC, NOW).view
    assert begun is not None
    assert move(begun, [RefMove(V1, A, C, True)], False, NOW) == (None, {V1: HELD})
    assert begin(begun, [RefMove(V1, A, C, True)], 8, HLC + 1, NOW) == (None, {V1: HELD})
    both = begin(begun, [RefMove(V2, ABSENT, C, True)], 8, HLC + 1, NOW).view
    assert both is not None
    assert advance(both, 8, B, {8: HLC}) == View(8, B, refs={V1: B})
    assert advance(both, 8, B, {8: HLC + 1}) == View(8, B, refs={V1: A, V2: C})
    assert withdraw(both, HLC + 1) == begun
    assert withdraw(begun, HLC + 1) is None
    late = move(begun, [RefMove(V1, A, C, True)], False, NOW + HELD_MS)
    assert late == (View(7, TIP, refs={V1: C}), {})


def test_the_same_again() -> None:
    """Who was killed asks for the same, with main or without; whichever attempt lands, all of it moves."""
    moves = [RefMove(V1, A, B, True), RefMove(V2, ABSENT, C, True)]
    begun = begin(VIEW, moves, 8, HLC, NOW).view
    assert begun is not None
    again = begin(begun, moves, 8, HLC + 1, NOW).view
    assert again is not None
    for clock in (HLC, HLC + 1):
        assert advance(again, 8, B, {8: clock}) == View(8, B, refs={V1: B, V2: C})
    alone = move(begun, moves[:1], False, NOW).view
    assert alone == View(7, TIP, refs={V1: B}, movings=begun.movings)
    assert advance(alone, 8, B, {8: HLC}) == View(8, B, refs={V1: B, V2: C})


def test_a_ref_that_an_import_moved() -> None:
    """What waits moves only where all of it is as it was."""
    begun = View(7, TIP, refs={V1: C}, movings=(Moving(8, HLC, {V1: (A, B), V2: (ABSENT, C)}, True),))
    assert advance(begun, 8, B, {8: HLC}) == View(8, B, refs={V1: C})


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project has a limit of refs, what waits included."""
    monkeypatch.setattr(moving, "MAX_REFS", 2)
    begun = begin(VIEW, [RefMove(V2, ABSENT, C, True)], 8, HLC, NOW).view
    assert begun is not None
    assert begin(begun, [RefMove(V3, ABSENT, C, True)], 8, HLC, NOW) == (None, {V3: moving.TOO_MANY})
    assert move(VIEW, [RefMove(V2, ABSENT, C, True), RefMove(V3, ABSENT, C, True)], False, NOW).view is None
