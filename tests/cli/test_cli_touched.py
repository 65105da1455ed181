"""A file that was only touched is not changed: landing brings others' edits of it in."""

from __future__ import annotations

import os
import shutil

from transcript import Shell


def test_touched_and_restored_files_are_brought_up_to_date(shell: Shell, name: str) -> None:
    """Touched, edited and put back, copied over with the same bytes: content decides, not the clock."""
    shell("project", "create", f"{name}/touched")
    shell("clone", f"{name}/touched", "one")
    shell.cd("one")
    for file in ("touched", "restored", "copied", "edited"):
        shell.write(file, f"{file} old\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/touched", "two")
    shell.cd("one")
    for file in ("touched", "restored", "copied"):
        shell.write(file, f"{file} new\n")
    assert shell("land", "New") == "Landed @2: New (3 files)\n"

    two = shell.cd("two")
    os.utime(two / "touched", (1_700_000_000, 1_700_000_000))
    shell.write("restored", "something else\n")
    shell.write("restored", "restored old\n")
    shutil.copy(two / "copied", two / "copied.save")
    os.replace(two / "copied.save", two / "copied")
    shell.write("edited", "edited here\n")
    assert shell("land", "Here") == "Landed @3: Here (1 file)\nbrought in from others: 3 files\n"
    assert [shell.read(file) for file in ("touched", "restored", "copied")] == [
        "touched new\n",
        "restored new\n",
        "copied new\n",
    ]
    shell.write("touched", "touched newer\n")
    assert shell("land", "On top") == "Landed @4: On top (1 file)\n"


def test_a_file_comes_where_a_folder_was(shell: Shell, name: str) -> None:
    """Landing brings it in, once nothing of the folder stays; where something does, that stays, and is named."""
    shell("project", "create", f"{name}/folder")
    for place in ("one", "two", "three"):
        shell.cd(".")
        shell("clone", f"{name}/folder", place)
    shell.cd("three")
    for file in ("dir/c", "dir/deep/d"):
        shell.write(file, "old\n")
    shell("land", "Begin")
    for place in ("one", "two"):
        shell.cd(place)
        shell("sync")
    (shell.cd("two") / "dir/mine").write_text("mine\n")
    one = shell.cd("one")
    shutil.rmtree(one / "dir")
    shell.write("dir", "a file\n")
    assert shell("land", "File") == "Landed @2: File (3 files)\n"

    three = shell.cd("three")
    shell.write("x", "here\n")
    assert shell("land", "Here") == "Landed @3: Here (1 file)\nbrought in from others: 3 files\n"
    assert shell.read("dir") == "a file\n"
    assert shell.json("status")["changes"] == []

    two = shell.cd("two")
    shell.write("y", "there\n")
    assert shell.run("land", "There").returncode == 3
    shutil.move(two / "dir/mine", two / "mine")
    assert shell("land", "There") == "Landed @4: There (2 files)\nbrought in from others: 4 files\n"
    assert shell.read("dir") == "a file\n"
    assert sorted(path.name for path in three.iterdir()) == [".mic", "dir", "x"]


def test_a_file_comes_where_only_empty_folders_are(shell: Shell, name: str) -> None:
    """Whoever moves all files out of a folder leaves folders behind, of which no landing knows."""
    shell("project", "create", f"{name}/empty")
    for place in ("one", "two"):
        shell("clone", f"{name}/empty", place)
    shell.cd("one")
    shell.write("dir/deep/er/c", "old\n")
    shell("land", "Begin")
    two = shell.cd("two")
    shell("sync")
    shutil.move(two / "dir/deep/er/c", two / "c")
    one = shell.cd("one")
    shutil.rmtree(one / "dir")
    shell.write("dir", "a file\n")
    shell.write("z", "more\n")
    shell("land", "File")
    shell.cd("two")
    (two / "dir/deep/other").mkdir()
    assert shell("sync") == "Synced @1 to @2: 2 files brought in.\n"
    assert shell.read("dir") == "a file\n"
    assert shell.json("status")["changes"] == [{"path": "c", "op": "added", "old_mode": None, "mode": "100644"}]
