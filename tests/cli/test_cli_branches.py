"""Branches: begun, followed, landed on, compared, deleted; and main, which none of it moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcript import Shell, make_garden


@pytest.fixture
def garden(shell: Shell, name: str) -> Path:
    """A working copy of two landings, at the second."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden")
    where = shell.cd("garden")
    shell.write("README.md", "# Garden\n")
    assert shell("land", "Begin").startswith("Landed @1")
    shell.write("roses.txt", "red\n")
    assert shell("land", "Plant").startswith("Landed @2")
    return where


def test_a_branch_from_beginning_to_end(shell: Shell, garden: Path, name: str) -> None:
    """What lands on a branch is on the branch, main stays where it was; diff, log, show and cat see both."""
    assert shell("branch", "list") == "* main  @2\n"
    assert shell("branch", "create", "fix/colour") == (
        "Began fix/colour from main @2.\n`mic branch switch fix/colour` follows it.\n"
    )
    assert shell("branch", "list") == ("* main        @2\n  fix/colour  @2  from main @2, nothing landed since\n")
    assert shell("branch", "switch", "fix/colour") == "Now on fix/colour @2: 0 files changed here.\n"
    assert shell("status") == (
        f"{name}/garden, branch fix/colour, at landing 2, from FORGE\nNo session is open.\nNothing changed.\n"
    )
    shell.write("roses.txt", "white\n")
    shell.write("tulips.txt", "yellow\n")
    assert shell("land", "Change the colour") == "Landed @3: Change the colour (2 files)\n"
    assert shell.json("status")["branch"] == "fix/colour"
    assert shell("branch", "list") == (
        f"  main        @2\n* fix/colour  @3  from main @2, WHEN u{name}: Change the colour\n"
    )
    assert [item["goal"] for item in shell.json("log")["landings"]] == ["Change the colour", "Plant", "Begin"]
    assert [item["goal"] for item in shell.json("log", "branch:main")["landings"]] == ["Plant", "Begin"]
    assert shell("cat", "roses.txt", "branch:main") == "red\n"
    assert shell("diff", "branch:main") == (
        "diff --git a/roses.txt b/roses.txt\n--- a/roses.txt\n+++ b/roses.txt\n@@ -1 +1 @@\n-red\n+white\n"
        "diff --git a/tulips.txt b/tulips.txt\nnew file mode 100644\n--- /dev/null\n+++ b/tulips.txt\n"
        "@@ -0,0 +1 @@\n+yellow\n"
    )
    assert shell("diff", "branch:fix/colour..branch:main", "--name-only") == "roses.txt\ntulips.txt\n"
    assert shell("diff", "branch:fix/colour..branch:main", "roses.txt").endswith("@@ -1 +1 @@\n-white\n+red\n")

    assert shell("branch", "switch", "main") == "Now on main @2: 2 files changed here.\n"
    assert not (garden / "tulips.txt").exists()
    assert shell("undo").startswith("Undone: mic branch switch main; your base is @3")
    assert shell.json("status")["branch"] == "fix/colour"
    assert shell.read("tulips.txt") == "yellow\n"
    assert shell("redo").startswith("Done again")
    assert shell.json("status")["branch"] == "main"
    shell.write("oak.txt", "tall\n")
    assert shell("land", "Plant an oak") == "Landed @3: Plant an oak (1 file)\n"
    assert shell("cat", "roses.txt") == "red\n"

    assert shell("branch", "delete", "fix/colour").startswith(
        "Deleted the branch fix/colour.\nWhat landed on it alone, @3, is removed after 2"
    )
    assert shell("branch", "list") == "* main  @3\n"


def test_clone_a_branch_and_sync_it(shell: Shell, garden: Path, name: str) -> None:
    """Two working copies follow a branch; the one takes in what the other lands there, not what lands on main."""
    shell("branch", "create", "next", "--from", "@1")
    assert shell("branch", "list").splitlines()[1] == "  next  @1  from main @1, nothing landed since"
    for where, words in (("one", ("--ref", "next")), ("two", ())):
        shell.cwd = shell.home
        project = f"{name}/garden" if words else f"{name}/garden@next"
        assert shell("clone", project, where, *words) == f"Cloned {name}/garden@next @1 in HOME/{where}: 1 file.\n"
    shell.cd("one")
    assert sorted(path.name for path in shell.cwd.iterdir()) == [".mic", "README.md"]
    shell.write("pond.txt", "deep\n")
    assert shell("land", "Dig") == "Landed @2: Dig (1 file)\n"
    shell.cd("two")
    assert shell("sync") == "Synced @1 to @2: 1 file brought in.\n"
    assert shell.read("pond.txt") == "deep\n"
    assert not (shell.cwd / "roses.txt").exists()


def test_sessions_on_a_branch(shell: Shell, garden: Path) -> None:
    """A session is started, pushed and landed on the line that is followed; landing later works as on main."""
    shell("branch", "create", "next")
    shell("session", "start", "Weed")
    said = shell("branch", "switch", "next")
    assert said.startswith("! mic: A session is open here, on main.\n")
    assert said.endswith("[2]\n")
    shell("session", "abandon")
    shell("branch", "switch", "next")
    shell("session", "start", "Weed")
    shell.write("roses.txt", "red, weeded\n")
    assert "Pushed" in shell("session", "push")
    assert shell("land").startswith("Landed @3: Weed")
    shell.write("roses.txt", "red, weeded, watered\n")
    assert shell("land", "Water", "--async").startswith("Queued: Water")
    assert shell("land", "--wait").startswith("Landed @4: Water")
    assert shell.json("log", "branch:main")["landings"][0]["position"] == 2
    assert shell("blame", "roses.txt").count("@4") == 1


def test_a_range_of_bare_names(shell: Shell, garden: Path, name: str) -> None:
    """Both sides of `A..B` are moments, so a branch needs no more than its name there; a file called so is a file."""
    shell("branch", "create", "fix/winter")
    shell("branch", "switch", "fix/winter")
    shell.write("snow", "white\n")
    shell("land", "Snow")
    assert shell("diff", "main..fix/winter", "--name-only") == "snow\n"
    assert shell("diff", "fix/winter^..main", "--name-only") == ""
    assert shell("diff", "main..", "--name-only") == "snow\n"
    assert shell("diff", "main..winter").startswith(f"! mic: {name}/garden has no branch 'winter'.")
    shell.write("main..winter", "a file\n")
    assert shell("diff", "main..winter", "--name-only") == "main..winter\n"
    shell("land", "Name")
    (shell.cwd / "main..winter").unlink()
    assert shell("diff", "main..winter", "--name-only") == "main..winter\n"
    assert shell("diff", "../x").startswith("! mic: ")


def test_inside_of_an_import_the_nearest_are_named(shell: Shell, name: str) -> None:
    """What was imported became visible at once, and no branch begins between."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    assert shell("branch", "create", "new", "--from", "@2") == (
        "! mic: Nothing can begin at @2: it landed together with what follows it.\n"
        "!      Nearest to it, one can begin at @3.\n[2]\n"
    )
    assert shell("branch", "create", "new", "--from", "@3").startswith("Began new from main @3.\n")


def test_names_that_are_none_and_bases_that_are_not_there(shell: Shell, garden: Path, name: str) -> None:
    """A sentence for each, and nothing is begun."""
    for wrong in (
        "a..b",
        "-x",
        "a b",
        "a~1",
        "x.lock",
        "/a",
        "a//b",
        "HEAD",
        "@",
        "12",
        "ses_1",
        "a/",
        "a;b",
        "$(a)",
        "<a>",
        "x\u00e9" * 101,
    ):
        said = shell("branch", "create", "--", wrong)
        assert "cannot be the name of a branch" in said, said
        assert said.endswith("[2]\n"), said
    assert shell("branch", "create", "main") == (
        "! mic: main is there already: every project begins with it.\n!      Choose another name.\n[2]\n"
    )
    shell("branch", "create", "a")
    assert shell("branch", "create", "a").startswith(f"! mic: {name}/garden has a branch a already.")
    assert shell("branch", "create", "a/b") == (
        "! mic: The branch a is in the way: one name would be below the other.\n!      Choose another name.\n[1]\n"
    )
    shell("branch", "create", "x/y/z")
    assert "The branch x/y/z is in the way" in shell("branch", "create", "x")
    assert shell("branch", "create", "new", "--from", "nowhere").startswith(
        f"! mic: {name}/garden has no branch 'nowhere'."
    )
    assert shell("branch", "create", "new", "--from", "@9").startswith("! mic: There is no landing @9 to begin at")
    assert shell("branch", "switch", "nowhere").startswith(f"! mic: {name}/garden has no branch 'nowhere'.")
    assert shell("branch", "list") == (
        "* main   @2\n  a      @2  from main @2, nothing landed since\n"
        "  x/y/z  @2  from main @2, nothing landed since\n"
    )


def test_the_followed_branch_is_deleted(shell: Shell, garden: Path, name: str) -> None:
    """Whoever follows it is told so by the next command, and keeps what they have."""
    shell("branch", "create", "gone")
    shell("branch", "switch", "gone")
    shell.write("roses.txt", "blue\n")
    assert shell("branch", "delete", "gone").endswith("`mic branch switch main` goes on with main.\n")
    for command in (("land", "Blue"), ("sync",), ("log",)):
        said = shell(*command)
        assert said.startswith(f"! mic: The branch gone of {name}/garden was deleted by u{name} on "), said
        assert "`mic branch switch main` goes on with main" in said
    shell("session", "abandon")
    assert shell("branch", "switch", "main") == "Now on main @2: 0 files changed here.\n"
    assert shell.read("roses.txt") == "blue\n"
    assert shell("land", "Blue").startswith("Landed @3: Blue")


@pytest.mark.parametrize("goal", ["", "Paint"])
def test_a_branch_is_deleted_while_files_differ_from_main(shell: Shell, garden: Path, name: str, goal: str) -> None:
    """Neither landing nor switching is possible as it is: the refusals name the way, and nothing is lost on it."""
    shell("branch", "create", "gone")
    shell("branch", "switch", "gone")
    shell.write("roses.txt", "pink\n")
    shell.write("new.txt", "1\n")
    assert shell("land", "There").startswith("Landed @3: There (2 files)\n")
    if goal:
        shell("session", "start", goal)
        shell("session", "note", "Bluer")
        shell("session", "push")
    shell.write("roses.txt", "blue\n")
    shell.write("new.txt", "2\n")
    shell("branch", "delete", "gone")
    if goal:
        assert "`mic branch switch main` goes on with main; what has not landed here stays." in shell("land")
    assert shell("branch", "switch", "main") == (
        "! mic: Changed here, and other at @2:\n!   new.txt\n!   roses.txt\n"
        "!      Nothing was touched. `mic branch switch main --keep` leaves these files as they are here.\n[3]\n"
    )
    along = f"! The session came along: {goal}\n" if goal else ""
    assert shell("branch", "switch", "main", "--keep") == f"Now on main @2: 0 files changed here.\n{along}"
    assert (shell.read("roses.txt"), shell.read("new.txt")) == ("blue\n", "2\n")
    assert shell("status").endswith(
        "Clashes:\n  roses.txt: yours stands over @2\nChanged:\n  A new.txt\n  M roses.txt\n"
    )
    assert shell("land", "Paint") == "Landed @3: Paint (2 files)\n"
    assert shell("status").endswith("No session is open.\nNothing changed.\n")
    said = [turn["text"] for turn in shell.json("show", "@3")["session"]["conversation"]]
    assert said == (["Bluer"] if goal else [])


def test_files_are_kept_when_the_branch_is_switched(shell: Shell, garden: Path) -> None:
    """From one that is there, too; `mic undo` leads back."""
    shell("branch", "create", "other")
    shell("branch", "switch", "other")
    shell.write("roses.txt", "pink\n")
    shell("land", "There")
    shell.write("roses.txt", "blue\n")
    assert shell("branch", "switch", "main").endswith(
        "!      Nothing was touched. Land or push your changes first, or put the files back. "
        "`mic branch switch main --keep` leaves these files as they are here.\n[3]\n"
    )
    assert shell("branch", "switch", "main", "--keep") == "Now on main @2: 0 files changed here.\n"
    assert shell.read("roses.txt") == "blue\n"
    assert shell("undo").startswith("Undone: mic branch switch main; ")
    assert (shell.read("roses.txt"), shell("status").count("branch other")) == ("blue\n", 1)


def test_a_clash_of_one_branch_is_over_with_a_landing_on_another(shell: Shell, garden: Path, name: str) -> None:
    """Whatever their positions are: what stands here has landed."""
    shell("branch", "create", "other")
    shell("branch", "switch", "other")
    was = shell.read("roses.txt")
    shell("clone", f"{name}/garden@other", "../there")
    shell.cd("there")
    for text in ("pink\n", "white\n", was):
        shell.write("roses.txt", text)
        assert shell("land", "There").startswith("Landed @")
    shell.cd("garden")
    shell("goto", "@3")
    (garden / "roses.txt").unlink()
    assert shell("sync").endswith("[3]\n")
    assert shell("branch", "switch", "main") == "Now on main @2: 0 files changed here.\n"
    assert "roses.txt: yours stands over @5" in shell("status")
    assert shell("land", "No roses") == "Landed @3: No roses (1 file)\n"
    assert shell("status").endswith("No session is open.\nNothing changed.\n")


def test_a_branch_of_a_branch(shell: Shell, garden: Path) -> None:
    """It begins where that stands, or at one of its landings, of which some are main's."""
    shell("branch", "create", "one")
    shell("branch", "switch", "one")
    shell.write("one.txt", "1\n")
    shell("land", "One")
    shell("branch", "create", "two")
    shell("branch", "create", "early", "--from", "@1")
    shell("branch", "switch", "two")
    shell.write("two.txt", "2\n")
    assert shell("land", "Two").startswith("Landed @4")
    listed = shell("branch", "list")
    assert "  early  @1  from main @1, nothing landed since\n" in listed
    assert "* two    @4  from one @3" in listed
    shell("branch", "delete", "one")
    assert sorted(p.name for p in garden.iterdir()) == [".mic", "README.md", "one.txt", "roses.txt", "two.txt"]
    assert [item["goal"] for item in shell.json("log")["landings"]] == ["Two", "One", "Plant", "Begin"]


def test_a_remote_that_was_not_fetched(shell: Shell, garden: Path) -> None:
    """It is said that nobody looked there yet; a path that is called so is a path, and nobody's remote is one too."""
    shell("remote", "add", "vault", "/nowhere/vault.git")
    unseen = (
        "! mic: vault/main was not seen yet.\n"
        "!      `mic fetch vault` looks what is at that remote. A path goes behind `--`.\n[4]\n"
    )
    for words in (("log", "vault/main"), ("diff", "vault/main"), ("show", "vault/main"), ("diff", "vault/main..@1")):
        assert shell(*words) == unseen, words
    assert shell("log", "--", "vault/main") == "No landing touched vault/main.\n"
    assert shell("log", "other/main") == "No landing touched other/main.\n"
    shell.write("vault/main", "a file\n")
    shell("land", "Vault")
    assert shell("log", "vault/main").startswith("@3  ")
