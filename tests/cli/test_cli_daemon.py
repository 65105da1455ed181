"""The daemon from the command line: started, asked, ended; and what it says is what the command says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transcript import Shell

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)


# Commands of each kind: of the files here, of the forge, refused, failed, of a usage that is none.
SERVED = [
    ["diff"], ["diff", "--stat", "--json"], ["blame", "a"], ["ls"], ["cat", "a"], ["show", "@1"], ["log", "--stat"],
    ["session", "list"], ["cat", "nowhere"], ["land"], ["diff", "--nonsense"], ["session", "lst"], ["undo", "--help"],
]  # fmt: skip


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


def _served(shell: Shell) -> int:
    """How many commands were carried out in forks of the command server."""
    return int(shell.json("daemon", "status")["commands"]["carried_out"])


def _serves(shell: Shell) -> None:
    """Wait until it has loaded what it needs."""
    until = time.monotonic() + 30
    while not shell.json("daemon", "status")["commands"]["ready"]:
        assert time.monotonic() < until


def _killed_in_the_middle(shell: Shell) -> None:
    """A landing that runs elsewhere ends with the process that its user sees; the next one lands."""
    hook = shell.cwd / ".mic/hooks/pre-land"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho $PPID $$ > held\nexec sleep 60\n")
    hook.chmod(0o755)
    asking = subprocess.Popen(
        [sys.executable, "-I", "-c", "import sys; from mic.cli.main import start; start()", "land", "Held"],
        cwd=shell.cwd, env=shell.environment,
    )  # fmt: skip
    until = time.monotonic() + 30
    while not (numbers := (shell.cwd / "held").read_text().split() if (shell.cwd / "held").exists() else []):
        assert time.monotonic() < until
    working, held = map(int, numbers)
    asking.kill()
    assert asking.wait() == -signal.SIGKILL
    while Path(f"/proc/{working}").exists():
        assert time.monotonic() < until
    os.kill(held, signal.SIGKILL)
    hook.unlink()
    (shell.cwd / "held").unlink()


def _maps(shell: Shell) -> str:
    return Path(f"/proc/{shell.json('daemon', 'status')['process']}/maps").read_text()


def test_with_the_daemon_and_without(shell: Shell, name: str, daemons_place: Path) -> None:
    there = dict(shell.environment)
    shell.environment["MIC_DAEMON"] = "off"
    assert shell("daemon", "start") == (
        "! mic: There is no place for a daemon here.\n!      It needs Linux, HOME, and not MIC_DAEMON=off.\n[6]\n"
    )
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    folder = shell.cd("p")
    shell.write("a", "1\n")
    shell("land", "One")
    off = dict(shell.environment)
    shell.environment = there
    assert shell.run("daemon", "status").stdout.startswith("No daemon runs.")
    assert shell.run("daemon", "start").stdout.startswith("The daemon runs (process ")
    try:
        _ready(shell, "status")
        _ready(shell, "log")
        _serves(shell)
        on = shell.environment
        shell.write("a", "2\n")
        shell.write("new", "")
        carried_out = _served(shell)
        for words in (["status"], ["status", "--json"], [], ["--json"], ["log"], ["log", "-n", "1", "--json"], *SERVED):
            said = []
            for environment in (off, on):
                shell.environment = environment
                done = shell.run(*words)
                said.append((done.stdout, done.stderr, done.returncode))
            assert said[0] == said[1]
        (folder / ".mic/undoing").write_text("redo")
        told = []
        for environment in (off, on):
            shell.environment = environment
            told += [shell("status"), shell(), shell.json("status")["undo_stopped"]]
        assert told[:3] == told[3:]
        assert "; run `mic redo` again.\n" in told[0]
        assert told[2] is True
        (folder / ".mic/undoing").unlink()
        # Not all of them, where the machine has so little time that half a second passes before one begins.
        assert carried_out < _served(shell) <= carried_out + len(SERVED)
        _killed_in_the_middle(shell)
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


def test_it_says_that_it_runs_once_it_does(shell: Shell, daemons_place: Path) -> None:
    """Where one runs already, and where it cannot run, the refusal is all that is said."""
    run = daemons_place
    (run / "mic").mkdir()
    (run / "mic").chmod(0o755)
    assert shell("daemon", "run") == (
        f"! mic: {run}/mic is not yours alone.\n!      Give it the mode 0700, or remove it.\n[6]\n"
    )
    (run / "mic").chmod(0o700)
    command = [sys.executable, "-I", "-c", "import sys; from mic.cli.main import start; start()", "daemon", "run"]
    running = subprocess.Popen(
        command, cwd=shell.cwd, env=shell.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stderr is not None
        assert running.stderr.readline() == "The daemon runs here. ^C ends it.\n"
        assert shell("daemon", "run") == "! mic: The daemon runs already.\n!      `mic daemon status` shows it.\n[6]\n"
        assert shell.json("daemon", "status")["process"] == running.pid
        assert shell("daemon", "stop") == "The daemon has ended.\n"
        assert running.communicate(timeout=30) == ("", "")
    finally:
        running.kill()
    assert running.returncode == 0


def test_it_starts_with_the_second_command(shell: Shell, name: str, daemons_place: Path) -> None:
    """In a project of any size. Who waits for the end of what a command prints does not wait for the daemon."""
    there = dict(shell.environment)
    shell.environment["MIC_DAEMON"] = "off"
    shell("project", "create", f"{name}/small")
    shell("clone", f"{name}/small")
    folder = shell.cd("small")
    command = [sys.executable, "-I", "-c", "import sys; from mic.cli.main import start; start()", "diff"]
    shell.environment = environment = {key: value for key, value in there.items() if key != "CI"}
    for _ in range(2):
        assert not (daemons_place / "mic/daemon.sock").exists()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    until = time.monotonic() + 30
    while shell.json("daemon", "status")["running"] is False:
        assert time.monotonic() < until
    _serves(shell)
    assert shell("daemon", "stop") == "The daemon has ended.\n"
