"""When the daemon starts by itself."""

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
    """Not for an hour, whatever the clock said then. `failed`: seconds from now; one that is to come was written by a
    clock that has been put back since.
    """
    begun = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(daemon_start.door, "folder", lambda: os.fsencode(tmp_path))
    monkeypatch.setattr(daemon_start, "spawn", lambda: begun.append(1))
    if failed is not None:
        daemon_start.failed(os.fsencode(tmp_path))
        os.utime(tmp_path / "failed", (time.time() + failed,) * 2)
    daemon_start.start_unasked(os.fsencode(tmp_path))
    assert bool(begun) == starts


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each start, in a home of its own."""
    started: list[int] = []
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(daemon_start, "spawn", lambda: started.append(1))
    environment = {b"XDG_RUNTIME_DIR": os.fsencode(tmp_path)}
    monkeypatch.setattr(daemon_start.door.posix, "environ", environment)
    return started


@pytest.mark.parametrize(("between", "starts"), [(1, True), (119, True), (121, False), (-10, False)])
def test_two_commands_that_it_would_have_begun(begun: list[int], tmp_path: Path, between: int, starts: bool) -> None:
    """The first alone is no reason; `between`: seconds. A clock that was put back says nothing."""
    daemon_start.start_where_missed()
    assert begun == []
    assert (tmp_path / "mic").stat().st_mode & 0o777 == 0o700
    os.utime(tmp_path / "mic/missed", (time.time() - between,) * 2)
    daemon_start.start_where_missed()
    assert bool(begun) == starts


@pytest.mark.parametrize("why", ["CI", "off", "config", "one listens", "no folder"])
def test_where_it_does_not_start(begun: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    match why:
        case "CI":
            monkeypatch.setenv("CI", "true")
        case "off":
            daemon_start.door.posix.environ[b"MIC_DAEMON"] = b"off"
        case "config":
            (tmp_path / "config/mic").mkdir(parents=True)
            (tmp_path / "config/mic/config.toml").write_text("[daemon]\nenabled = false\n")
        case "one listens":
            monkeypatch.setattr(daemon_start.door, "listening", lambda: True)
        case "no folder":
            (tmp_path / "mic").write_text("")
    daemon_start.start_where_missed()
    daemon_start.start_where_missed()
    assert begun == []
