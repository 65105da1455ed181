"""How clashes were settled: what was kept comes back to the byte, and what is damaged is not used."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from damaging import HOW, damage
from mic.core.merge3 import Clash
from mic.workspace import resolutions
from mic.workspace.resolutions import forget_all, recall, remember
from mic.workspace.workspace import Workspace

CLASH = Clash(b"1\n", b"mine\n", b"theirs\n")


@pytest.mark.parametrize("lines", [b"both\n", b"", b"no end", b"\x00\xff" * 50])
def test_what_was_remembered_is_recalled(ws: Workspace, lines: bytes) -> None:
    remember(ws, b"list", CLASH, lines)
    assert recall(ws, b"list", [CLASH]) == {CLASH: lines}
    assert recall(ws, b"other", [CLASH]) == {}
    (path,) = Path(ws.root, ".mic/resolutions").iterdir()
    assert path.read_bytes() == hashlib.sha256(lines).digest() + lines
    assert path.name == CLASH.name(b"list").hex() + ".1"
    assert forget_all(ws) == 1
    assert recall(ws, b"list", [CLASH]) == {}


@pytest.mark.parametrize("how", HOW)
def test_what_is_damaged_is_forgotten(ws: Workspace, how: str) -> None:
    """Else a merge would put it into a file, and say that it is settled as before."""
    remember(ws, b"list", CLASH, b"settled\n")
    (path,) = Path(ws.root, ".mic/resolutions").iterdir()
    damage(path, how)
    assert recall(ws, b"list", [CLASH]) == {}


def test_the_newest_stays_whatever_the_clock_says(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolutions, "KEEP", 2)
    other, third = Clash(b"2\n", b"m\n", b"t\n"), Clash(b"3\n", b"m\n", b"t\n")
    for clash in (CLASH, other):
        remember(ws, b"list", clash, b"settled\n")
    for path in Path(ws.root, ".mic/resolutions").iterdir():
        to_come = path.stat().st_mtime + 365 * 86_400
        os.utime(path, (to_come, to_come))
    remember(ws, b"list", third, b"settled\n")
    found = recall(ws, b"list", [CLASH, other, third])
    assert third in found
    assert len(found) == 2


def test_one_of_before_is_recalled_until_there_is_a_newer_one(ws: Workspace) -> None:
    folder = Path(ws.root, ".mic/resolutions")
    folder.mkdir()
    old = folder / CLASH.name(b"list").hex()
    old.write_bytes(b"of before\n")
    assert recall(ws, b"list", [CLASH]) == {CLASH: b"of before\n"}
    remember(ws, b"list", CLASH, b"newer\n")
    assert recall(ws, b"list", [CLASH]) == {CLASH: b"newer\n"}
    assert not old.exists()
