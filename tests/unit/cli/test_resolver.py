"""The resolver on a terminal, driven by its keys."""

from __future__ import annotations

import asyncio

from mic.cli.resolver import Resolver, Shown
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
    assert _pressed("o", "t", "q") is None
    assert _pressed("o", "escape") is None
