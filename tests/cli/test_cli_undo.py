"""Going to other positions, taking landings back, and taking back whatever changed the working copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcript import Shell, make_garden


@pytest.fixture
def garden(shell: Shell, name: str) -> Path:
    """A working copy of three imported landings, at the third."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    return shell.cd("garden")


def test_goto(shell: Shell, garden: Path, name: str) -> None:
    shell.write("src/water.py", "AT = 5\n")
    assert shell("goto", "HEAD~2") == "From @3 to @1: 3 files changed here.\n"
    assert shell("status") == f"{name}/garden at landing 1, from FORGE\nNo session is open.\n  M src/water.py\n"
    assert not (garden / "run.sh").exists()
    assert shell("goto", "1") == "You are at @1 already.\n"
    shell.write("README.md", "# Mine\n")
    assert shell("goto", "@latest") == (
        "! mic: Changed here, and other at @3:\n!   README.md\n"
        "!      Nothing was touched. Land or push your changes first, or put the files back.\n[3]\n"
    )
    assert shell.read("README.md") == "# Mine\n"
    assert shell("goto", "@9").startswith("! mic: Position 9 does not exist; the newest is 3.")
    shell.write("README.md", "# Garden\n\nRoses.\n")
    assert shell("goto", "@latest") == "From @1 to @3: 3 files changed here.\n"
    assert (garden / "run.sh").stat().st_mode & 0o100
    assert shell("status").endswith("\n  M src/water.py\n")


def test_undo_and_redo(shell: Shell, garden: Path) -> None:
    """Newest first, words and files alike; what stood there is brought back to the byte."""
    assert shell("undo") == "! mic: There is nothing to undo.\n!      `mic op log` lists what was done.\n[4]\n"
    shell("session", "start", "Prune")
    shell("session", "note", "One")
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    assert shell("op", "log") == (
        "   3  WHEN  mic goto @2, from @3\n   2  WHEN  mic session note, from @3\n"
        "   1  WHEN  mic session start, from @3\n"
    )
    shell.write("src/water.py", "AT = 6\n")
    assert shell("undo") == (
        "Undone: mic goto @2; your base is @3, 2 files changed here.\n`mic redo` brings back what stood here.\n"
    )
    assert (shell.read("src/water.py"), shell.read("README.md")) == ("AT = 5\n", "# Garden\n\nRoses.\n\nMore roses.\n")
    assert shell.json("status")["session"]["base_position"] == 3
    assert shell("undo") == "Undone: mic session note; your base is @3.\n"
    assert shell.json("session", "status")["session"]["conversation"] == []
    assert shell("redo") == "Done again; your base is @3.\n"
    assert shell("redo") == "Done again; your base is @2, 2 files changed here.\n"
    assert (shell.read("src/water.py"), shell.read("README.md")) == ("AT = 6\n", "# Garden\n\nRoses.\n")
    assert shell("redo") == "! mic: There is nothing to redo.\n!      `mic op log` lists what was done.\n[4]\n"
    # Something new: what was undone before is past redoing.
    shell("undo")
    shell("session", "note", "Two")
    assert shell("redo").endswith("[4]\n")
    assert [item["text"] for item in shell.json("session", "status")["session"]["conversation"]] == ["One", "Two"]


def test_a_sync_is_undone_with_its_merges(shell: Shell, garden: Path, name: str) -> None:
    shell.cd(".")
    shell("clone", f"{name}/garden", "other")
    shell.cd("other")
    shell.write("README.md", "# Our garden\n\nRoses.\n\nMore roses.\n")
    shell("land", "Ours")
    shell.cd("garden")
    shell.write("README.md", "# Garden\n\nRoses.\n\nNo roses.\n")
    assert shell("sync").startswith("Synced @3 to @4: 0 files brought in.\nmerged: README.md")
    assert shell.read("README.md") == "# Our garden\n\nRoses.\n\nNo roses.\n"
    assert shell("undo").startswith("Undone: mic sync; your base is @3, 1 file changed here.\n")
    assert shell.read("README.md") == "# Garden\n\nRoses.\n\nNo roses.\n"
    assert (
        shell("sync", "--abort") == "! mic: There is no sync to undo.\n!      `mic sync` takes in what landed.\n[4]\n"
    )
    shell("redo")
    assert shell.read("README.md") == "# Our garden\n\nRoses.\n\nNo roses.\n"
    assert shell("land", "Both") == "Landed @5: Both (1 file)\n"


def test_undo_needs_no_forge_for_what_is_here(shell: Shell, garden: Path) -> None:
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    shell.environment["MICELIO_INSTANCE"] = "http://127.0.0.1:1"
    shell.environment["MICELIO_TOKEN"] = "none"
    config = garden / ".mic/config"
    config.write_text(config.read_text().replace(shell.forge.base_url, "http://127.0.0.1:1"))
    assert shell("undo").startswith("Undone: mic goto @2; your base is @3, 1 file changed here.\n")
    assert shell.read("README.md").endswith("More roses.\n")


def test_what_stays(shell: Shell, garden: Path) -> None:
    shell.write("new", "new\n")
    shell("land", "New")
    stays = "! mic: mic land stays: it landed @4, and others may have built on it.\n"
    assert shell("undo") == f"{stays}!      `mic revert` makes a session that takes a landing back.\n[2]\n"
    shell("session", "start", "Never")
    shell("session", "abandon")
    assert shell("undo").startswith("! mic: mic session abandon stays: the forge was told that it is given up.\n")


def test_revert(shell: Shell, garden: Path, name: str) -> None:
    """Lines of later landings stay; the same lines are not touched; what is added goes, what went comes back."""
    shell.write("README.md", "# Our garden\n\nRoses.\n\nMore roses.\n")
    (garden / "run.sh").unlink()
    shell("land", "Our")
    assert shell("revert", "@3") == (
        "Started: Revert @3: Grow\n1 file changed here. `mic diff` shows it, `mic land` lands it.\n"
    )
    assert shell.read("README.md") == "# Our garden\n\nRoses.\n"
    assert shell("revert", "@4") == (
        "! mic: A session is open: Revert @3: Grow.\n!      `mic land` or `mic session switch --none`.\n[2]\n"
    )
    assert shell("land") == "Landed @5: Revert @3: Grow (1 file)\n"
    assert shell("revert", "@4", "--why", "It runs again").startswith("Started: Revert @4: Our\n2 files changed here.")
    assert (garden / "run.sh").stat().st_mode & 0o100
    decisions = shell.json("session", "status")["session"]["decisions"]
    assert [(item["what"], item["why"]) for item in decisions] == [("Take back @4", "It runs again")]
    shell("land")
    assert shell("ls", "-r") == "100644 17 README.md\n120000  9 link@\n100755 10 run.sh\n100644  8 src/water.py\n"
    # The heading is that of @1 again: nothing is left of @4.
    assert shell("revert", "@4").startswith("! mic: Nothing of @4 is left to take back.\n")
    shell.write("README.md", "# Other\n\nRoses.\n")
    shell("land", "Other")
    assert shell("revert", "@1") == (
        "! mic: Changed since @1 in the same place:\n!   README.md\n"
        "!      Nothing was touched. Take these changes back by hand, in a session of your own.\n[3]\n"
    )
    assert shell("revert", "@99").startswith("! mic: @99 is not part of what stands here, which is @7.")
    shell.write("new", "new\n")
    assert shell("revert", "@7").startswith("! mic: new is changed here.")


def test_the_log_keeps_the_newest_and_their_contents(shell: Shell, garden: Path) -> None:
    shell("session", "start", "Talk")
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    for number in range(50):
        shell("session", "note", str(number))
    ops = garden / ".mic/ops"
    numbers = sorted(int(path.name) for path in ops.iterdir() if path.name.isdigit())
    assert numbers == list(range(3, 53))
    assert list((ops / "contents").iterdir()) == []
    assert len(shell.json("op", "log", "-n", "100")["operations"]) == 50


def test_a_damaged_log_is_named(shell: Shell, garden: Path) -> None:
    shell("session", "start", "Talk")
    (garden / ".mic/ops/00000001").write_bytes(b"\x00")
    said = (
        "! mic: The operation log in HOME/garden/.mic/ops is damaged.\n"
        "!      Move that folder away; everything else works on.\n[1]\n"
    )
    assert shell("op", "log") == said
    assert shell("undo") == said
    assert shell("session", "note", "On") == "Noted (1 note so far).\n"
