"""Cards that lie in the store: drawn once, gone with their week, and never in the way when the store is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

from mic.core.errors import StorageFull, Unavailable
from mic.store import MemoryStore
from mic.store.faults import Fault, FaultyStore
from micelio.pages.card_shelf import forget_cards, kept_card

NAME = "ab" * 32
# Monday, and the Mondays after it; the second lies in the last week of its ISO year.
FIRST, NEXT, THIRD = (datetime(2026, 12, day, tzinfo=UTC) for day in (14, 21, 28))


def _png(shade: int) -> bytes:
    held = BytesIO()
    Image.new("L", (8, 8), shade).save(held, "PNG")
    return held.getvalue()


def _never() -> bytes:
    raise AssertionError("it was drawn again")


def _keys(store: MemoryStore) -> list[str]:
    return [item.key for item in store.list("cards/")]


def test_a_card_is_drawn_once_and_found_by_whoever_asks_next() -> None:
    """In the same week, and in the one after it, from where it was put."""
    store = MemoryStore()
    assert kept_card(store, NAME, FIRST, lambda: _png(1)) == _png(1)
    assert _keys(store) == [f"cards/2026-W51/{NAME}.png"]
    assert kept_card(store, NAME, FIRST, _never) == kept_card(store, NAME, NEXT, _never) == _png(1)


def test_two_weeks_later_it_is_drawn_anew() -> None:
    """A card that nobody asks for does not stay; one that is asked for is put into the week of then."""
    store = MemoryStore()
    kept_card(store, NAME, FIRST, lambda: _png(1))
    assert kept_card(store, NAME, THIRD, lambda: _png(2)) == _png(2)
    assert _keys(store) == [f"cards/2026-W51/{NAME}.png", f"cards/2026-W53/{NAME}.png"]
    assert forget_cards(store, THIRD) == 1
    assert _keys(store) == [f"cards/2026-W53/{NAME}.png"]


def test_cards_go_with_their_week_and_nothing_else_goes() -> None:
    """Of this week and of the last one they stay, over the turn of a year as well."""
    store = MemoryStore()
    store.put("projects/x", b"other")
    for day in (FIRST, NEXT, THIRD):
        store.put(f"cards/{day.isocalendar()[0]}-W{day.isocalendar()[1]}/{NAME}.png", _png(1))
    assert forget_cards(store, datetime(2027, 1, 4, tzinfo=UTC)) == 2
    assert _keys(store) == [f"cards/2026-W53/{NAME}.png"]
    assert store.get("projects/x").data == b"other"


def _flip(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


@pytest.mark.parametrize("spoil", [_flip, lambda data: data[:-9], lambda data: b"", lambda data: b"\0" * 300_000])
def test_what_is_no_card_is_drawn_again_and_replaced(spoil: Callable[[bytes], bytes]) -> None:
    """A byte that is another one, a part, nothing, too much."""
    store = MemoryStore()
    kept_card(store, NAME, FIRST, lambda: _png(1))
    store.put(_keys(store)[0], spoil(_png(1)))
    assert kept_card(store, NAME, FIRST, lambda: _png(1)) == _png(1)
    assert kept_card(store, NAME, FIRST, _never) == _png(1)


class _Away(MemoryStore):
    def get_range(self, key: str, start: int, length: int) -> bytes:
        raise Unavailable("the store does not answer")


class _Full(MemoryStore):
    def put(self, key: str, data: bytes) -> None:
        raise StorageFull("no space")


@pytest.mark.parametrize("store", [_Away(), _Full(), FaultyStore(MemoryStore(), lambda call, key: Fault.BEFORE)])
def test_without_the_store_the_card_is_drawn(store: MemoryStore) -> None:
    """Away, full, or failing at each call: who asks sees the card."""
    assert kept_card(store, NAME, FIRST, lambda: _png(1)) == _png(1)
