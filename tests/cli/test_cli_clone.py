"""Clones: into the right places, complete after a break, never over anybody's files."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from forge_process import Forge
from forked import MIC
from transcript import Shell, make_garden


@pytest.fixture
def garden(shell: Shell, name: str) -> Shell:
    """Somebody whose forge has NAME/garden with three landings."""
    make_garden(shell)
    assert shell.json("import", "git", "garden-git", f"{name}/garden")["commits"] == 3
    return shell


def test_by_host_and_by_address(garden: Shell, name: str) -> None:
    host = garden.forge.base_url.partition("//")[2]
    assert garden("clone", f"{host}/{name}/garden", "a").startswith(f"Cloned {name}/garden @3")
    assert garden("clone", f"{garden.forge.base_url}/{name}/garden", "b").startswith(f"Cloned {name}/garden @3")
    assert (garden.home / "b/README.md").read_text() == "# Garden\n\nRoses.\n\nMore roses.\n"


def test_at_a_landing(garden: Shell, name: str) -> None:
    """--ref takes what every command takes for a position; what landed since comes with a sync."""
    project, done = f"{name}/garden", f"Cloned {name}/garden"
    assert garden("clone", project, "two", "--ref", "@2") == f"{done} @2 in HOME/two: 4 files.\n"
    assert (garden.home / "two/README.md").read_text() == "# Garden\n\nRoses.\n"
    assert garden("clone", project, "one", "--ref", "@latest~2") == f"{done} @1 in HOME/one: 2 files.\n"
    assert garden("clone", project, "head", "--ref", "branch:main^", "--sparse", "src").startswith(f"{done} @2 in")
    assert garden("clone", project, "not", "--ref", "@9").startswith(
        "! mic: Position 9 does not exist; the newest is 3"
    )
    assert not (garden.home / "not").exists()
    assert garden("clone", project, "not", "--ref", "next").startswith(f"! mic: {project} has no branch 'next'.\n")
    garden.cd("one")
    assert garden("status").startswith(f"{project} at landing 1, from FORGE\n")
    assert garden("sync") == "Synced @1 to @3: 3 files brought in.\n"


def test_never_over_somebody_elses_files(garden: Shell, name: str) -> None:
    garden.write("mine/precious", "mine\n")
    assert garden("clone", f"{name}/garden", "mine") == (
        f"! mic: HOME/mine is not empty.\n!      Name another directory: `mic clone {name}/garden DIRECTORY`.\n[1]\n"
    )
    assert os.listdir(garden.home / "mine") == ["precious"]
    assert garden("clone", f"{name}/garden", "mine/precious").startswith("! mic: HOME/mine/precious is a file.\n")


def test_twice(garden: Shell, name: str) -> None:
    garden("clone", f"{name}/garden")
    assert garden("clone", f"{name}/garden") == (
        f"! mic: HOME/garden is a working copy of {name}/garden already.\n"
        "!      Use it: nothing is missing in it.\n[1]\n"
    )
    garden("project", "create", f"{name}/other")
    assert garden("clone", f"{name}/other", "garden") == (
        f"! mic: HOME/garden is a working copy of {name}/garden from FORGE.\n!      Name another directory.\n[1]\n"
    )


def test_a_broken_clone_is_completed(garden: Shell, name: str) -> None:
    """Files that are there stay, those that are missing come, and until then nothing can land."""
    garden("clone", f"{name}/garden")
    folder = garden.cd("garden")
    (folder / ".mic/incomplete").touch()
    (folder / ".mic/index").unlink()
    (folder / "README.md").unlink()
    kept = (folder / "run.sh").stat().st_mtime_ns
    assert garden("land", "x") == (
        "! mic: This working copy is not complete.\n"
        f"!      Run `mic clone {name}/garden HOME/garden` again: it completes it.\n[2]\n"
    )
    garden.cd(".")
    assert garden("clone", f"{name}/garden") == f"Completed {name}/garden @3 in HOME/garden: 4 files.\n"
    assert (folder / "run.sh").stat().st_mtime_ns == kept
    garden.cd("garden")
    assert garden("diff", "--name-only") == ""


def test_a_garbage_index_is_rebuilt(garden: Shell, name: str) -> None:
    garden("clone", f"{name}/garden")
    folder = garden.cd("garden")
    (folder / ".mic/index").write_bytes(b"garbage")
    assert garden.json("land", "x")["error"]["code"] == "corrupt_object"
    garden.cd(".")
    assert garden("clone", f"{name}/garden") == f"Completed {name}/garden @3 in HOME/garden: 4 files.\n"
    garden.cd("garden")
    assert garden("diff", "--name-only") == ""


def test_the_forge_goes_away_in_mid_clone(own_forge: Forge, tmp_path: Path) -> None:
    """Exit code 6 and the command that completes it; run again, it does."""
    shell = Shell(own_forge, tmp_path / "home", "ada")
    shell("org", "create", "acme")
    shell("project", "create", "acme/big")
    shell("clone", "acme/big", "first")
    folder = shell.cd("first")
    # Far more bytes than the lines and processes between forge and files hold at a time.
    for number in range(3000):
        (folder / f"file-{number:04}").write_bytes(os.urandom(20_000))
    assert shell.json("land", "Much")["files"] == 3000
    shell.cd(".")
    running = subprocess.Popen(
        [str(MIC), "clone", "acme/big"], cwd=shell.cwd, env=shell.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    target = shell.home / "big"
    while not (target.exists() and sum(1 for _ in target.iterdir()) > 20):
        assert running.poll() is None, running.communicate()
    # The client is held still while the forge is killed, so that it cannot have finished.
    running.send_signal(signal.SIGSTOP)
    own_forge.stop(signal.SIGKILL)
    running.send_signal(signal.SIGCONT)
    said, errors = running.communicate(timeout=60)
    assert running.returncode == 6, (said, errors)
    assert "mic: The forge cannot be reached" in errors
    assert "Run `mic clone acme/big` again: it completes what is there." in errors
    own_forge.start()
    assert shell("clone", "acme/big") == "Completed acme/big @1 in HOME/big: 3,000 files.\n"
    assert all((target / f"file-{n:04}").read_bytes() == (folder / f"file-{n:04}").read_bytes() for n in range(3000))


def test_interrupted_by_the_person(garden: Shell, name: str) -> None:
    """Ctrl-C while a device code waits: 130, and no credential is written."""
    (garden.home / ".config/mic/credentials.json").unlink()
    running = subprocess.Popen(
        [str(MIC), "auth", "login"], cwd=garden.cwd, env=garden.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("Waiting"):
            break
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 130
    assert not (garden.home / ".config/mic/credentials.json").exists()


def test_names_that_a_working_copy_must_not_hold(garden: Shell, name: str) -> None:
    """Kept in history, listed, not written, and not deleted by the next landing."""
    garden.cd("garden-git")
    tree = garden.git("mktree", "--missing", "-z").strip()
    blob = garden.git("hash-object", "-w", "README.md").strip()
    done = subprocess.run(
        ["git", "mktree"], cwd=garden.cwd, env=garden.environment, text=True, capture_output=True, check=True,
        input=f"100644 blob {blob}\tMIC~1\n100644 blob {blob}\tfine\n",
    )  # fmt: skip
    tree = done.stdout.strip()
    commit = garden.git("commit-tree", "-m", "Evil", tree).strip()
    garden.git("update-ref", "refs/heads/main", commit)
    garden.cd(".")
    garden("import", "git", "garden-git", f"{name}/evil")
    assert garden("clone", f"{name}/evil") == (
        f"Cloned {name}/evil @1 in HOME/evil: 1 file.\nnot written: MIC~1 (the short name of .mic on NTFS)\n"
    )
    assert sorted(os.listdir(garden.home / "evil")) == [".mic", "fine"]
    garden.cd("evil")
    garden.write("fine", "changed\n")
    assert garden("land", "Change") == "Landed @2: Change (1 file)\n"
    assert [item["path"] for item in garden.json("ls")["entries"]] == ["MIC~1", "fine"]
