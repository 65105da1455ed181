"""A hook that hangs is ended, with all that it started."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

from mic.cli.session import hooks
from mic.workspace.workspace import Config, Workspace


def test_one_that_hangs_ends_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the pipe is alive: the hook, what it started, and what that started."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ws = Workspace.create(str(tmp_path / "work"), Config("http://forge.example", "acme", "rocket", 7, "ab" * 32))
    hook = tmp_path / "work/.mic/hooks/pre-land"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexec > pipe\n(sleep 1000 & echo begun; wait) & wait\n")
    hook.chmod(0o755)
    os.mkfifo(tmp_path / "work/pipe")
    reading, process, wait = -1, None, subprocess.Popen.wait

    def begun(hook: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        """The time counts once all of them are there, however long that takes here."""
        nonlocal reading, process
        if process is None:
            reading, process = os.open(tmp_path / "work/pipe", os.O_RDONLY), hook
            assert os.read(reading, 100) == b"begun\n"
        return wait(hook, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", begun)
    assert hooks.SECONDS == 600.0
    monkeypatch.setattr(hooks, "SECONDS", 1.0)
    with pytest.raises(hooks.HookFailed) as failed:
        hooks.run_hook(ws, hooks.PRE_LAND, "Launch", None)
    assert failed.value.message == ".mic/hooks/pre-land took more than 1 s and was ended."
    assert failed.value.hint == "Make it quicker."
    assert process is not None
    assert process.returncode == -9
    assert select.select([reading], [], [], 30)[0] == [reading]
    assert os.read(reading, 100) == b""
    os.close(reading)
