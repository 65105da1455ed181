"""The daemon from the command line: started, asked, ended; and what it says is what the command says."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from transcript import Shell

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)


def _ready(shell: Shell, kind: str) -> None:
    """Ask until the daemon has answered from what it watches, or holds."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if kind == "status":
            shell.run("status")
            if any(place["state"] == "ready" for place in shell.json("daemon", "status")["workspaces"]):
                return
        elif shell.run("log", "-n", "1").stdout and "grpc" in _maps(shell):
            return
    raise AssertionError(shell("daemon", "status"))


def _maps(shell: Shell) -> str:
    return Path(f"/proc/{shell.json('daemon', 'status')['process']}/maps").read_text()


def test_with_the_daemon_and_without(shell: Shell, name: str, tmp_path: Path) -> None:
    run = Path(f"/tmp/mic-{name}")
    run.mkdir(mode=0o700)
    assert shell("daemon", "start") == (
        "! mic: There is no place for a daemon here.\n!      It needs Linux, HOME, and not MIC_DAEMON=off.\n[6]\n"
    )
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    folder = shell.cd("p")
    shell.write("a", "1\n")
    shell("land", "One")
    off = dict(shell.environment)
    shell.environment |= {"XDG_RUNTIME_DIR": str(run), "MIC_DAEMON": "on"}
    assert shell.run("daemon", "status").stdout.startswith("No daemon runs.")
    assert shell.run("daemon", "start").stdout.startswith("The daemon runs (process ")
    try:
        _ready(shell, "status")
        _ready(shell, "log")
        on = shell.environment
        shell.write("a", "2\n")
        shell.write("new", "")
        for words in (["status"], ["status", "--json"], [], ["--json"], ["log"], ["log", "-n", "1", "--json"]):
            said = []
            for environment in (off, on):
                shell.environment = environment
                done = shell.run(*words)
                said.append((done.stdout, done.stderr, done.returncode))
            assert said[0] == said[1]
        assert "Landed" in shell("land", "Two")
        assert shell("status").endswith("Nothing changed.\n")
        assert shell("log", "-n", "1").startswith("@2  WHEN  ")
        shell.sign_in(f"v{name}")  # the next question is asked as whoever is signed in now
        assert shell("log", "-n", "1") == shell("log", "-n", "1", "--to", "@2")
        process = shell.json("daemon", "status")["process"]
    finally:
        assert shell("daemon", "stop") in ("The daemon has ended.\n", "No daemon runs.\n")
    until = time.monotonic() + 30
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < until
    assert shell("daemon", "stop") == "No daemon runs.\n"
    assert (folder / "new").exists()
