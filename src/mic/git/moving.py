"""How refs move: each from the id that its pusher knows to a new one, at once or when main has landed.

An atomic push moves main in the log and the rest in the view, and nothing swaps both. So it says first, in the view,
what moves with its landing; whoever derives that landing moves them. Until then nobody moves those refs otherwise: what
was true when the landing was begun is true when it is seen. The same move may be asked for again, by who was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from mic.core.head import hlc_ms
from mic.git.serving import ABSENT
from mic.git.view import MAX_REFS, Moving, View

# A push that died holds refs for so long, unless the next landing shows before that it will not land. One that is
# alive swaps the head within seconds of saying what moves with it.
HELD_MS = 10 * 60_000
# What a pusher is told; git's own words where it has some.
MOVED = "fetch first"
HELD = "an atomic push is moving it; push again in a moment"
TOO_MANY = f"a project has at most {MAX_REFS:,} refs"


class RefMove(NamedTuple):
    """From `old` to `new`, ABSENT for no such ref. `grown`: what it named before can be reached from the new id."""

    name: bytes
    old: bytes
    new: bytes
    grown: bool


class Moved(NamedTuple):
    """The view that comes of it, None when nothing moves; and why what stays stays."""

    view: View | None
    refused: dict[bytes, str]


def move(view: View, moves: Sequence[RefMove], atomic: bool, now: int) -> Moved:
    """Move refs now (Unix ms), all or none of them when `atomic`."""
    view = _let_go(view, now)
    refused = refusals(view, moves)
    going = [] if atomic and refused else [item for item in moves if item.name not in refused]
    refs = dict(view.refs)
    for item in going:
        refs[item.name] = item.new
    if len(refs) > MAX_REFS:
        return Moved(None, refused | {item.name: TOO_MANY for item in going})
    if not going:
        return Moved(None, refused)
    exact = view.exact and all(item.grown and item.new != ABSENT for item in going)
    return Moved(msgspec.structs.replace(view, refs=_present(refs), exact=exact), refused)


def begin(view: View, moves: Sequence[RefMove], position: int, hlc: int, now: int) -> Moved:
    """Say that all of them move when the landing of `position` with this clock value is there."""
    view = _let_go(view, now)
    refused = refusals(view, moves)
    held = {name for moving in view.movings for name in moving.refs}
    if not refused and len({*view.refs, *held, *(item.name for item in moves)}) > MAX_REFS:
        refused = {item.name: TOO_MANY for item in moves}
    if refused:
        return Moved(None, refused)
    exact = all(item.grown and item.new != ABSENT for item in moves)
    moving = Moving(position, hlc, {item.name: (item.old, item.new) for item in moves}, exact)
    return Moved(msgspec.structs.replace(view, movings=(*view.movings, moving)), {})


def refusals(view: View, moves: Sequence[RefMove]) -> dict[bytes, str]:
    """Those that cannot move: they name something else than who pushed believed, or are about to."""
    refused = {}
    for item in moves:
        if view.refs.get(item.name, ABSENT) != item.old:
            refused[item.name] = MOVED
        elif any(moving.refs.get(item.name, item[1:3]) != item[1:3] for moving in view.movings):
            refused[item.name] = HELD
    return refused


def withdraw(view: View, hlc: int) -> View | None:
    """Without what was to move with a landing that is refused for certain; None when the view does not tell of it."""
    staying = tuple(moving for moving in view.movings if moving.hlc != hlc)
    return None if len(staying) == len(view.movings) else msgspec.structs.replace(view, movings=staying)


def advance(view: View, position: int, tip: bytes, clocks: Mapping[int, int]) -> View:
    """The view when landings up to `position` have their commits, `tip` the newest.

    `clocks` are the clock values of the new ones by position. What waits for one of them moves when that is the one it
    waits for, and else never.
    """
    refs, exact, waiting = dict(view.refs), view.exact, []
    for moving in view.movings:
        if moving.position > position:
            waiting.append(moving)
        elif clocks.get(moving.position) == moving.hlc and _as_known(refs, moving):
            refs.update({name: new for name, (_, new) in moving.refs.items()})
            exact = exact and moving.exact
    return msgspec.structs.replace(
        view, position=position, tip=tip, refs=_present(refs), exact=exact, movings=tuple(waiting)
    )


def _as_known(refs: Mapping[bytes, bytes], moving: Moving) -> bool:
    """Whether each names what it did or is to; an import may have moved it elsewhere, which waits for nobody."""
    return all(refs.get(name, ABSENT) in pair for name, pair in moving.refs.items())


def _present(refs: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {name: oid for name, oid in refs.items() if oid != ABSENT}


def _let_go(view: View, now: int) -> View:
    """Without the refs of pushes that must have died."""
    staying = tuple(moving for moving in view.movings if now - hlc_ms(moving.hlc) < HELD_MS)
    return view if len(staying) == len(view.movings) else msgspec.structs.replace(view, movings=staying)
