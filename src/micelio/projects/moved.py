"""Which projects were asked for at an address that they have left: doors tell whoever asked where they are now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Move(NamedTuple):
    """An address that was asked for, and where what was there is now."""

    owner: str
    handle: str
    new_owner: str
    new_handle: str


_moves: ContextVar[list[Move] | None] = ContextVar("micelio_moves", default=None)


@contextmanager
def moves() -> Iterator[list[Move]]:
    """What was found at another address while this runs, in the order in which it was asked for."""
    found: list[Move] = []
    token = _moves.set(found)
    try:
        yield found
    finally:
        _moves.reset(token)


def note_move(move: Move) -> None:
    """For whoever has followed an address."""
    found = _moves.get()
    if found is not None and move not in found:
        found.append(move)
