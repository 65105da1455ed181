"""kill -9 at moments of each writing command: the next command works, and in the end nothing is lost or half done."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import killed
from inside import NOBODY
from killed import KILLED, some
from test_cli_secrets import KEY, NAME
from transcript import Shell
from transcripts import GARDEN, lines


def ran(shell: Shell, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mic` here, ended before change number `limit` of a name."""
    return killed.ran(shell.cwd, shell.environment, limit, *arguments)


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


def again(shell: Shell, look: tuple[str, ...], *command: str) -> None:
    """Kill a command at some changes, each time in a copy of what stands here; the same again, and all looks alike."""
    folder = shell.cwd
    begun = shell.home / "begun"
    shutil.copytree(folder, begun, symlinks=True)
    shell.cd("begun")
    counted = ran(shell, -1, *command)
    assert counted.returncode == 0, counted.stderr
    expected, standing, changes = shell(*look), files(begun), int(counted.stderr.splitlines()[-1])
    for limit in range(changes) if os.environ.get("KILL_EVERY") else {0, changes - 1}:
        copy = shell.home / f"at{limit}"
        shutil.copytree(folder, copy, symlinks=True)
        shell.cd(copy.name)
        # With contents that this machine has by now, there is less to do.
        assert ran(shell, limit, *command).returncode in (KILLED, 0), limit
        done = shell.run(*command)
        assert done.returncode in (0, 2, 4), (limit, done.stderr)
        assert len(done.stderr.splitlines()) <= 3, done.stderr
        assert (shell(*look).replace(copy.name, "begun"), files(copy)) == (expected, standing), limit
        shutil.rmtree(copy)
    shutil.rmtree(begun)
    shell.cwd = folder


def test_words_are_taken_back(prepared: Shell) -> None:
    """The decision that is named is gone, and no other one."""
    for what in ("So", "Then", "Or"):
        prepared("session", "decide", what)
    again(prepared, ("session", "show"), "session", "undecide", "3")


def test_who_wrote(prepared: Shell) -> None:
    again(prepared, ("session", "show"), "session", "wrote", "c", "--name", "claude-opus")


def test_redo(prepared: Shell) -> None:
    prepared("goto", "@1")
    prepared("undo")
    again(prepared, ("status",), "redo")


def test_a_folder_more_and_less(prepared: Shell) -> None:
    prepared("session", "switch", "--none")
    prepared("sparse", "set", "/")
    again(prepared, ("sparse", "list"), "sparse", "add", "deep")
    prepared("sparse", "add", "deep")
    again(prepared, ("sparse", "list"), "sparse", "remove", "deep")


def test_what_waits_is_dropped(prepared: Shell) -> None:
    """A landing becomes the open session again, once; a push is forgotten, and what it was of stays here."""
    prepared.environment |= {"http_proxy": NOBODY, "no_proxy": ""}
    prepared("session", "push")
    again(prepared, ("session", "show"), "pending", "drop", "1")
    prepared("pending", "drop", "1")
    prepared("land")
    prepared.write("c", "more\n")
    prepared("land", "More")
    again(prepared, ("session", "show"), "pending", "drop", "1")


def test_a_secret_is_allowed(prepared: Shell) -> None:
    prepared.write("key.txt", f"{KEY}\n")
    assert "looks like a secret" in prepared.run("land").stderr
    again(prepared, ("secrets", "list"), "secrets", "allow", NAME, "--reason", "A key made for a test")


def test_settings_of_this_machine(prepared: Shell) -> None:
    """One at a time: the file is as it was, or as it was to be."""
    for limit, command, look in (
        (0, ("config", "set", "cache.blob_ttl_days", "9"), ("config", "list")),
        (0, ("config", "set", "cache.tree_ttl_days", "9"), ("config", "list")),
        (0, ("config", "unset", "cache.tree_ttl_days"), ("config", "list")),
        (0, ("remote", "add", "there", "/nowhere"), ("remote", "list")),
        (0, ("remote", "set-url", "there", "/elsewhere"), ("remote", "list")),
        (0, ("remote", "remove", "there"), ("remote", "list")),
        (2, ("cache", "clear"), ("cache", "size")),
    ):
        counted = ran(prepared, limit, *command)
        assert counted.returncode == KILLED, counted.stderr
        assert prepared.run(*look).returncode == 0
        done = prepared.run(*command)
        assert done.returncode == 0, done.stderr
    assert "cache.blob_ttl_days   9\ncache.tree_ttl_days   7  (not set)\n" in prepared("config", "list")
    assert "there" not in prepared("remote", "list")
    assert prepared.json("cache", "size")["bytes"] == 0


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


def elsewhere(shell: Shell, name: str) -> None:
    """Somebody else lands: a third version of `a`, a new file, and one less."""
    shell.cd(".")
    shell("clone", f"{name}/p", "other")
    shell.cd("other")
    shell.write("a", "a three\n")
    shell.write("f", "f\n")
    (shell.cwd / "deep/d").unlink()
    assert shell("land", "Three") == "Landed @3: Three (3 files)\n"


def test_sync_gently(prepared: Shell, name: str) -> None:
    elsewhere(prepared, name)
    moments(prepared, ("sync", "--auto-merge"))


def test_sync_of_a_path(prepared: Shell, name: str) -> None:
    elsewhere(prepared, name)
    moments(prepared, ("sync", "--path", "a", "--path", "deep", "--path", "f"))


def test_switch_of_a_branch(prepared: Shell) -> None:
    prepared("session", "switch", "--none")
    prepared("branch", "create", "winter", "--from", "@1")
    moments(prepared, ("branch", "switch", "winter"))


def test_the_whole_project(prepared: Shell) -> None:
    prepared("session", "switch", "--none")
    prepared("sparse", "set", "deep")
    moments(prepared, ("sparse", "all"))


def test_land(prepared: Shell) -> None:
    """It lands once, whenever it was stopped; the next command knows."""
    moments(prepared, ("land",))
    prepared.cd("begun")
    assert [item["goal"] for item in prepared.json("log")["landings"]] == ["Mine", "Two", "One"]


def test_a_session_begins_and_ends(prepared: Shell) -> None:
    """There is one, or there is none, and the next command goes on from there."""
    prepared("session", "abandon")
    for words in (("session", "start", "Again"), ("session", "decide", "So"), ("session", "abandon")):
        counted = ran(prepared, -1, *words)
        assert counted.returncode == 0, counted.stderr
        prepared("undo")
        for limit in some(int(counted.stderr.splitlines()[-1])):
            assert ran(prepared, limit, *words).returncode in (KILLED, 0, 2, 4)
            assert prepared.run("status").returncode == 0
            assert "Traceback" not in prepared.run(*words).stderr
        if words[1] == "start":
            assert prepared.json("status")["session"]["goal"] == "Again"
    assert prepared.json("status")["session"] is None
    assert prepared.read("new") == "new\n"


@pytest.mark.parametrize("how", ["clone", "checkout", "link", "init"])
def test_a_working_copy_is_made(shell: Shell, name: str, how: str) -> None:
    """Stopped at any moment, the same command makes it whole; what stood in the folder stands there."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "first")
    shell.cd("first")
    for file in ("a", "deep/b"):
        shell.write(file, f"{file}\n")
    shell("land", "One")
    shell.cd(".")

    def command(folder: str, project: str) -> tuple[str, ...]:
        if how in ("clone", "checkout"):
            return how, f"{name}/p", folder
        (shell.home / folder).mkdir(exist_ok=True)
        shell.cd(folder)
        shell.write("a", "a\n")
        return (how, f"{name}/p") if how == "link" else (how, f"{name}/{project}")

    counted = ran(shell, -1, *command("counted", "i"))
    assert counted.returncode == 0, counted.stderr
    shell.cd("counted")
    expected, said = files(shell.home / "counted"), shell.json("status")
    for limit in some(int(counted.stderr.splitlines()[-1])):
        shell.cd(".")
        words = command(f"at{limit}", f"i{limit}")
        code = ran(shell, limit, *words).returncode
        assert code in (KILLED, 0), limit
        again = shell.run(*words)
        if code == KILLED and again.returncode:
            assert again.returncode in (1, 2), (limit, again.stderr)
            assert "Traceback" not in again.stderr
            if "ties this folder to it" in again.stderr:
                assert shell.run("link", words[1]).returncode == 0
        shell.cd(f"at{limit}")
        assert files(shell.cwd) == expected, (limit, again.stderr)
        now = shell.json("status")
        assert [now[field] for field in ("position", "changes")] == [said["position"], said["changes"]], limit


def test_settings_and_remotes(prepared: Shell, tmp_path: Path) -> None:
    """A file is the old one or the new one; what was fetched half way is fetched again."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "there.git")], check=True)
    for words in (
        ("config", "set", "cache.max_size_gb", "5"), ("remote", "add", "there", str(tmp_path / "there.git")),
        ("push", "there"), ("fetch", "there"),
    ):  # fmt: skip
        counted = ran(prepared, -1, *words)
        assert counted.returncode == 0, (words, counted.stderr)
        for limit in some(int(counted.stderr.splitlines()[-1])) if counted.stderr.splitlines()[-1] != "0" else ():
            if words[0] == "push":
                # A push that was killed early has not made it.
                shutil.rmtree(prepared.cwd / ".mic/git", ignore_errors=True)
            assert ran(prepared, limit, *words).returncode in (KILLED, 0, 1), (words, limit)
            assert prepared.run("config", "list").returncode == 0
            assert prepared.run("remote", "list").returncode == 0
        done = prepared.run(*words)
        assert done.returncode == 0 or "already" in done.stderr, (words, done.stderr)
    assert prepared("remote", "show", "there").splitlines()[1].startswith("  there/main  ")


def test_a_project_goes_out_and_comes_in(prepared: Shell, name: str) -> None:
    """An export is whole or not there under its name; an import is a project or none."""
    out = prepared.home / "p.tar.zst"
    counted = ran(prepared, -1, "export", "archive", f"{name}/p", str(out))
    assert counted.returncode == 0, counted.stderr
    whole_one = out.stat().st_size
    for limit in some(int(counted.stderr.splitlines()[-1])):
        out.unlink(missing_ok=True)
        ran(prepared, limit, "export", "archive", f"{name}/p", str(out))
        assert not out.exists() or out.stat().st_size == whole_one
    out.unlink(missing_ok=True)
    assert prepared.run("export", "archive", f"{name}/p", str(out)).returncode == 0
    assert not [each for each in prepared.home.iterdir() if each.name.endswith("part")]
    assert ran(prepared, 0, "import", "micelio", str(out), f"{name}/back").returncode in (KILLED, 0)
    if prepared.run("project", "show", f"{name}/back").returncode:
        assert prepared.run("import", "micelio", str(out), f"{name}/back").returncode == 0
    assert [item["goal"] for item in prepared.json("log", "--project", f"{name}/back")["landings"]] == ["Two", "One"]
