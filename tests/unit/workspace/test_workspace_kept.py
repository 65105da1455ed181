"""Folders of kept files: the newest stay, by the order in which they were made."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mic.workspace.kept import Kept, drop_old
from mic.workspace.workspace import Workspace

YEAR = 365 * 86_400 * 10**9


@pytest.mark.parametrize("jump", [0, 3_600 * 10**9, YEAR, -YEAR])
def test_the_newest_stay_whatever_the_clock_says(ws: Workspace, jump: int) -> None:
    """Ten syncs before the clock was set, three afterwards: what the last ten have kept is there."""
    folder = Path(ws.root, ".mic/kept")
    now = time.time_ns()
    for number in range(1, 14):
        kept = Kept.fresh(ws, str(number))
        kept.keep(b"README")
        made = now + number + (jump if number <= 10 else 0)
        os.utime(folder / str(number), ns=(made, made))
        drop_old(ws, [kept.name])
        assert kept.has(b"README")
    assert sorted(int(path.name) for path in folder.iterdir()) == list(range(4, 14))
    drop_old(ws, [])
    assert sorted(int(path.name) for path in folder.iterdir()) == list(range(4, 14))
