"""What somebody new meets: a branch that becomes main, a refused landing, a chmod, a rename, a decision taken back."""

from __future__ import annotations

from forge_process import Forge
from transcript import Shell, make_garden


def commit(shell: Shell, path: str, text: str, message: str) -> None:
    """One more commit in the Git repository here."""
    shell.write(path, text)
    shell.git("add", "-A")
    shell.git("commit", "-qm", message)


def test_an_import_says_which_branch_is_main_and_what_moved(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell.cd("garden-git")
    shell.git("branch", "-m", "main", "master")
    shell.git("branch", "beds", "HEAD~1")
    shell.cd(".")
    following = f"Next: mic clone {name}/garden\n"
    assert shell("import", "git", "garden-git", f"{name}/garden") == (
        f"Made the private project {name}/garden.\n"
        f"Imported 3 commits of master into {name}/garden: it is at @3.\n"
        f"The branch master is main here.\n{following}"
    )
    again = ("import", "git", "garden-git", f"{name}/garden")
    assert shell(*again) == f"Nothing new: {name}/garden is at @3.\n{following}"

    shell.cd("garden-git")
    shell.git("checkout", "-q", "beds")
    commit(shell, "beds.txt", "two\n", "Dig")
    shell.git("checkout", "-q", "master")
    shell.git("tag", "spring", "beds")
    shell.cd(".")
    assert shell(*again) == (
        f"No new commit of master: main of {name}/garden stays at @3.\nNew or moved: beds, spring.\n{following}"
    )
    shell.cd("garden-git")
    commit(shell, "README.md", "# Garden\n", "Cut")
    shell.cd(".")
    told = shell.json(*again)
    assert (told["from_position"], told["position"], told["branch"], told["fresh"]) == (3, 4, "master", [])
    shell.cd("garden-git")
    commit(shell, "README.md", "# Beds\n", "Name")
    shell.cd(".")
    assert shell(*again) == (
        f"Imported 1 commit of master into {name}/garden: main moved from @4 to @5.\n"
        f"The branch master is main here.\n{following}"
    )


def test_a_refused_landing_says_that_the_session_stays_open(shell: Shell, forge: Forge, name: str) -> None:
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    shell.cd("p")
    shell.write("a", "a\n")
    token = shell.environment.pop("MICELIO_TOKEN", "")
    assert token == ""
    shell.environment["MICELIO_TOKEN"] = "wrong"
    assert shell("land", "Begin") == (
        "! mic: The access token is not valid here.\n"
        "!      MICELIO_TOKEN is set; unset it or replace it. The session stays open: `mic land` tries again, "
        "`mic session abandon` gives it up.\n[5]\n"
    )
    # It was open already: whoever opened it knows.
    assert "stays open" not in shell("land")
    del shell.environment["MICELIO_TOKEN"]
    assert shell("land") == "Landed @1: Begin (1 file)\n"


def test_a_chmod_is_shown_as_what_it_is(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    folder = shell.cd("garden")
    (folder / "README.md").chmod(0o755)
    (folder / "run.sh").chmod(0o644)
    shell.write("src/water.py", "AT = 6\n")
    lines = "  M README.md (now executable)\n  M run.sh (no longer executable)\n  M src/water.py\n"
    assert shell("status") == f"{name}/garden at landing 3, from FORGE\nNo session is open.\n{lines}"
    assert shell("diff", "--stat", "run.sh") == (
        " run.sh |     0 (no longer executable)\n 1 file changed, 0 added, 0 deleted\n"
    )
    modes = [(item["old_mode"], item["mode"]) for item in shell.json("status")["changes"]]
    assert modes == [("100644", "100755"), ("100755", "100644"), ("100644", "100644")]
    shell("session", "start", "Modes")
    assert shell("session", "status").endswith(f"3 files would land:\n{lines}")
    shell("land")
    assert shell("show").endswith(f"3 files:\n{lines}")


def test_the_same_code_whoever_notices(shell: Shell, name: str) -> None:
    """`invalid_input` ends with 2, found by mic (no goal) or by the forge (a name that is none)."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    shell.cd("p")
    for arguments in (
        ("session", "start", " "),
        ("project", "create", f"{name}/-x-"),
        ("session", "start", "x" * 100_000),
    ):
        done = shell.run(*arguments, "--json")
        assert ('"code": "invalid_input"' in done.stdout, done.returncode) == (True, 2), done.stdout


def test_the_history_of_a_file_goes_on_before_its_rename(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    folder = shell.cd("garden")
    (folder / "README.md").rename(folder / "GARDEN.md")
    shell("land", "Name it")
    shell.write("GARDEN.md", "# Garden\n")
    shell("land", "Cut")
    here = f"@5  M  WHEN  u{name}  Cut  (your base)\n@4  A  WHEN  u{name}  Name it\n"
    assert shell("log", "--", "GARDEN.md") == f"{here}Before @4 it was README.md; --follow goes on there.\n"
    assert shell("log", "--follow", "--", "GARDEN.md") == (
        f"{here}@3  M  WHEN  Ada  Grow  (README.md)\n@1  A  WHEN  Ada  Plant  (README.md)\n"
    )
    assert shell("log", "--follow", "-n", "3", "GARDEN.md") == f"{here}@3  M  WHEN  Ada  Grow  (README.md)\n"
    assert shell("log", "--follow", "--from", "@4", "GARDEN.md") == here
    told = shell.json("log", "--follow", "GARDEN.md")["landings"]
    assert [item["touched"]["path"] for item in told] == ["GARDEN.md", "GARDEN.md", "README.md", "README.md"]
    assert (told[1]["came_from"], told[1]["came_at"]) == ({"path": "README.md"}, 3)
    assert shell("log", "--follow") == (
        "! mic: --follow goes with a path.\n!      Name a file: mic log --follow -- PATH.\n[2]\n"
    )


def test_a_decision_is_taken_back(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    shell.cd("p")
    shell("session", "start", "Plan")
    assert shell("session", "undecide") == (
        "! mic: This session has no decision yet.\n!      `mic session decide` records one.\n[4]\n"
    )
    for what in ("One", "Two", "Three"):
        shell("session", "decide", what, "--why", "because")
    assert shell("session", "undecide", "2") == "Taken back: Two (2 decisions left).\n"
    assert shell("session", "undecide") == "Taken back: Three (1 decision left).\n"
    assert shell("session", "undecide", "2") == (
        "! mic: This session has 1 decision, and no number 2.\n!      `mic session status` lists them.\n[2]\n"
    )
    assert [item["what"] for item in shell.json("session", "status")["session"]["decisions"]] == ["One"]
