"""The resolver on a terminal, driven by its keys."""

from __future__ import annotations

import asyncio

import pytest
from textual.geometry import Region
from textual.widgets import Static

from mic.cli.working_copy.resolver import Resolver, Shown
from mic.core.marked import Place
from mic.core.merge3 import Clash

_FILES = [
    Shown(
        "list",
        [Place(0, 7, Clash(b"b1\n", b"o1\n", b"t1\n")), Place(9, 16, Clash(b"", b"o2\n", b"[t2]\n"))],
        ["@2 Noon"],
    ),
    Shown("other", [Place(0, 7, Clash(b"b\n", b"o\n", b"t\n"))], []),
]  # fmt: skip


def _pressed(*keys: str) -> list[dict[int, bytes]] | None:
    app = Resolver(_FILES)

    async def run() -> None:
        async with app.run_test() as pilot:
            await pilot.press(*keys)
            await pilot.pause()

    asyncio.run(run())
    return app.return_value


def test_a_choice_for_each_place() -> None:
    """A choice goes on to the next place that is open, and w writes."""
    assert _pressed("left", "right", "b", "w") == [{1: b"o1\n", 2: b"[t2]\n"}, {1: b"o\nt\n"}]


def test_what_is_not_chosen_stays_marked() -> None:
    assert _pressed("n", "t", "enter") == [{2: b"[t2]\n"}, {}]
    assert _pressed("p", "a", "w") == [{}, {1: b"b\n"}]
    assert _pressed("o", "p", "u", "w") == [{}, {}]


def test_leaving_writes_nothing() -> None:
    assert _pressed("q") is None
    assert _pressed("o", "t", "q", "q") is None
    assert _pressed("o", "escape", "escape") is None
    assert _pressed("o", "ctrl+c") is None


def test_what_was_chosen_is_not_left_by_one_key() -> None:
    """q beside w: it asks once more, and any other key goes on."""
    assert _pressed("o", "q", "w") == [{1: b"o1\n"}, {}]
    assert _pressed("o", "q", "n", "q", "t", "w") == [{1: b"o1\n"}, {1: b"t\n"}]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 12)])
def test_every_key_is_named_in_a_small_window(columns: int, lines: int) -> None:
    app = Resolver(_FILES)

    async def run() -> tuple[str, Region, Region]:
        async with app.run_test(size=(columns, lines)) as pilot:
            await pilot.pause()
            keys = app.query_one("#keys", Static)
            return str(keys.render()), keys.region, app.query_one("#side-base").region

    said, keys, side = asyncio.run(run())
    assert said.replace("\u00a0", " ").endswith("w write  q leave")
    assert (keys.bottom, keys.right) == (lines, columns)
    # As many lines as its words need, and three sides with something in them.
    assert keys.height == {80: 2, 40: 3}[columns]
    assert side.height >= 4


def test_long_places_are_scrolled_by_pages_and_arrows_still_go_on() -> None:
    many = b"".join(b"%d\n" % number for number in range(200))
    app = Resolver([Shown("list", [Place(0, 7, Clash(many, many, many)), Place(9, 16, Clash(b"", b"o", b"t"))], [])])

    async def run() -> tuple[list[float], list[float], str]:
        async with app.run_test() as pilot:
            await pilot.press("pagedown")
            await pilot.pause()
            paged = [app.query_one(f"#side-{side}").scroll_offset.y for side in ("ours", "base", "theirs")]
            await pilot.press("pageup")
            await pilot.pause()
            back = [app.query_one(f"#side-{side}").scroll_offset.y for side in ("ours", "base", "theirs")]
            await pilot.press("tab", "down", "down")
            await pilot.pause()
            return paged, back, str(app.query_one("#where", Static).render())

    paged, back, where = asyncio.run(run())
    assert paged[0] > 5
    assert paged == [paged[0]] * 3
    assert back == [0, 0, 0]
    assert where.startswith("list, place 2 of 2;")
