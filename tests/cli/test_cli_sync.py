"""The way out of a clash, as it looks at a terminal: sync, mend, land."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forked import MIC
from transcript import Shell

TEN = "".join(f"{number}\n" for number in range(10))


@pytest.fixture
def two(shell: Shell, name: str) -> Shell:
    """NAME/shared at @1 with `list`, `logo`, `gone` and `other`, cloned as `one` and as `two`."""
    shell("project", "create", f"{name}/shared")
    shell("clone", f"{name}/shared", "one")
    folder = shell.cd("one")
    shell.write("list", TEN)
    shell.write("other", "old\n")
    shell.write("gone", "old\n")
    (folder / "logo").write_bytes(b"\0base")
    assert shell("land", "Begin") == "Landed @1: Begin (4 files)\n"
    shell.cd(".")
    shell("clone", f"{name}/shared", "two")
    shell.cd("two")
    return shell


def elsewhere(shell: Shell, goal: str, change: Callable[[], None]) -> None:
    """Somebody else lands: `change` happens in `one`, brought up to date first."""
    shell.cd("one")
    shell("sync")
    change()
    assert shell("land", goal).startswith("Landed @")
    shell.cd("two")


def me(shell: Shell) -> str:
    """Who is signed in."""
    return f"u{shell.json('status')['organization']}"


def without_landings(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The conflicts of a document without whose they are."""
    return [{name: value for name, value in each.items() if name != "landings"} for each in found["conflicts"]]


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a working copy."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".mic" not in path.parts
    }


MARKED = (
    "<<<<<<< yours\nmine\n||||||| base @1\n0\n=======\ntheirs\n>>>>>>> theirs @2\n"
    + "".join(f"{number}\n" for number in range(1, 9))
    + "nine\n"
)


def test_from_clash_to_landing(two: Shell) -> None:
    """Clash, sync, marked lines, refused, mended, landed."""
    elsewhere(two, "Theirs", lambda: two.write("list", TEN.replace("0\n", "theirs\n")))
    two("session", "start", "Mine")
    two.write("list", TEN.replace("0\n", "mine\n").replace("9\n", "nine\n"))
    assert two("land").endswith(
        "!      Run `mic sync`, mend what it marks, land again. `mic show @2` says what the other side meant.\n[3]\n"
    )
    assert two("sync") == (
        "Synced @1 to @2: 0 files brought in.\n"
        "clash: list, between the marked lines (before: .mic/kept/2/list)\n"
        f"  @2 Theirs ({me(two)})\n"
        "Mend the marked lines or `mic resolve` them (without a terminal: `mic resolve PATH --hunk N=theirs`), "
        "then `mic land`. `mic sync --abort` undoes this sync.\n"
        "[3]\n"
    )
    assert two.read("list") == MARKED
    assert two.read(".mic/kept/2/list") == TEN.replace("0\n", "mine\n").replace("9\n", "nine\n")
    assert two("status").splitlines()[1:] == [
        "Session: Mine (started just now)",
        "Clashes:",
        "  list: marked lines to mend",
        "Changed:",
        "  M list",
    ]
    assert "mic sync --abort" in two()
    refused = (
        "! mic: 1 file still has the marked lines of a sync:\n"
        "!   list\n"
        "!      Mend them and remove the markers, or choose by place: `mic resolve PATH --hunk N=theirs`. "
        "`mic sync --ours PATH` or `--theirs PATH` takes one side whole.\n"
        "[3]\n"
    )
    assert two("land") == refused
    assert two("sync") == refused
    assert two.json("land")["error"]["unresolved"] == [{"path": "list"}]
    assert two.json("land")["error"]["code"] == "unresolved"
    two.write("list", "mine and theirs\n" + "".join(f"{number}\n" for number in range(1, 9)) + "nine\n")
    assert "Clashes" not in two("status")
    assert two("land") == "Landed @3: Mine (1 file)\n"
    assert not (two.cwd / ".mic/conflicts").exists()
    assert two("diff") == ""


def test_clean_merges_and_what_only_others_changed(two: Shell) -> None:
    def change() -> None:
        two.write("list", TEN.replace("0\n", "top\n"))
        two.write("other", "new\n")
        two.write("deep/fresh", "fresh\n")
        (two.cwd / "gone").unlink()

    elsewhere(two, "Much", change)
    two.write("list", TEN.replace("9\n", "bottom\n"))
    (two.cwd / "list").chmod(0o755)
    two.write("mine", "mine\n")
    assert two("sync") == ("Synced @1 to @2: 3 files brought in.\nmerged: list (before: .mic/kept/2/list)\n")
    assert files(two.cwd) == {
        "deep/fresh": b"fresh\n",
        "list": TEN.replace("0\n", "top\n").replace("9\n", "bottom\n").encode(),
        "logo": b"\0base",
        "mine": b"mine\n",
        "other": b"new\n",
    }
    assert os.access(two.cwd / "list", os.X_OK)
    assert two("diff", "--name-only") == "list\nmine\n"
    assert two("sync") == "Nothing new: your base @2 is the newest landing.\n"
    assert two("land", "Mine") == "Landed @3: Mine (2 files)\n"


def test_the_same_change_on_both_sides_is_none(two: Shell) -> None:
    def change() -> None:
        two.write("other", "same\n")
        two.write("fresh", "same\n")
        (two.cwd / "gone").unlink()

    elsewhere(two, "Same", change)
    change()
    assert two("session", "sync") == "Synced @1 to @2: 0 files brought in.\n"
    assert two("diff") == ""


def test_deleted_on_one_side_changed_on_the_other(two: Shell) -> None:
    def change() -> None:
        (two.cwd / "other").unlink()
        two.write("gone", "theirs\n")

    elsewhere(two, "Theirs", change)
    two.write("other", "mine\n")
    (two.cwd / "gone").unlink()
    assert two("sync") == (
        "Synced @1 to @2: 0 files brought in.\n"
        "kept yours: gone, deleted here, changed there\n"
        f"  @2 Theirs ({me(two)})\n"
        "kept yours: other, changed here, deleted there\n"
        f"  @2 Theirs ({me(two)})\n"
        "`mic cat PATH @2` shows theirs, `mic sync --theirs PATH` takes it, `mic sync --ours PATH` settles for yours. "
        "`mic sync --abort` undoes this sync.\n"
        "[3]\n"
    )
    assert two("cat", "gone", "@2") == "theirs\n"
    assert "  gone: yours stands over @2\n  other: yours stands over @2\n" in two("status")
    assert two("sync", "--theirs", "gone", "--ours", "other") == (
        "Settled, on @2:\ntook theirs: gone\ntook yours: other\n"
    )
    assert (two.read("gone"), two.read("other")) == ("theirs\n", "mine\n")
    assert "Clashes" not in two("status")
    assert two("land", "Mine") == "Landed @3: Mine (1 file)\n"
    assert two("ls") == "100644  7 gone\n100644 20 list\n100644  5 logo\n100644  5 other\n"


def test_not_text(two: Shell) -> None:
    """Yours stays; theirs comes by --theirs, at once or later, and then yours is kept."""
    elsewhere(two, "Theirs", lambda: two.write("logo", "\0theirs"))
    two.write("logo", "\0mine")
    found = two.json("sync")
    assert found["error"]["code"] == "conflict"
    assert without_landings(found) == [{"path": "logo", "reason": "binary", "marked": False, "held": False}]
    assert (found["from_position"], found["position"], found["kept"]) == (1, 2, [])
    assert two.read("logo") == "\0mine"
    assert two("sync", "--theirs", "logo") == ("Settled, on @2:\ntook theirs: logo (before: .mic/kept/2/logo)\n")
    assert two.read("logo") == "\0theirs"
    assert two.read(".mic/kept/2/logo") == "\0mine"
    assert two("sync", "--theirs", "logo") == (
        "! mic: Nothing clashes at logo.\n!      `mic status` lists what clashes.\n[2]\n"
    )


def test_one_side_whole_of_marked_files(two: Shell) -> None:
    """--ours and --theirs settle marked files one by one, with what was yours before the marks."""

    def change() -> None:
        two.write("list", "theirs\n")
        two.write("other", "theirs\n")

    elsewhere(two, "Theirs", change)
    two.write("list", "mine\n")
    two.write("other", "mine\n")
    assert two.run("sync").returncode == 3
    assert two("sync", "--ours", "list").splitlines()[-1] == "[3]"
    assert two.read("list") == "mine\n"
    assert two("status").count("marked lines") == 1
    assert two("sync", "--theirs", "other").splitlines()[-1].startswith("took theirs: other")
    assert (two.read("list"), two.read("other")) == ("mine\n", "theirs\n")
    assert two("land", "Mine") == "Landed @3: Mine (1 file)\n"


def test_at_once_with_a_side(two: Shell) -> None:
    elsewhere(two, "Theirs", lambda: two.write("other", "theirs\n"))
    two.write("other", "mine\n")
    assert two("sync", "--theirs", "other") == (
        "Synced @1 to @2: 0 files brought in.\ntook theirs: other (before: .mic/kept/2/other)\n"
    )
    assert two("diff") == ""
    assert two.read(".mic/kept/2/other") == "mine\n"


def test_nobodys_file_is_overwritten(two: Shell) -> None:
    """A file that is in the way stays, be it ignored, and so does a folder or a file where theirs is the other."""

    def change() -> None:
        for path in ("plain", "ignored", "folder", "file/inside"):
            two.write(path, "theirs\n")

    elsewhere(two, "Theirs", change)
    two.write(".gitignore", "ignored\n")
    two.write("plain", "mine\n")
    two.write("ignored", "mine\n")
    two.write("folder/inside", "mine\n")
    two.write("file", "mine\n")
    before = files(two.cwd)
    found = two.json("sync")
    assert [(item["path"], item["reason"]) for item in found["conflicts"]] == [
        ("file/inside", "directory_over_file"),
        ("folder", "file_over_directory"),
        ("ignored", "untracked"),
        ("plain", "untracked"),
    ]
    assert files(two.cwd) == before
    assert two.run("sync", "--theirs", "file", "--theirs", "folder", "--theirs", "plain").returncode == 0
    assert files(two.cwd) == {
        name: data for name, data in before.items() if name not in ("file", "folder/inside", "plain")
    } | {"file/inside": b"theirs\n", "folder": b"theirs\n", "plain": b"theirs\n"}
    assert files_kept(two) == {"file": b"mine\n", "folder/inside": b"mine\n", "plain": b"mine\n"}
    assert two("sync", "--abort").startswith("Undone: your base is @2 again")
    assert files(two.cwd) == before


def files_kept(shell: Shell) -> dict[str, bytes]:
    """Kept versions of the sync to @2."""
    root = shell.cwd / ".mic/kept/2"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_abort(two: Shell) -> None:
    """Files, base and session as they were; what was done since is kept. Nothing is left to undo after that."""

    def change() -> None:
        two.write("list", TEN.replace("0\n", "theirs\n"))
        two.write("other", "theirs\n")
        two.write("fresh", "theirs\n")
        (two.cwd / "gone").unlink()

    elsewhere(two, "Theirs", change)
    two("session", "start", "Mine")
    two.write("list", TEN.replace("0\n", "mine\n"))
    before = files(two.cwd)
    assert two.run("sync").returncode == 3
    two.write("list", "half mended\n")
    two.write("other", "on top\n")
    assert two("sync", "--abort") == (
        "Undone: your base is @1 again, and your files are as they were.\n"
        "what stood there until now: .mic/kept/2-aborted/list\n"
        "what stood there until now: .mic/kept/2-aborted/other\n"
    )
    assert files(two.cwd) == before
    assert two.read(".mic/kept/2-aborted/list") == "half mended\n"
    assert two.read(".mic/kept/2-aborted/other") == "on top\n"
    assert two.json("status")["position"] == 1
    assert two.json("status")["session"]["base_position"] == 1
    assert two("diff", "--name-only") == "list\n"
    assert two("sync", "--abort") == (
        "! mic: There is no sync to undo.\n!      `mic sync` takes in what landed.\n[4]\n"
    )
    assert two.run("sync").returncode == 3
    two.write("list", "mended\n")
    assert two("land").startswith("Landed @3: Mine")
    assert two("sync", "--abort") == (
        "! mic: The last sync went to @2, and your base is @3 by now.\n"
        "!      Your versions from before it are in .mic/kept/2.\n[2]\n"
    )


def many(shell: Shell) -> None:
    """A landing that takes a moment to bring in, with a clean merge, a clash and a deletion in it."""
    for number in range(2000):
        shell.write(f"many/{number}", f"{number}\n")
    shell.write("list", TEN.replace("0\n", "top\n"))
    shell.write("other", "theirs\n")
    (shell.cwd / "gone").unlink()


def test_killed_in_the_middle(two: Shell) -> None:
    """Killed between files: nothing lands, the same command goes on, also with what landed or was edited meanwhile."""
    elsewhere(two, "Many", lambda: many(two))
    two.write("list", TEN.replace("9\n", "bottom\n"))
    two.write("other", "mine\n")
    running = subprocess.Popen(
        [str(MIC), "sync"], cwd=two.cwd, env=two.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while "top" not in two.read("list") and running.poll() is None:
        pass
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert (two.cwd / ".mic/sync").exists()
    assert two("land", "Mine") == (
        "! mic: A sync was stopped half way.\n"
        "!      Run `mic sync` again: it goes on. `mic sync --abort` undoes it.\n[3]\n"
    )
    assert two.json("status")["sync_stopped"]
    for words in (("resolve",), ("resolve", "--strategy", "theirs")):
        assert two(*words) == "! mic: A sync was stopped half way.\n!      Run `mic sync` again: it goes on.\n[3]\n"
    elsewhere(two, "Later", lambda: two.write("many/0", "later\n"))
    assert two("sync").endswith(
        "merged: list (before: .mic/kept/2/list)\n"
        "clash: other, between the marked lines (before: .mic/kept/2/other)\n"
        f"  @2 Many ({me(two)})\n"
        "Mend the marked lines or `mic resolve` them (without a terminal: `mic resolve PATH --hunk N=theirs`), "
        "then `mic land`. `mic sync --abort` undoes this sync.\n[3]\n"
    )
    found = files(two.cwd)
    assert found["list"] == TEN.replace("0\n", "top\n").replace("9\n", "bottom\n").encode()
    assert found["other"] == b"<<<<<<< yours\nmine\n||||||| base @1\nold\n=======\ntheirs\n>>>>>>> theirs @2\n"
    assert {name: found.pop(f"many/{name}") for name in range(2000)} == {n: b"%d\n" % n for n in range(2000)}
    assert sorted(found) == ["list", "logo", "other"]
    two.write("other", "mended\n")
    assert two("sync") == "Synced @2 to @3: 1 file brought in.\n"
    assert two("land", "Mine") == "Landed @4: Mine (2 files)\n"


def test_stopped_by_a_disk_that_takes_no_more(two: Shell) -> None:
    """What was edited after the stop is merged, not lost; undoing a stopped sync works too."""

    def change() -> None:
        two.write("list", TEN.replace("0\n", "top\n"))
        two.write("zz", "x" * 300_000)

    elsewhere(two, "Large", change)
    two.write("list", TEN.replace("9\n", "bottom\n"))
    before = files(two.cwd)

    def stopped() -> None:
        done = subprocess.run(
            [str(MIC), "sync"], cwd=two.cwd, env=two.environment, capture_output=True, check=False, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        )  # fmt: skip
        assert (done.returncode, "File too large" in done.stderr) == (1, True)
        assert "top" in two.read("list")

    stopped()
    assert two("sync", "--abort").startswith("Undone: your base is @1 again")
    assert files(two.cwd) == before
    stopped()
    two.write("list", two.read("list").replace("5\n", "five\n"))
    assert two.run("sync").returncode == 0
    merged = TEN.replace("0\n", "top\n").replace("5\n", "five\n").replace("9\n", "bottom\n")
    assert files(two.cwd) == before | {"list": merged.encode(), "zz": b"x" * 300_000}
    assert two("sync", "--abort").startswith("Undone")


def test_a_file_that_kept_its_old_base(two: Shell) -> None:
    """What a landing could not bring up to date, because it was edited at that moment, a sync does."""
    elsewhere(two, "Theirs", lambda: two.write("list", TEN.replace("0\n", "top\n")))
    assert two("sync") == "Synced @1 to @2: 1 file brought in.\n"
    index = (two.cwd / ".mic/synced/before").read_bytes()
    (two.cwd / ".mic/index").write_bytes(index)
    two.write("list", TEN.replace("9\n", "bottom\n"))
    assert "!      Run `mic sync`, then land again. The session stays open" in two("land", "Mine")
    assert two("sync") == "Settled, on @2:\nmerged: list (before: .mic/kept/2/list)\n"
    assert two("land") == "Landed @3: Mine (1 file)\n"
    assert two("cat", "list") == TEN.replace("0\n", "top\n").replace("9\n", "bottom\n")


def test_symlinks_and_types(two: Shell) -> None:
    """A symlink is brought in and never merged; a file that became one on the other side is a clash."""

    def change() -> None:
        os.symlink("list", two.cwd / "link")
        (two.cwd / "other").unlink()
        os.symlink("logo", two.cwd / "other")

    def retarget() -> None:
        os.unlink(two.cwd / "link")
        os.symlink("gone", two.cwd / "link")

    elsewhere(two, "Links", change)
    two.write("other", "mine\n")
    found = two.json("sync")
    assert found["updated"] == [{"path": "link"}]
    assert without_landings(found) == [{"path": "other", "reason": "type", "marked": False, "held": False}]
    assert (os.readlink(two.cwd / "link"), two.read("other")) == ("list", "mine\n")
    assert two.run("sync", "--theirs", "other").returncode == 0
    assert os.readlink(two.cwd / "other") == "logo"
    elsewhere(two, "Other target", retarget)
    os.unlink(two.cwd / "link")
    os.symlink("other", two.cwd / "link")
    assert two.run("sync").returncode == 3
    assert two.run("sync", "--abort").returncode == 0
    assert os.readlink(two.cwd / "link") == "other"
    assert two.run("sync", "--theirs", "link").returncode == 0
    assert (os.readlink(two.cwd / "link"), os.readlink(two.cwd / ".mic/kept/3/link")) == ("gone", "other")


def test_words_that_do_not_go_together(two: Shell) -> None:
    assert two.run("sync", "--abort", "--ours", "list").returncode == 2
    assert two.run("sync", "--ours", "list", "--theirs", "list").returncode == 2
    assert two("sync", "--ours", "list") == (
        "! mic: Nothing clashes at list.\n!      `mic status` lists what clashes.\n[2]\n"
    )
