"""Going to other positions, taking landings back, and taking back whatever changed the working copy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from damaging import HOW, damage
from mic.workspace.operations import record
from mic.workspace.workspace import Workspace
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


def test_what_was_pushed_is_not_forgotten(shell: Shell, garden: Path) -> None:
    """The forge has it, whatever is taken back here: the next push comes behind it."""
    shell("session", "start", "Prune")
    shell("session", "note", "One")
    shell("session", "push")
    assert shell("undo") == "Undone: mic session note; your base is @3.\n"
    shell.write("src/water.py", "AT = 5\n")
    assert shell("session", "push").startswith("Pushed: Prune (1 file)\n")
    assert shell("redo") == "Done again; your base is @3.\n"
    assert shell("session", "push").startswith("Pushed: Prune (1 file)\n")
    assert [turn["text"] for turn in shell.json("session", "status")["session"]["conversation"]] == ["One"]


def test_what_was_pushed_elsewhere_is_forgotten_with_it(shell: Shell, garden: Path, name: str) -> None:
    """Who takes a resume back has what stood there before it, which does not come over what was resumed unasked."""
    shell("session", "start", "Prune")
    shell.write("src/water.py", "AT = 5\n")
    session = str(shell.json("session", "push")["session"]["id"])
    shell("session", "switch", "--none")
    shell.cd(".")
    shell("clone", f"{name}/garden", "other")
    shell.cd("other")
    shell("session", "resume", session)
    shell.write("src/water.py", "AT = 6\n")
    shell("session", "push")
    shell.cd("garden")
    shell("session", "resume", session)
    assert shell.read("src/water.py") == "AT = 6\n"
    shell("undo")
    assert shell("undo").startswith("Undone: mic session switch;")
    assert shell.read("src/water.py") == "AT = 5\n"
    shell("session", "note", "Mine")
    assert shell("session", "push").startswith("! mic: The session was pushed from elsewhere since.")
    shell("undo")
    shell("session", "switch", "--none")
    shell("session", "resume", session)
    assert shell.read("src/water.py") == "AT = 6\n"
    assert shell("session", "push").startswith("Nothing new since the last push: Prune")


def test_an_undo_that_was_killed_at_its_beginning(shell: Shell, garden: Path) -> None:
    """It had written down how all stood then, and touched nothing: what is changed since is kept all the same."""
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    ws = Workspace.find(str(garden))
    with ws.lock():
        record(ws, "mic undo", files=True, undoes=1, done=False)
    shell.write("src/water.py", "AT = 6\n")
    shell.write("new", "mine\n")
    assert shell("undo").startswith("Undone: mic goto @2;")
    assert (shell.read("src/water.py"), (garden / "new").exists()) == ("AT = 5\n", False)
    assert shell("redo").startswith("Done again;")
    assert (shell.read("src/water.py"), shell.read("new")) == ("AT = 6\n", "mine\n")


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


WHY = {
    "newer": "was written by a newer version of mic",
    "loop": "cannot be read: Too many levels of symbolic links",
}
DAMAGE = (*HOW, "newer")


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_operation_of_words(shell: Shell, garden: Path, how: str) -> None:
    """It is named; what came after it is undone, and what came before it in the same session too."""
    shell("session", "start", "Talk")
    for word in ("One", "Two", "Three"):
        shell("session", "note", word)
    damage(garden / ".mic/ops/00000003", how)
    why = WHY.get(how, "is damaged")
    assert shell("op", "log") == (
        f"   4  WHEN  mic session note, from @3\n   3  HOME/garden/.mic/ops/00000003 {why}\n"
        "   2  WHEN  mic session note, from @3\n   1  WHEN  mic session start, from @3\n"
    )
    shown = shell.json("op", "log")["operations"][1]
    assert (shown["number"], shown["command"], shown["undoable"], shown["damaged"]) == (
        3, None, False, f"{garden}/.mic/ops/00000003 {why}",
    )  # fmt: skip
    assert shell("undo") == "Undone: mic session note; your base is @3.\n"
    assert shell("undo") == (
        f"HOME/garden/.mic/ops/00000003 {why}; what that command did is taken back as well.\n"
        "Undone: mic session note; your base is @3.\n"
    )
    assert shell.json("session", "status")["session"]["conversation"] == []
    assert shell("redo") == "Done again; your base is @3.\n"
    said = [turn["text"] for turn in shell.json("session", "status")["session"]["conversation"]]
    assert said == ["One", "Two"]
    assert shell("undo") == "Undone: mic redo; your base is @3.\n"
    assert shell("undo") == "Undone: mic session start; your base is @3.\n"
    assert shell("undo").startswith("! mic: There is nothing to undo.\n")


@pytest.mark.parametrize("how", ["cut", "folder"])
def test_a_damaged_operation_of_files(shell: Shell, garden: Path, how: str) -> None:
    """What stood before the one below it stands again, to the byte, and what stood here comes back with `redo`."""
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    shell.write("src/water.py", "AT = 6\n")
    shell("goto", "@1")
    shell.write("src/water.py", "AT = 7\n")
    damage(garden / ".mic/ops/00000002", how)
    why = WHY.get(how, "is damaged")
    assert shell("undo") == (
        f"HOME/garden/.mic/ops/00000002 {why}; what that command did is taken back as well.\n"
        "Undone: mic goto @2; your base is @3, 4 files changed here.\n`mic redo` brings back what stood here.\n"
    )
    assert (shell.read("src/water.py"), shell.read("README.md")) == ("AT = 5\n", "# Garden\n\nRoses.\n\nMore roses.\n")
    assert shell("redo") == "Done again; your base is @1, 4 files changed here.\n"
    assert (shell.read("src/water.py"), shell.read("README.md")) == ("AT = 7\n", "# Garden\n\nRoses.\n")


def test_nothing_is_undone_past_what_may_be_a_landing(shell: Shell, garden: Path) -> None:
    """Nobody knows what a damaged operation was; where base or session are others since, nothing below it is undone."""
    shell("session", "start", "Water")
    shell.write("src/water.py", "AT = 5\n")
    shell("land")
    shell("session", "start", "More")
    damage(garden / ".mic/ops/00000002", "zeros")
    assert shell("undo") == "Undone: mic session start; your base is @4.\n"
    before = shell.json("status")
    assert shell("undo") == (
        "! mic: HOME/garden/.mic/ops/00000002 is damaged, so what was done before it cannot be undone.\n"
        "!      `mic op log` lists what was done. What you do from now on can be undone.\n[1]\n"
    )
    assert shell.json("status") == before
    assert shell("session", "start", "Again").startswith("Started")
    assert shell("undo") == "Undone: mic session start; your base is @4.\n"


def test_words_alone_are_not_undone_past_changed_files(shell: Shell, garden: Path) -> None:
    """A note says nothing of files: what a damaged operation did to them would stay."""
    shell("session", "start", "Water")
    shell("goto", "@2")
    damage(garden / ".mic/ops/00000002", "random")
    assert shell("undo").startswith("! mic: HOME/garden/.mic/ops/00000002 is damaged, so what was done before it")
    assert shell.json("status")["session"]["goal"] == "Water"


@pytest.mark.parametrize("how", ["zeros", "loop"])
def test_a_damaged_index_of_an_operation(shell: Shell, garden: Path, how: str) -> None:
    """Files cannot be brought back without it: the state before the operation below it is."""
    shell("goto", "@2")
    shell("goto", "@1")
    damage(garden / ".mic/ops/00000002.index", how)
    assert shell("undo") == (
        "HOME/garden/.mic/ops/00000002.index is damaged; what that command did is taken back as well.\n"
        "Undone: mic goto @2; your base is @3, 3 files changed here.\n`mic redo` brings back what stood here.\n"
    )
    damage(garden / ".mic/ops/00000003.index", how)
    assert shell("redo") == (
        "! mic: HOME/garden/.mic/ops/00000003.index is damaged.\n"
        "!      Nothing was touched. `mic op log` lists what was done.\n[1]\n"
    )
    assert shell.json("status")["position"] == 3


@pytest.mark.parametrize("how", ["gone", "random"])
def test_a_damaged_content_of_an_operation(shell: Shell, garden: Path, how: str) -> None:
    """A change that is kept nowhere else: it is named before the first file is touched."""
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    shell.write("src/water.py", "AT = 6\n")
    content = garden / ".mic/ops/contents" / hashlib.sha256(b"AT = 5\n").hexdigest()
    content.unlink() if how == "gone" else damage(content, how)
    before = shell.json("status")
    assert shell("undo") == (
        f"! mic: src/water.py as it was before mic goto @2 cannot be brought back: "
        f"HOME/garden/.mic/ops/contents/{content.name} is damaged.\n"
        "!      Nothing was touched. `mic op log` lists what was done.\n[1]\n"
    )
    assert shell.json("status") == before
    assert (shell.read("src/water.py"), shell.read("README.md")) == ("AT = 6\n", "# Garden\n\nRoses.\n")


def test_a_full_log_with_a_damaged_operation_goes_on(shell: Shell, garden: Path) -> None:
    """The oldest are forgotten as ever; contents stay while nobody knows whether the damaged one names them."""
    shell("session", "start", "Talk")
    shell.write("src/water.py", "AT = 5\n")
    shell("goto", "@2")
    damage(garden / ".mic/ops/00000002", "zeros")
    for number in range(47):
        shell("session", "note", str(number))
    kept = list((garden / ".mic/ops/contents").iterdir())
    assert shell("session", "note", "47") == "Noted (48 notes so far).\n"
    assert list((garden / ".mic/ops/contents").iterdir()) == kept
    for number in range(4):
        shell("session", "note", str(number))
    assert len(kept) == 1
    assert list((garden / ".mic/ops/contents").iterdir()) == []
