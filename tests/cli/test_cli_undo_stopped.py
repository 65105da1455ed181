"""An undo, or a redo, that was killed half way: whoever looks is told, and which command goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import killed
from killed import KILLED
from transcript import Shell

REFUSED = "! mic: An undo was stopped half way.\n!      Run `mic {0}` again: it goes on.\n[3]\n"
LINE = "An undo was stopped half way; run `mic {0}` again.\n"


@pytest.fixture
def moved(shell: Shell, name: str) -> Shell:
    """A working copy `w` that `mic goto` brought from the second landing to the first."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "w")
    shell.cd("w")
    shell.write("a", "one\n")
    shell("land", "One")
    shell.write("a", "two\n")
    shell.write("b", "two\n")
    shell("land", "Two")
    shell("goto", "@1")
    return shell


def _tried(shell: Shell, *command: str) -> str:
    """What a command would say here, which stays as it is."""
    here = shell.cwd
    shutil.copytree(here, shell.home / "tried", symlinks=True)
    shell.cd("tried")
    said = shell(*command)
    shutil.rmtree(shell.cwd)
    shell.cwd = here
    return said


@pytest.mark.parametrize("verb", ["undo", "redo"])
def test_status_says_what_every_command_refuses(moved: Shell, verb: str) -> None:
    """Killed before each of its changes of a name: status speaks of it exactly where others refuse."""
    if verb == "redo":
        moved("undo")
    shutil.copytree(moved.cwd, moved.home / "begun", symlinks=True)
    moved.cd("begun")
    changes = int(killed.ran(moved.cwd, moved.environment, -1, verb).stderr.splitlines()[-1])
    told = []
    for limit in range(changes):
        copy = moved.home / f"at{limit}"
        shutil.copytree(moved.home / "w", copy, symlinks=True)
        moved.cd(copy.name)
        assert killed.ran(moved.cwd, moved.environment, limit, verb).returncode == KILLED
        stopped = _tried(moved, "sync") == REFUSED.format(verb)
        found, text = moved.json("status"), moved("status")
        assert found["undo_stopped"] is stopped, limit
        assert (LINE.format(verb) in text) is stopped, (limit, text)
        if stopped:
            told.append(limit)
            assert moved() == f"{text}\nNext:\n  mic {verb}  finish the interrupted {verb}\n"
            bare = moved.json()
            assert bare["workspace"]["undo_stopped"] is True
            assert bare["next"] == [{"command": f"mic {verb}", "does": f"finish the interrupted {verb}"}]
        assert moved.run(verb).returncode in (0, 4)
        assert moved.json("status")["undo_stopped"] is False
        assert moved.read("a") == ("two\n" if verb == "undo" else "one\n")
    assert len(told) >= 3


@pytest.mark.parametrize("how", ["empty", "folder"])
def test_a_mark_that_does_not_say_which(moved: Shell, how: str) -> None:
    """As earlier versions wrote it, and one that is damaged."""
    mark: Path = moved.cwd / ".mic/undoing"
    mark.mkdir() if how == "folder" else mark.write_bytes(b"")
    assert "\nAn undo was stopped half way; run the same `mic undo` or `mic redo` again.\n" in moved("status")
    assert moved.json("status")["undo_stopped"] is True
    assert [step["command"] for step in moved.json()["next"]] == ["mic undo", "mic redo"]
    assert "Run the same `mic undo` or `mic redo` again: it goes on.\n" in moved("goto", "@2")
