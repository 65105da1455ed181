"""Sessions that were put aside on a branch which was deleted later: brought to the branch that is followed now."""

from __future__ import annotations

import pytest

import killed
from killed import CALLS, KILLED
from on_gone import on_gone
from transcript import Shell


@pytest.fixture
def aside(shell: Shell, name: str) -> Shell:
    """A working copy `w` on the branch gone, where a session is put aside: a file of the branch changed, one new, one
    deleted, an executable, with words and who wrote them."""
    on_gone(shell, name)
    shell("session", "start", "Aside")
    shell("session", "note", "Dry soil")
    shell("session", "decide", "At night", "--why", "Cool")
    shell.write("rose", "3\n")
    shell.write("tulip", "red\n")
    shell.write("run.sh", "#!/bin/sh\n")
    (shell.cwd / "run.sh").chmod(0o755)
    (shell.cwd / "lily").unlink()
    shell("session", "wrote", "--as", "agent", "--name", "gardener")
    assert shell("session", "switch", "--none").startswith("Put aside: Aside\n")
    return shell


def named(shell: Shell) -> str:
    """The id of the session, as this working copy has it."""
    said = shell.run("session", "resume", "--latest")
    return next(word.strip("`.") for word in (said.stdout + said.stderr).split() if word.startswith("01M"))


def brought(shell: Shell) -> None:
    """Everything of it is here, on main."""
    found = shell.json("status")
    assert (found["branch"], found["position"]) == ("main", 1)
    assert [(each["path"], each["op"], each["mode"]) for each in found["changes"]] == [
        ("lily", "deleted", None), ("rose", "modified", "100644"), ("run.sh", "added", "100755"),
        ("tulip", "added", "100644"),
    ]  # fmt: skip
    assert (shell.read("rose"), shell.read("tulip")) == ("3\n", "red\n")
    session = shell.json("session", "status")["session"]
    assert session["goal"] == "Aside"
    assert [turn["text"] for turn in session["conversation"]] == ["Dry soil"]
    assert [(each["what"], each["why"]) for each in session["decisions"]] == [("At night", "Cool")]


def test_the_switch_names_it_and_resume_brings_it(aside: Shell) -> None:
    aside("branch", "delete", "gone")
    assert "`mic branch switch main` goes on with main" in aside("session", "resume", "--latest")
    said = aside.run("branch", "switch", "main")
    assert said.stdout == "Now on main @1: 1 file changed here.\n"
    session = said.stderr.split("`mic session resume ")[1].partition("`")[0]
    assert said.stderr == f"Put aside on gone: Aside. `mic session resume {session}` brings it here.\n"
    assert aside("session", "resume", session) == (
        "Resumed: Aside\nsession SESSION, base @1: 4 files, 1 note, 1 decision\n! Pushed: Aside\n"
    )
    brought(aside)
    assert aside("land") == "Landed @2: Aside (4 files)\n"
    assert "gardener" in aside("blame", "tulip")


def test_the_branch_goes_while_another_is_followed(aside: Shell, name: str) -> None:
    """While it is there, its name leads the way; then the session comes. `mic undo` takes that back."""
    aside("branch", "switch", "main")
    said = aside("session", "resume", "--latest")
    assert said.startswith(f"! mic: No session of yours was pushed to {name}/p.\n!      On gone one was put aside: ")
    session = named(aside)
    assert aside("session", "resume", session) == (
        "! mic: There is no session SESSION here, or you may not see it.\n"
        "!      It was put aside on gone: `mic branch switch gone` first.\n[4]\n"
    )
    aside("branch", "delete", "gone")
    assert aside("session", "switch", session[:12]).startswith("Resumed: Aside\n")
    brought(aside)
    assert aside("undo").startswith("Undone: mic session switch; your base is @1, 4 files changed here.\n")
    assert aside("status").endswith("No session is open.\nNothing changed.\n")
    assert aside("session", "resume", "--latest").startswith("Resumed: Aside\n")
    brought(aside)
    assert aside("session", "abandon").startswith("Abandoned: Aside\n")


def test_nothing_that_stands_here_is_touched(aside: Shell) -> None:
    aside("branch", "switch", "main")
    session = named(aside)
    aside("branch", "delete", "gone")
    aside.write("oak", "old\n")
    said = aside("session", "resume", session)
    assert "! mic: oak changed here, and would become part of the session.\n" in said
    assert aside("land", "Oaks").startswith("Landed @2: Oaks (1 file)\n")
    assert aside("session", "resume", session).startswith("Resumed: Aside\n")
    brought(aside)


def test_what_ended_on_the_branch_is_not_named(aside: Shell) -> None:
    """It landed there from here; only what was put aside comes."""
    session = aside.json("session", "list", "--resumable")["sessions"][0]["id"]
    aside("session", "resume", session)
    assert aside("land").startswith("Landed @3: Aside")
    aside("branch", "delete", "gone")
    assert aside("branch", "switch", "main") == "Now on main @1: 4 files changed here.\n"
    assert (
        aside("session", "resume", session) == "! mic: There is no session SESSION here, or you may not see it.\n[4]\n"
    )


def test_a_damaged_content_is_named(aside: Shell) -> None:
    aside("branch", "switch", "main")
    session = named(aside)
    aside("branch", "delete", "gone")
    aside("cache", "clear")
    # SHA-256 of "red\n"
    kept = aside.cwd / ".mic/ops/contents/6ace33171ce0acb6891e3cc311d75a97aa429d77c05cba600d49ed9652ed49de"
    kept.write_bytes(b"blue\n")
    said = aside("session", "resume", session)
    assert said == (
        "! mic: tulip of Aside cannot be brought back: "
        f"HOME/w/.mic/ops/contents/{kept.name} is damaged.\n"
        "!      What you put aside may be under .mic/kept as well.\n[1]\n"
    )
    assert aside("status").endswith("No session is open.\nNothing changed.\n")


def test_killed_again_and_again(aside: Shell) -> None:
    """Before each of its changes and each question to the forge, one further each time: it comes in the end, once."""
    aside("branch", "switch", "main")
    session = named(aside)
    aside("branch", "delete", "gone")
    environment = {**aside.environment, CALLS: "1"}
    for limit in range(200):
        done = killed.ran(aside.cwd, environment, limit, "session", "resume", session)
        if done.returncode != KILLED:
            break
        assert aside.run("status").returncode == 0
    assert done.returncode == 0, done.stderr
    assert limit > 10
    brought(aside)
    assert len(aside.json("session", "list", "--resumable")["sessions"]) == 1
