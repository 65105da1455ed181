"""A project taken away as a Git repository and as a bundle: the ids are those that were brought."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from forge_process import Forge
from forked import MIC
from transcript import Shell, make_garden


def _pushed(shell: Shell, forge: Forge, name: str) -> str:
    """The project of a repository with a merge, a side branch, an annotated tag and notes; its refs."""
    make_garden(shell)
    shell("project", "create", f"{name}/garden", "--visibility", "private")
    shell("auth", "setup-git")
    shell.cd("garden-git")
    shell.git("checkout", "-qb", "side", "HEAD~1")
    shell.write("side", "side\n")
    shell.git("add", "-A")
    shell.git("commit", "-qm", "Side")
    shell.git("checkout", "-q", "main")
    shell.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    shell.git("tag", "-a", "-m", "First", "v1", "HEAD~1")
    shell.git("notes", "add", "-m", "A note")
    shell.git("push", "-q", f"{forge.base_url}/{name}/garden", "--mirror")
    refs = shell.git("for-each-ref", "--format=%(objectname) %(refname)")
    shell.cd(".")
    return refs


def test_a_folder_and_a_bundle(shell: Shell, forge: Forge, name: str) -> None:
    """Both have every ref and object of the repository that was pushed."""
    refs = _pushed(shell, forge, name)
    assert shell("export", "git", "out.git", "--project", f"{name}/garden") == (
        f"Exported {name}/garden to out.git: 4 refs, 4 landings, checked with git fsck --strict.\n"
        "Next: git clone out.git\n"
        f"! Fetching {name}/garden ...\n! Checking ...\n"
    )
    assert shell.git("-C", "out.git", "for-each-ref", "--format=%(objectname) %(refname)") == refs
    listed = ("cat-file", "--batch-all-objects", "--batch-check")
    assert shell.git("-C", "out.git", *listed) == shell.git("-C", "garden-git", *listed)
    assert shell.git("-C", "out.git", "symbolic-ref", "HEAD") == "refs/heads/main\n"
    # The project may stand before the place, as with every other export.
    found = shell.json("export", "bundle", f"{name}/garden", "out.bundle")
    assert {f"{oid} {ref}" for ref, oid in found["refs"].items()} == set(refs.splitlines())
    assert (found["landings"], found["fsck"]) == (4, [])
    shell.git("clone", "-q", "--mirror", "out.bundle", "again.git")
    assert shell.git("-C", "again.git", *listed) == shell.git("-C", "garden-git", *listed)
    assert [path.name for path in shell.home.glob("*.mic-part")] == []


def test_a_project_and_a_place_are_asked_for(shell: Shell, name: str) -> None:
    for words in ((), ("a/b", "c", "d"), ("a/b", "c", "--project", "a/b")):
        assert shell("export", "git", *words) == (
            "! mic: Say `[ORG/PROJECT] DIR`.\n!      See `mic export git --help`.\n[2]\n"
        )
    assert shell("export", "git", f"{name}/none", "out.git").startswith(f"! mic: There is no project {name}/none")


def test_a_bundle_comes_back(shell: Shell, forge: Forge, name: str) -> None:
    """What was taken away as one file is imported from it, with the same ids; a file that only begins as one is not."""
    refs = _pushed(shell, forge, name)
    shell("export", "bundle", "out.bundle", "--project", f"{name}/garden")
    assert shell.json("import", "git", "out.bundle", f"{name}/back")["position"] == 4
    shell.git("clone", "-q", "--mirror", f"{forge.base_url}/{name}/back", "back.git")
    assert shell.git("-C", "back.git", "for-each-ref", "--format=%(objectname) %(refname)") == refs
    listed = ("cat-file", "--batch-all-objects", "--batch-check")
    assert shell.git("-C", "back.git", *listed) == shell.git("-C", "garden-git", *listed)
    shell.write("bad.bundle", "# v2 git bundle\nnothing of the kind\n")
    said = shell("import", "git", "bad.bundle", f"{name}/bad")
    assert said.startswith("! mic: git could not fetch bad.bundle")
    assert "bad" not in [project["handle"] for project in shell.json("project", "list", name)["projects"]]


def test_some_refs(shell: Shell, forge: Forge, name: str) -> None:
    """Patterns choose; what is none is refused."""
    _pushed(shell, forge, name)
    found = shell.json(
        "export", "git", "out", "--project", f"{name}/garden", "--refs", "refs/tags/*", "--refs", "refs/heads/side"
    )
    assert sorted(found["refs"]) == ["refs/heads/side", "refs/tags/v1"]
    assert "'--upload-pack=x' is no pattern of refs." in shell(
        "export", "git", "no", "--project", f"{name}/garden", "--refs=--upload-pack=x"
    )


def test_what_mic_landed(shell: Shell, name: str) -> None:
    """From its workspace, without naming the project; whatever hash git makes by default, and whatever GIT_DIR says."""
    shell("project", "create", f"{name}/own")
    shell("clone", f"{name}/own")
    shell.cd("own")
    shell.write("a", "1\n")
    shell("land", "One")
    shell.environment |= {"GIT_DEFAULT_HASH": "sha256", "GIT_DIR": "/nowhere"}
    said = shell("export", "git", "../own.git")
    assert said.startswith(f"Exported {name}/own to ../own.git: 2 refs, 1 landing, checked with git fsck --strict.\n")
    done = subprocess.run(
        ["git", "log", "--format=%s %cn", "main"],
        cwd=shell.home / "own.git",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "One mic\n"


def test_who_wrote_what(shell: Shell, name: str) -> None:
    """Notes come along unless refs are chosen; Agent Trace records where they are asked for, and imported again."""
    shell("project", "create", f"{name}/own")
    shell("clone", f"{name}/own")
    shell.cd("own")
    shell.write("a", "1\n2\n")
    shell("land", "One", "--agent", "claude-code:claude-opus-4-5")
    shell.write("a", "1\n2\n3\n")
    shell("land", "Two")
    found = shell.json("export", "git", "../own.git", "--traces", "../own.jsonl")
    assert sorted(found["refs"]) == ["refs/heads/main", "refs/notes/ai"]
    assert found["traces"] == 2
    shell.cd(".")
    two, one = shell.git("-C", "own.git", "rev-list", "main").split()
    assert shell.git("-C", "own.git", "notes", "--ref=ai", "show", one).startswith("a\n  s_")
    traces = [json.loads(line) for line in shell.read("own.jsonl").splitlines()]
    assert [trace["vcs"]["revision"] for trace in traces] == [two, one]
    (talk,) = traces[1]["files"][0]["conversations"]
    assert talk["contributor"] == {"type": "ai", "model_id": "anthropic/claude-opus-4-5"}
    assert talk["ranges"] == [{"start_line": 1, "end_line": 2}]
    assert f"/{name}/own/-/sessions/" in talk["url"]
    (talk,) = traces[0]["files"][0]["conversations"]
    assert (talk["contributor"], talk["ranges"]) == ({"type": "human"}, [{"start_line": 3, "end_line": 3}])
    own = ("--project", f"{name}/own")
    assert sorted(shell.json("export", "git", "bare", "--no-notes", *own)["refs"]) == ["refs/heads/main"]
    bundled = shell.json("export", "bundle", "own.bundle", "--traces", "again.jsonl", *own)
    assert sorted(bundled["refs"]) == ["refs/heads/main", "refs/notes/ai"]
    assert shell.read("again.jsonl") == shell.read("own.jsonl")
    assert "own.jsonl is there already." in shell("export", "git", "no", "--traces", "own.jsonl", *own)
    # Brought into another project, both landings have whom they had.
    said = shell("import", "git", "own.git", f"{name}/copy")
    assert "refs/notes/ai" in said
    shell("export", "git", "copy.git", "--project", f"{name}/copy")
    for commit in (one, two):
        note = ("notes", "--ref=ai", "show", commit)
        assert shell.git("-C", "copy.git", *note) == shell.git("-C", "own.git", *note)
    agents = [item["agent"] for item in shell.json("log", "--project", f"{name}/copy")["landings"]]
    assert agents == ["", "claude-code:claude-opus-4-5"]


def test_nothing_is_written_over(shell: Shell, forge: Forge, name: str) -> None:
    """What is there stays; what cannot be leaves nothing behind."""
    shell("project", "create", f"{name}/empty", "--visibility", "private")
    shell.write("full/file", "mine\n")
    project = ("--project", f"{name}/empty")
    assert shell("export", "git", "full", *project) == (
        "! mic: full is there already and is no empty folder.\n!      Name a new one.\n[1]\n"
    )
    assert shell("export", "bundle", "full/file", *project) == (
        "! mic: full/file is there already.\n!      Name a new file.\n[1]\n"
    )
    assert shell("export", "git", "no/such/folder", *project) == (
        "! mic: Nothing can be written in HOME/no/such: No such file or directory.\n!      Name another place.\n[2]\n"
    )
    assert f"! mic: {name}/empty has no commit, and Git makes no empty bundle." in shell(
        "export", "bundle", "empty.bundle", *project
    )
    os.mkdir(shell.home / "ready")
    assert f"Exported {name}/empty to ready: 0 refs, 0 landings" in shell("export", "git", "ready", *project)
    nobody = Shell(forge, shell.home / "nobody")
    assert nobody("export", "git", "theirs", *project).endswith("[4]\n")
    assert [path.name for path in nobody.home.iterdir() if path.name.startswith("theirs")] == []
    assert shell.read("full/file") == "mine\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_ended_half_way_and_done_again(shell: Shell, forge: Forge, name: str, number: signal.Signals) -> None:
    """Nothing has the name that was asked for; what `kill -9` leaves stands beside it until it is done again."""
    _pushed(shell, forge, name)
    programs = shell.home / "programs"
    programs.mkdir()
    slow = f'#!/bin/sh\ncase "$*" in *" fetch "*) echo $$ > {programs}/begun; exec sleep 1000;; esac\n'
    (programs / "git").write_text(f'{slow}exec {shutil.which("git")} "$@"\n')
    (programs / "git").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    for words in (("export", "git", f"{name}/garden", "out"), ("export", "bundle", f"{name}/garden", "out")):
        running = subprocess.Popen(
            [str(MIC), *words], cwd=shell.cwd, env=shell.environment | {"PATH": path}, stderr=subprocess.DEVNULL
        )
        while not ((programs / "begun").exists() and (programs / "begun").read_text()):
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(number)
        assert running.wait(30) == (-number if number == signal.SIGKILL else 128 + number)
        if number == signal.SIGKILL:
            os.kill(int((programs / "begun").read_text()), signal.SIGKILL)  # git, which goes on by itself
        left = ["out.mic-part"] if number == signal.SIGKILL else []
        assert [each.name for each in shell.home.glob("*out*")] == left
        assert shell(*words).startswith(f"Exported {name}/garden to out: 4 refs, 4 landings, ")
        assert [each.name for each in shell.home.glob("*out*")] == ["out"]
        shell.git("ls-remote", "out")
        shutil.rmtree(shell.home / "out") if words[1] == "git" else (shell.home / "out").unlink()
        (programs / "begun").unlink()


def test_what_stands_where_it_would_be_made(shell: Shell, forge: Forge, name: str) -> None:
    """It is somebody's, and no command takes it away or goes through it."""
    _pushed(shell, forge, name)
    shell.write("out.mic-part/mine", "mine\n")
    said = "! mic: HOME/out.mic-part holds other things.\n!      Move it away, then repeat.\n[1]\n"
    assert shell("export", "git", f"{name}/garden", "out") == said
    assert shell.read("out.mic-part/mine") == "mine\n"
    os.symlink("out.mic-part", shell.home / "link.mic-part")
    said = "! mic: HOME/link.mic-part is no folder.\n!      Move it away, then repeat.\n[1]\n"
    assert shell("export", "git", f"{name}/garden", "link") == said
