"""`mic branch switch` away from a branch that was deleted, killed: what comes along comes along all the same."""

from __future__ import annotations

import os
import shutil

import pytest

import killed
from inside import NOBODY
from killed import KILLED
from on_gone import on_gone
from transcript import Shell


@pytest.fixture(params=["oak", "rose"])
def leaving(shell: Shell, name: str, request: pytest.FixtureRequest) -> Shell:
    """A working copy `w` on the branch gone, which was deleted. A session is open there that was pushed, and one was
    put aside; pushes of both wait. The file of the open one is new, or is another on main."""
    on_gone(shell, name)
    shell("session", "start", "Open")
    shell.write(request.param, "old\n")
    assert shell("session", "push").startswith("Pushed: Open (1 file)\n")
    session = shell.json("session", "status")["session"]["id"]
    off_line(shell, "session", "switch", "--none")
    off_line(shell, "session", "start", "Aside")
    shell.write("rose", "3\n")
    shell.write("tulip", "red\n")
    off_line(shell, "session", "switch", "--none")
    off_line(shell, "session", "resume", session)
    assert shell("branch", "delete", "gone", "--project", f"{name}/p").startswith(
        "Deleted the branch gone.\nWhat landed on it alone, @2, is removed after 2"
    )
    return shell


def off_line(shell: Shell, *command: str) -> None:
    on_line = shell.environment
    shell.environment = {**on_line, "http_proxy": NOBODY, "no_proxy": ""}
    assert shell.run(*command).returncode in (0, 6)
    shell.environment = on_line


def test_switch_from_a_branch_that_is_gone(leaving: Shell) -> None:
    """Before each third change of a name (KILL_EVERY=1: before each): both sessions are on main in the end, whole."""
    (file,) = (each["path"] for each in leaving.json("status")["changes"])
    command = ("branch", "switch", "main", "--keep")
    for limit in range(100) if os.environ.get("KILL_EVERY") else range(2, 100, 3):
        copy = leaving.home / f"at{limit}"
        shutil.copytree(leaving.home / "w", copy, symlinks=True)
        leaving.cd(copy.name)
        done = killed.ran(leaving.cwd, leaving.environment, limit, *command)
        assert done.returncode in (KILLED, 0), done.stderr
        again = leaving.run(*command)
        if "A sync was stopped half way" in again.stderr:
            # 3: yours stands over what is on main, which is said once more.
            assert leaving.run("sync").returncode == (0 if file == "oak" else 3), limit
            again = leaving.run(*command)
        assert again.returncode == 0, (limit, again.stderr)
        found = leaving.json("status")
        assert (found["branch"], found["position"], found["session"]["goal"]) == ("main", 1, "Open"), limit
        assert [each["path"] for each in found["changes"]] == [file], limit
        assert leaving.read(file) == "old\n", limit
        assert [(each["path"], each["marked"]) for each in found["conflicts"]] == (
            [] if file == "oak" else [("rose", False)]
        ), limit
        pushed = leaving("session", "push")
        assert "\nGo on elsewhere with: mic session resume SESSION\n" in pushed, (limit, pushed)
        assert leaving.run("sync").returncode == 0, limit
        assert leaving.json("status")["pending"] == 0, limit
        goals = {each["goal"] for each in leaving.json("session", "list", "--resumable")["sessions"]}
        assert goals == {"Aside", "Open"}, limit
        leaving("session", "switch", "--none")
        aside = next(each for each in leaving.json("session", "list")["sessions"] if each["goal"] == "Aside")
        assert leaving("session", "resume", aside["id"]).startswith("Resumed: Aside\nsession SESSION, base @1: 2 files")
        assert (leaving.read("rose"), leaving.read("tulip")) == ("3\n", "red\n"), limit
        shutil.rmtree(copy)
        if not done.returncode:
            break
    assert limit > 10
