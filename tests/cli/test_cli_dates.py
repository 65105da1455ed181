"""The date of a landing is the forge's, whatever the clock says of the machine where its session began."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inside import Inside
from mic.workspace import session
from transcript import make_garden

# 2001-09-09T01:46:40Z
LONG_AGO = 1_000_000_000


def test_a_clock_that_is_wrong_dates_no_landing(insider: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """What git brought keeps its date; what landed here has that of the landing, and says when it was begun too."""
    make_garden(insider, "dated-git")
    name = f"{insider.own}/dated"
    insider("import", "git", "dated-git", name)
    insider("clone", name)
    insider.cd("dated")
    with monkeypatch.context() as patch:
        patch.setattr(session, "time", SimpleNamespace(time_ns=lambda: LONG_AGO * 1_000_000_000))
        insider("session", "start", "Water")
    insider.write("dew", "dew\n")
    assert insider("land") == "Landed @4: Water (1 file)\n"
    lines = insider.run("log").stdout.splitlines()
    dates = [line.split()[1][:4] for line in lines]
    assert (dates[1:], dates[0] > "2024") == (["2024"] * 3, True), lines
    assert " 2001-" not in insider.run("show").stdout + insider.run("blame", "dew").stdout
    landed, imported = insider.json("log", "-n", "2")["landings"]
    assert landed["created_at"] == "2001-09-09T01:46:40Z"
    assert (landed["landed_at"][:4] > "2024", imported["created_at"][:4]) == (True, "2024")
