"""What goes wrong is said in a sentence with a way out, with its exit code, and nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from forge_process import Forge
from transcript import Shell, make_garden


@pytest.fixture
def garden(shell: Shell, name: str) -> Shell:
    """A shell in a working copy of NAME/garden at @1."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("a", "1\n")
    assert shell("land", "First") == "Landed @1: First (1 file)\n"
    return shell


def test_landing_twice_says_where(garden: Shell) -> None:
    assert garden("land", "First") == "Already landed @1: First\n"
    assert garden("land") == "Already landed @1: First\n"
    assert garden.json("land")["already_landed"] is True


def test_landing_without_a_goal(garden: Shell) -> None:
    garden.write("new", "new\n")
    assert garden("land") == (
        "! mic: A session needs a goal.\n"
        '!      Say what you want to reach: `mic land "GOAL"`, or `mic session start "GOAL"` first.\n[2]\n'
    )


def test_landing_nothing(garden: Shell) -> None:
    said = "! mic: There is nothing to land: no file has changed since @1.\n!      Change a file first.\n[1]\n"
    assert garden("land", "Another") == said
    garden("session", "start", "Another")
    assert garden("land") == (
        "! mic: There is nothing to land: no file has changed since @1.\n"
        "!      Change a file first, or give the session up: `mic session abandon`.\n[1]\n"
    )
    assert garden.json("land")["error"]["code"] == "nothing_to_land"
    assert garden("session", "status").startswith("Another\n")


def test_a_landing_whose_answer_was_lost_is_found_again(garden: Shell) -> None:
    """The same session sent again lands once; edits made meanwhile stay on top of it."""
    garden("session", "start", "Second")
    kept = (garden.cwd / ".mic/session").read_bytes()
    saved = {name: (garden.cwd / ".mic" / name).read_bytes() for name in ("index", "config")}
    garden.write("a", "2\n")
    garden.write("b", "2\n")
    assert garden("land") == "Landed @2: Second (2 files)\n"
    # As if the machine had stopped right behind the forge's answer.
    (garden.cwd / ".mic/session").write_bytes(kept)
    for name, data in saved.items():
        (garden.cwd / ".mic" / name).write_bytes(data)
    garden.write("a", "3\n")
    assert garden("land") == (
        "Already landed @2: Second (2 files)\n"
        'not in it: 1 file changed here; `mic land "GOAL"` lands what is new\n[1]\n'
    )
    assert garden("diff").endswith("-2\n+3\n")
    assert garden("diff", "--name-only") == "a\n"
    assert garden("land", "Third") == "Landed @3: Third (1 file)\n"
    assert len(garden.json("log")["landings"]) == 3


def test_stopped_between_landing_and_putting_the_session_away(garden: Shell) -> None:
    garden("session", "start", "Second")
    session, config = (garden.cwd / ".mic/session"), (garden.cwd / ".mic/config")
    kept = session.read_bytes(), config.read_bytes()
    garden.write("a", "2\n")
    garden("land")
    session.write_bytes(kept[0])
    assert garden("land") == "Already landed @2: Second (1 file)\n"
    session.write_bytes(kept[0])
    config.write_bytes(kept[1])
    assert garden("land") == "Already landed @2: Second (1 file)\n"
    garden.write("a", "3\n")
    assert garden("land", "Third") == "Landed @3: Third (1 file)\n"


def test_no_session_is_open(garden: Shell) -> None:
    said = '! mic: No session is open here.\n!      `mic session start "GOAL"` starts one.\n[4]\n'
    assert garden("session", "note", "x") == said
    assert garden("session", "decide", "x") == said
    assert garden("session", "abandon") == said
    assert garden("session", "status") == said


def test_one_session_at_a_time(garden: Shell) -> None:
    garden("session", "start", "One")
    garden("session", "note", "Begun.")
    done = garden("op", "log")
    hook = garden.cwd / ".mic/hooks/pre-session"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\ntouch asked\n")
    hook.chmod(0o755)
    assert garden("session", "start", "Two") == (
        "! mic: A session is open: One.\n"
        "!      `mic land` or `mic session abandon` it first, or put it aside: `mic session switch --none`.\n[2]\n"
    )
    assert garden.json("session", "status")["session"]["goal"] == "One"
    # Nobody was asked, and there is nothing to undo.
    assert not (garden.cwd / "asked").exists()
    assert garden("op", "log") == done
    assert garden("undo").startswith("Undone: mic session note;")


def test_a_session_that_nobody_heard_of_leaves_nothing(garden: Shell) -> None:
    """Refused by the forge (no token), or for its goal: no session is open afterwards, and nothing can be undone."""
    done = garden("op", "log")
    assert garden("session", "start", "x" * 10_001).startswith(
        "! mic: A goal of 10001 characters; the limit is 10000.\n"
    )
    assert garden("op", "log") == done
    (garden.home / ".config/mic/credentials.json").unlink()
    assert garden("session", "start", "One") == (
        "! mic: You are not signed in at FORGE.\n!      Sign in with `mic auth login`.\n[5]\n"
    )
    assert garden.json("session", "status")["error"]["code"] == "not_found"
    assert garden("op", "log") == done


def test_empty_words(garden: Shell) -> None:
    assert garden.json("session", "start", " ")["error"]["code"] == "invalid_input"
    garden("session", "start", "One")
    assert garden.json("session", "note", " \n")["error"]["code"] == "invalid_input"
    assert garden.json("session", "decide", "x", "--over", ": why")["error"]["code"] == "invalid_input"
    assert garden.json("session", "status")["session"]["decisions"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lnd",), "! mic: There is no command `mic lnd`.\n!      Did you mean `mic land`"),
        (("auth", "lgin"), "! mic: There is no command `mic auth lgin`.\n!      Did you mean `mic auth login`?\n[2]\n"),
        (("xyzzy",), "! mic: There is no command `mic xyzzy`.\n!      `mic --help` lists the commands.\n[2]\n"),
        (("clone",), "! mic: Missing argument "),
        (("clone", "a"), "! mic: 'a' does not name a project.\n!      Use ORG/PROJECT, HOST/ORG/PROJECT or"),
        (("org", "list", "--instance", "http://a b:x"), "! mic: 'http://a b:x' is not the address of a forge.\n"),
        (("session", "start", " "), "! mic: A session needs a goal.\n"),
        (("session", "decide", " "), "! mic: A decision needs a sentence.\n"),
        (("session", "decide", "x", "--over", ":y"), "! mic: ':y' names no alternative.\n"),
        (("log", "-n", "x"), "! mic: Invalid value for '-n' / '--number'"),
        (("project", "create", "a/b", "--visibility", "secret"), "! mic: Invalid value for '--visibility'"),
    ],
)  # fmt: skip
def test_wrong_usage(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    got = shell(*arguments)
    assert got.startswith(said)
    assert got.endswith("[2]\n")


def test_usage_errors_as_json(shell: Shell) -> None:
    done = shell.run("lnd", "--json")
    assert (done.returncode, done.stderr) == (2, "")
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "invalid_input"
    assert error["message"] == "There is no command `mic lnd`."


def test_outside_of_a_working_copy(shell: Shell) -> None:
    said = "! mic: This is not a mic workspace.\n!      `mic clone ORG/PROJECT` makes one.\n[4]\n"
    for command in (["land", "x"], ["diff"], ["log"], ["session", "start", "x"]):
        assert shell(*command) == said


@pytest.mark.parametrize("token", ["wrong", "x" * 3000])
def test_a_wrong_token(shell: Shell, token: str) -> None:
    shell.environment["MICELIO_TOKEN"] = token
    done = shell.run("org", "list", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["error"]["code"] == "unauthenticated"
    assert token not in done.stdout + done.stderr
    assert shell("org", "list").endswith("\n!      MICELIO_TOKEN is set; unset it or replace it.\n[5]\n")
    assert shell.run("auth", "login", "--token-stdin", stdin=token + "\n").returncode == 5


def test_an_expired_token(shell: Shell) -> None:
    """One that was stored without a way to renew it."""
    path = shell.home / ".config/mic/credentials.json"
    kept = json.loads(path.read_text())
    kept["instances"][shell.forge.base_url]["expires_at"] = 1
    path.write_text(json.dumps(kept))
    assert shell("org", "list") == (
        "! mic: The token for FORGE has expired or was revoked.\n!      Sign in with `mic auth login`.\n[5]\n"
    )


def test_a_stranger_and_what_does_not_exist(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    """A private project is to a stranger what an absent one is, to the letter."""
    shell("project", "create", f"{name}/secret")
    for stranger in (Shell(forge, tmp_path / "stranger", f"s{name}"), Shell(forge, tmp_path / "nobody")):
        for command in (["clone"], ["log", "--project"], ["cat", "x", "--project"]):
            hidden = stranger(*command, f"{name}/secret")
            absent = stranger(*command, f"{name}/absent")
            assert hidden.replace("secret", "absent") == absent
            assert hidden.endswith("[4]\n")


def test_the_token_goes_to_no_other_host(shell: Shell) -> None:
    """MICELIO_TOKEN is for the instance that is chosen, not for whatever host a command names."""
    shell.environment["MICELIO_TOKEN"] = shell.forge.token("u-elsewhere")
    shell.environment["MICELIO_INSTANCE"] = "http://127.0.0.1:1"
    (shell.home / ".config/mic/credentials.json").unlink()
    assert shell("auth", "status", "--instance", shell.forge.base_url) == (
        "! mic: You are not signed in at FORGE.\n!      Sign in with `mic auth login --instance FORGE`.\n[5]\n"
    )


def test_nobody_answers(shell: Shell) -> None:
    shell.environment["MICELIO_INSTANCE"] = "http://127.0.0.1:1"
    assert shell("org", "list", ) == (
        "! mic: You are not signed in at http://127.0.0.1:1.\n!      Sign in with `mic auth login`.\n[5]\n"
    )  # fmt: skip
    assert shell("clone", "a/b") == (
        "! mic: The forge http://127.0.0.1:1 cannot be reached: Connection refused.\n"
        "!      Is it running? Is the address right? Then try again.\n[6]\n"
    )


def test_two_commands_at_once(garden: Shell) -> None:
    """The second waits a little, then says who is at work; nothing is changed."""
    garden.write("a", "2\n")
    with open(garden.cwd / ".mic/lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("`mic land` (process 4711)\n")
        lock.flush()
        assert garden("land", "x") == (
            "! mic: This workspace is in use by `mic land` (process 4711).\n"
            "!      Wait until it has ended, then try again.\n[1]\n"
        )
    assert garden("land", "x") == "Landed @2: x (1 file)\n"


def test_names_of_every_kind_land_and_come_back(garden: Shell, name: str) -> None:
    odd = [b"not utf-8 \xff\xfe", b"line\nbreak", "zażółć".encode(), b"-dash", b'quote"']
    for index, path in enumerate(odd):
        with open(os.path.join(os.fsencode(garden.cwd), path), "wb") as file:
            file.write(b"%d" % index)
    os.symlink("/etc/passwd", garden.cwd / "out")
    assert garden("land", "Odd") == "Landed @2: Odd (6 files)\n"
    changes = garden.json("show")["session"]["changes"]
    assert [change.get("path_bytes") for change in changes if "\ufffd" in change["path"]] == ["bm90IHV0Zi04IP/+"]
    garden.cd(".")
    assert garden("clone", f"{name}/garden", "again") == f"Cloned {name}/garden @2 in HOME/again: 7 files.\n"
    there = os.fsencode(garden.home / "again")
    assert [Path(os.fsdecode(os.path.join(there, path))).read_bytes() for path in odd] == [b"0", b"1", b"2", b"3", b"4"]
    assert os.readlink(garden.home / "again/out") == "/etc/passwd"


def test_control_characters_do_not_reach_the_terminal(garden: Shell) -> None:
    garden.write("a", "2\n")
    assert garden("land", "evil \x1b]0;title\x07 goal") == "Landed @2: evil \\x1b]0;title\\x07 goal (1 file)\n"
    assert "\x1b" not in garden.run("log").stdout + garden.run("show").stdout


def test_what_git_cannot_give(shell: Shell, name: str) -> None:
    (shell.home / "plain").mkdir()
    assert shell("import", "git", "plain", f"{name}/x") == (
        "! mic: HOME/plain is not a Git repository.\n!      Name the folder that holds `.git`, or a bare one.\n[4]\n"
    )
    assert shell("import", "git", "nowhere", f"{name}/x") == (
        "! mic: There is no Git repository at HOME/nowhere: the path does not exist.\n!      Check the path.\n[4]\n"
    )
    shell.write("garden.tar.zst", "\x28")
    assert shell("import", "git", "garden.tar.zst", f"{name}/x") == (
        "! mic: garden.tar.zst is a file, and no bundle of git's.\n"
        "!      What `mic export archive` made comes in with `mic import micelio garden.tar.zst`.\n[4]\n"
    )
    shell.git("init", "-q", "-b", "main", "empty")
    assert shell("import", "git", "empty", f"{name}/x") == (
        "! mic: The Git repository HOME/empty has no commit on its default branch.\n"
        "!      Commit something there first.\n[2]\n"
    )
    assert shell.json("project", "list", name)["projects"] == []


def test_a_detached_head_and_a_second_import(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell.cd("garden-git")
    shell.git("checkout", "-q", "--detach", "HEAD~1")
    shell.cd(".")
    assert shell("import", "git", "garden-git", f"{name}/x") == (
        f"Made the private project {name}/x.\n"
        f"Imported 2 commits of detached into {name}/x: it is at @2.\n"
        f"refs/heads/main is kept as refs/imported/heads/main.\nNext: mic clone {name}/x\n"
    )
    shell.cd("garden-git")
    shell.git("checkout", "-q", "main")
    shell.cd(".")
    assert shell("import", "git", "garden-git", f"{name}/x") == (
        f"Imported 1 commit of main into {name}/x: main moved from @2 to @3.\nNext: mic clone {name}/x\n"
    )
    shell.git("init", "-q", "-b", "main", "other")
    shell.cd("other")
    shell.git("commit", "-q", "--allow-empty", "-m", "Another beginning")
    shell.cd(".")
    assert shell("import", "git", "other", f"{name}/x") == (
        "! mic: The project has 3 landings, and nothing in common with this repository.\n"
        "!      Import into a new project.\n[2]\n"
    )


def test_an_import_from_an_address(shell: Shell, name: str) -> None:
    folder = make_garden(shell)
    assert shell("import", "git", f"file://{folder}", f"{name}/x", "--visibility", "public") == (
        f"Made the public project {name}/x.\n"
        f"Imported 3 commits of main into {name}/x: it is at @3.\nNext: mic clone {name}/x\n"
        "! Fetching file://HOME/garden-git ...\n"
    )
    failed = shell("import", "git", f"file://user:secret@{folder}/absent", f"{name}/y")
    assert "secret" not in failed
    assert "! mic: git could not fetch file://" in failed
    assert failed.endswith("[2]\n")
    done = shell.run("import", "git", "ext::sh -c 'touch pwned'://x", f"{name}/y")
    assert done.returncode == 2
    assert not (shell.cwd / "pwned").exists()


def test_a_repository_that_ends_in_the_middle(shell: Shell, name: str) -> None:
    """Nothing becomes visible; mended, the same command does it."""
    folder = make_garden(shell)
    shell.cd("garden-git")
    blob = shell.git("rev-parse", "HEAD:README.md").strip()
    shell.cd(".")
    damaged = folder / ".git/objects" / blob[:2] / blob[2:]
    kept = damaged.read_bytes()
    damaged.unlink()
    said = shell("import", "git", "garden-git", f"{name}/x")
    assert f"Git object {blob} cannot be read" in said
    assert said.endswith("[1]\n")
    assert shell.json("project", "list", name)["projects"] == []
    damaged.write_bytes(kept)
    assert shell.json("import", "git", "garden-git", f"{name}/x")["position"] == 3


def test_a_project_is_chosen_when_there_is_one_choice(shell: Shell, name: str) -> None:
    make_garden(shell)
    assert shell.json("import", "git", "garden-git")["project"] == f"{name}/garden-git"
    assert shell("org", "create", f"{name}b") == f"Made the organization {name}b.\n"
    assert shell("import", "git", "garden-git") == (
        "! mic: It is not clear which project to import into.\n"
        f"!      Name it: `mic import git garden-git ORG/PROJECT`. Yours are: {name}, {name}b.\n[2]\n"
    )
