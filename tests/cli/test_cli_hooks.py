"""Hooks: run around sessions and landings, with what they are told; what a failing one stops; what none can do."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from forked import MIC
from transcript import Shell


@pytest.fixture
def place(shell: Shell, name: str) -> Path:
    """An empty project's working copy."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    return shell.cd("p")


def hook(place: Path, name: str, *lines: str, mode: int = 0o755) -> None:
    """Write a hook."""
    path = place / ".mic/hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(mode)


def test_they_are_told_where_they_are(shell: Shell, place: Path, name: str) -> None:
    names = ("HOOK", "SESSION_ID", "SESSION_GOAL", "PROJECT_ORG", "PROJECT_HANDLE", "USER_HANDLE", "LANDING_POSITION")
    told = f'echo "{"|".join(f"$MIC_{each}" for each in names)}"'
    for each in ("pre-session", "pre-land", "post-land"):
        hook(place, each, told, "pwd >&2")
    where = f"{name}|p|u{name}|"
    assert shell("session", "start", "Begin") == (
        f"Started: Begin\nsession SESSION, base @0\n! pre-session||Begin|{where}\n! HOME/p\n"
    )
    shell.write("deep/a", "a\n")
    shell.cd("p/deep")
    assert shell("land") == (
        "Landed @1: Begin (1 file)\n"
        f"! pre-land|SESSION|Begin|{where}\n! HOME/p\n! post-land|SESSION|Begin|{where}1\n! HOME/p\n"
    )
    shell.write("b", "b\n")
    done = shell.run("land", "Quick", "--json")
    assert done.stdout.count("\n") == 1
    assert f"pre-land||Quick|{where}" in done.stderr
    # A landing that opens a session for itself asks before that, and not again when it is tried again.
    assert next(line for line in done.stderr.splitlines() if "|" in line) == f"pre-session||Quick|{where}"


def test_whose_token_it_is(shell: Shell, place: Path, name: str) -> None:
    """A token of the environment comes before the sign-in, also in what a hook is told."""
    hook(place, "pre-session", 'echo "by $MIC_USER_HANDLE."')
    shell.environment["MICELIO_TOKEN"] = shell.forge.token(f"bot{name}")
    assert f"! by bot{name}.\n" in shell("session", "start", "Begin")


def test_no_session_is_opened_for_a_landing_against_its_hook(shell: Shell, place: Path) -> None:
    hook(place, "pre-session", 'test "$MIC_SESSION_GOAL" = allowed')
    shell.write("a", "a\n")
    assert shell("land", "Not this") == (
        "! mic: .mic/hooks/pre-session ended with 1.\n!      What it said is above; nothing was done.\n[1]\n"
    )
    assert shell.json("status")["session"] is None
    assert shell("land", "allowed") == "Landed @1: allowed (1 file)\n"


def test_a_failing_one_stops_and_may_change_files_before(shell: Shell, place: Path) -> None:
    hook(place, "pre-land", "echo checked >> log", "grep -q good a")
    shell.write("a", "bad\n")
    assert shell("land", "Try") == (
        "! mic: .mic/hooks/pre-land ended with 1.\n!      What it said is above; nothing was done.\n[1]\n"
    )
    assert shell.json("status")["session"] is None
    assert shell.json("land", "Try")["error"]["code"] == "hook_failed"
    shell.write("a", "good\n")
    assert shell("land", "Try") == "Landed @1: Try (2 files)\n"
    assert shell("cat", "log") == "checked\nchecked\nchecked\n"
    hook(place, "pre-session", "exit 3")
    assert shell("session", "start", "No").startswith("! mic: .mic/hooks/pre-session ended with 3.\n")
    assert shell.json("status")["session"] is None


def test_behind_a_landing_nothing_is_undone(shell: Shell, place: Path) -> None:
    hook(place, "post-land", "exit 1")
    shell.write("a", "a\n")
    assert shell("land", "A") == "Landed @1: A (1 file)\n! Landed all the same: .mic/hooks/post-land ended with 1.\n"


def test_nothing_to_land_and_hooks_that_call_mic(shell: Shell, place: Path) -> None:
    """A hook is not asked about nothing; in one, mic works and runs no hooks."""
    hook(place, "pre-land", f"{MIC} session note 'Checked' && {MIC} status >/dev/null")
    assert shell("land", "A").startswith("! mic: There is nothing to land")
    shell("session", "start", "A")
    shell.write("a", "a\n")
    assert shell("land").startswith("Landed @1: A (1 file)\n")
    assert shell("show").count("Checked") == 1


def test_what_cannot_be_run(shell: Shell, place: Path) -> None:
    shell.write("a", "a\n")
    hook(place, "pre-land", mode=0o644)
    assert shell("land", "A") == (
        "! mic: .mic/hooks/pre-land cannot be run.\n!      `chmod +x .mic/hooks/pre-land`, or take it away.\n[1]\n"
    )
    (place / ".mic/hooks/pre-land").write_bytes(b"\x00\x01")
    (place / ".mic/hooks/pre-land").chmod(0o755)
    assert shell("land", "A").startswith("! mic: .mic/hooks/pre-land cannot be run: Exec format error.\n")
    (place / ".mic/hooks/pre-land").unlink()
    (place / ".mic/hooks/pre-land").mkdir()
    folder = "! mic: .mic/hooks/pre-land is no program: a folder, or a link to nothing.\n!      Take it away.\n[1]\n"
    assert shell("land", "A") == folder


def test_where_standard_files_are_closed(shell: Shell, place: Path) -> None:
    """`mic land 2>&-`: what a hook says is nowhere, and does not fail."""
    hook(place, "pre-land", "echo out || exit 1", "echo err >&2 || exit 1")
    for closed in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        shell.write("a", f"{closed}\n")
        done = subprocess.run(
            ["sh", "-c", f'"$0" land A {closed}', str(MIC)], cwd=shell.cwd, env=shell.environment, check=False
        )
        assert done.returncode == 0, closed


def test_quiet_is_mic_and_not_its_hooks(shell: Shell, place: Path) -> None:
    """As git has it: what a program of yours says, you hear."""
    hook(place, "pre-land", "echo tested")
    shell.write("a", "a\n")
    assert shell("land", "A", "--quiet") == "! tested\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_it_ends_with_all_that_it_started(shell: Shell, place: Path, number: signal.Signals) -> None:
    shell.write("a", "a\n")
    hook(place, "pre-land", "echo $$ > pid", "sleep 1000 & wait")
    running = subprocess.Popen(
        [str(MIC), "land", "A"], cwd=shell.cwd, env=shell.environment, stderr=subprocess.PIPE, text=True
    )
    while not (place / "pid").exists() or not (place / "pid").read_text():
        time.sleep(0.05)
    running.send_signal(number)
    assert running.wait(20) == 128 + number
    group = int((place / "pid").read_text())
    left = subprocess.run(["ps", "-o", "stat=", "-g", str(group)], capture_output=True, text=True, check=False).stdout
    assert [state for state in left.split() if not state.startswith("Z")] == []


def test_one_that_lands_the_files_itself(shell: Shell, place: Path) -> None:
    """What it landed is what landed, whatever the goal of the command around it; the next one is its own again."""
    hook(place, "pre-land", f"test -e ../inner || {{ touch ../inner; {MIC} land Inner; }}")
    shell.write("a", "1\n")
    assert shell("land", "Outer") == "Landed @1 by .mic/hooks/pre-land: Inner\n! Landed @1: Inner (1 file)\n"
    (shell.home / "inner").unlink()
    shell("session", "start", "Named")
    shell.write("a", "1\n2\n")
    found = shell.json("land", "Outer")
    assert (found["goal"], found["position"], found["already_landed"]) == ("Named", 2, True)
    assert shell.json("status")["session"] is None
    shell.write("a", "2\n")
    assert shell("land", "Outer") == "Landed @3: Outer (1 file)\n"
    assert shell("land", "Other") == (
        "! mic: There is nothing to land: no file has changed since @3.\n!      Change a file first.\n[1]\n"
    )


def test_one_that_moves_the_base(shell: Shell, place: Path, name: str) -> None:
    """What was changed lands on the base that it leaves, not on the one that was there when the command began."""
    shell.write("a", "1\n2\n3\n")
    shell("land", "First")
    shell.cd(".")
    shell("clone", f"{name}/p", "other")
    shell.cd("other")
    shell.write("a", "theirs\n2\n3\n")
    shell("land", "Theirs")
    shell.cd("p")
    hook(place, "pre-land", f"{MIC} sync")
    shell.write("a", "1\n2\nmine\n")
    assert shell("land", "Mine").startswith("Landed @3: Mine (1 file)\n! Synced @1 to @2: ")
    assert shell.json("show", "@3")["session"]["base_position"] == 2
    assert shell("cat", "a") == "theirs\n2\nmine\n"
    assert shell("status").endswith("No session is open.\nNothing changed.\n")
