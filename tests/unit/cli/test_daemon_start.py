"""When the daemon starts by itself: not for an hour after it failed, whatever the clock said then."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mic.cli.program import daemon_start


@pytest.mark.parametrize(
    ("failed", "starts"),
    [(None, True), (-60, False), (-3_500, False), (-3_700, True), (3_600, True), (365 * 86_400, True)],
)
def test_it_rests_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: int | None, starts: bool
) -> None:
    """`failed`: seconds from now. A failure that is to come was written by a clock that has been put back since."""
    begun = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(daemon_start.door, "folder", lambda: os.fsencode(tmp_path))
    monkeypatch.setattr(daemon_start, "spawn", lambda: begun.append(1))
    if failed is not None:
        daemon_start.failed(os.fsencode(tmp_path))
        os.utime(tmp_path / "failed", (time.time() + failed,) * 2)
    daemon_start.start_unasked(os.fsencode(tmp_path))
    assert bool(begun) == starts
