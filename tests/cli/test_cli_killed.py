"""kill -9 at moments of each writing command: the next command works, and in the end nothing is lost or half done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from killed import KILLED, some
from transcript import Shell
from transcripts import GARDEN, lines

SCRIPT = Path(__file__).with_name("killed.py")


def ran(shell: Shell, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mic` here, ended before change number `limit` of a name."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(limit), *arguments],
        cwd=shell.cwd, env=shell.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def files(folder: Path) -> dict[str, str]:
    """What stands in a working copy."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if not name.startswith(".mic/")}


def whole(shell: Shell, *arguments: str) -> str:
    """Run a command until it has come to its end: what was stopped half way says what goes on."""
    for _ in range(4):
        done = shell.run(*arguments)
        if done.returncode == 0:
            return done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        if "A sync was stopped half way" in done.stderr:
            assert shell.run("sync").returncode == 0
            continue
        if "is at @" in done.stderr or "nothing to" in done.stderr or "is open" in done.stderr:
            return done.stderr
        raise AssertionError(done.stderr)
    raise AssertionError("it never ended")


@pytest.fixture
def prepared(shell: Shell, name: str) -> Shell:
    """A project of two landings, and a working copy `w` on the second with an edit in a session."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "w")
    shell.cd("w")
    for file in ("a", "b", "c", "deep/d"):
        shell.write(file, f"{file}\n")
    shell("land", "One")
    shell.write("a", "a two\n")
    (shell.cwd / "b").unlink()
    shell.write("e", "e\n")
    shell("land", "Two")
    shell("session", "start", "Mine")
    shell.write("c", "mine\n")
    shell.write("new", "new\n")
    return shell


def moments(shell: Shell, command: tuple[str, ...]) -> None:
    """Kill a command at some changes of a name, in a copy of `w` each; then run it whole and compare."""
    begun = shell.home / "begun"
    shutil.copytree(shell.home / "w", begun, symlinks=True)
    shell.cd("begun")
    counted = ran(shell, -1, *command)
    assert counted.returncode == 0, counted.stderr
    expected, said = files(begun), shell.json("status")
    changes = int(counted.stderr.splitlines()[-1])
    assert changes
    for limit in some(changes):
        copy = shell.home / f"at{limit}"
        shutil.copytree(shell.home / "w", copy, symlinks=True)
        shell.cd(copy.name)
        code = ran(shell, limit, *command).returncode
        if code == 0:
            break  # with contents that this machine has by now, there is less to do
        assert code == KILLED, limit
        assert shell.run("status").returncode == 0, limit
        whole(shell, *command)
        assert files(copy) == expected, limit
        now = shell.json("status")
        for field in ("position", "changes", "sync_stopped"):
            assert now[field] == said[field], (limit, field)
        assert (now["session"] or {}).get("goal") == (said["session"] or {}).get("goal"), limit
        shutil.rmtree(copy)


def test_goto(prepared: Shell) -> None:
    """What is changed here comes along; b comes back, e goes."""
    moments(prepared, ("goto", "@1"))


def test_push(prepared: Shell) -> None:
    moments(prepared, ("session", "push"))


def test_switch_puts_aside_what_is_pushed(prepared: Shell) -> None:
    """Whatever the moment, the work is on the forge in the end, whole."""
    moments(prepared, ("session", "switch", "--none"))
    prepared.cd("begun")
    session = prepared.json("session", "list", "--resumable")["sessions"][0]["id"]
    assert prepared.json("show", session)["session"]["files"] == 2
    prepared("session", "resume", session)
    assert files(prepared.cwd) == {"a": "a two\n", "c": "mine\n", "deep/d": "deep/d\n", "e": "e\n", "new": "new\n"}


def test_resume(prepared: Shell) -> None:
    session = prepared.json("session", "status")["session"]["id"]
    prepared("session", "switch", "--none")
    moments(prepared, ("session", "resume", session))


def test_revert(prepared: Shell) -> None:
    """Stopped, the session is there that says what it is; undone, everything is as before."""
    prepared("session", "switch", "--none")
    before = files(prepared.cwd)
    counted = ran(prepared, -1, "revert", "@2")
    assert counted.returncode == 0, counted.stderr
    assert prepared("undo").startswith("Undone: mic revert @2; your base is @2")
    for limit in some(int(counted.stderr.splitlines()[-1])):
        assert ran(prepared, limit, "revert", "@2").returncode in (KILLED, 0)
        if files(prepared.cwd) != before or prepared.json("status")["session"]:
            assert prepared.run("undo").returncode == 0
        assert files(prepared.cwd) == before, limit
        assert prepared.json("status")["session"] is None


def test_undo_and_redo(prepared: Shell) -> None:
    prepared("goto", "@1")
    moments(prepared, ("undo",))


def test_part_of_a_project(prepared: Shell) -> None:
    moments(prepared, ("sparse", "set", "/"))
    prepared.cd("begun")
    assert prepared.json("sparse", "list") == {"sparse": []}


def test_words(prepared: Shell) -> None:
    """A note is there or it is not."""
    counted = ran(prepared, -1, "session", "note", "said")
    changes = int(counted.stderr.splitlines()[-1])
    for limit in some(changes):
        ran(prepared, limit, "session", "note", f"again {limit}")
        assert prepared.run("session", "status").returncode == 0
        assert prepared("session", "note", "then").startswith("Noted (")


def test_attach(prepared: Shell) -> None:
    """All of a transcript or nothing of it, and the same again is the same."""
    file = prepared.home / "a.jsonl"
    file.write_bytes(lines(*GARDEN))
    counted = ran(prepared, -1, "session", "attach", str(file))
    assert counted.returncode == 0, counted.stderr
    whole_of_it = prepared.json("session", "status")["session"]["conversation"]
    prepared("undo")
    for limit in some(int(counted.stderr.splitlines()[-1])):
        # Where folders are there by now, there is less to do.
        assert ran(prepared, limit, "session", "attach", str(file)).returncode in (
            (KILLED, 0) if limit > 3 else (KILLED,)
        )
        assert prepared.json("session", "status")["session"]["conversation"] in ([], whole_of_it)
        assert prepared.run("session", "attach", str(file)).returncode == 0
        assert prepared.json("session", "status")["session"]["conversation"] == whole_of_it
        prepared("undo")
