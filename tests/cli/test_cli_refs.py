"""One reader of refs: each form, in each command that takes one, and what is said of a word that is none."""

from __future__ import annotations

from pathlib import Path

from forge_process import Forge
from transcript import Shell, make_garden

ACCEPTED = (
    "!      Use @12, landing:12, @latest, HEAD, branch:NAME, a session id like ses_01J8..., "
    "or one of these with ^ or ~3 behind it.\n"
)


def garden(shell: Shell, name: str, visibility: str = "private") -> Path:
    """A working copy of three landings and one more, that stands on the third."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden", "--visibility", visibility)
    shell("clone", f"{name}/garden", "other")
    shell("clone", f"{name}/garden")
    shell.cd("other")
    shell.write("src/water.py", "AT = 5\n")
    shell("land", "Earlier")
    return shell.cd("garden")


def test_refs_name_the_same_in_every_command(shell: Shell, name: str) -> None:
    garden(shell, name)
    session = shell.json("show", "@4")["session"]["id"]
    for ref in ("@4", "4", "landing:4", "@latest", session, f"ses_{session}", f"ses_{session[:20].lower()}"):
        assert shell.json("show", ref)["session"]["position"] == 4, ref
        assert shell("cat", "src/water.py", ref) == "AT = 5\n", ref
    for ref in ("@3", "HEAD", "@latest^", "4~1", f"{session}^"):
        assert shell.json("show", ref)["session"]["position"] == 3, ref
        assert shell("show", f"{ref}:src/water.py") == "AT = 12\n", ref
        assert shell("diff", f"{ref}..@latest", "--name-only") == "src/water.py\n", ref
        assert shell("log", ref, "-n", "1").startswith("@3  WHEN  Ada  Grow"), ref
        assert shell.json("ls", "src", ref)["position"] == 3, ref
        assert shell.json("blame", "README.md", ref)["position"] == 3, ref
    assert shell("diff", "..@latest", "--stat") == " src/water.py |     2 +-\n 1 file changed, 1 added, 1 deleted\n"
    assert shell("diff", "@latest..", "--name-only") == shell("diff", "@4", "--name-only") == "src/water.py\n"
    assert shell("diff", "HEAD^", "HEAD", "--name-only") == "README.md\n"
    assert shell("log", "--to", "HEAD~2") == "@1  WHEN  Ada  Plant\n"
    assert shell("owners", "README.md", "HEAD").startswith("README.md\n")


def test_a_word_that_is_no_ref(shell: Shell, name: str) -> None:
    garden(shell, name)
    refused = f"! mic: 'main' names no landing.\n{ACCEPTED}[2]\n"
    for arguments in (
        ("show", "main"), ("cat", "README.md", "main"), ("ls", "--at", "main"), ("log", "--to", "main"),
        ("blame", "README.md", "main"), ("owners", "README.md", "main"), ("show", "main:README.md"),
    ):  # fmt: skip
        assert shell(*arguments) == refused, arguments
    assert shell("diff", "main").startswith("! mic: There is no file main here nor at @3.")
    assert shell("show", "HEAD~4") == "! mic: HEAD~4 is before the beginning: that is 4 landings before @3.\n[2]\n"
    assert shell("show", "ses_000000") == (
        "! mic: No session begins with 000000, or you may not see it.\n!      `mic log` lists what landed.\n[4]\n"
    )


def test_files_that_look_like_refs(shell: Shell, name: str) -> None:
    garden(shell, name)
    for file in ("HEAD", "@3", "12"):
        shell.write(file, f"{file}\n")
    assert shell("diff", "--name-only", "--", "HEAD", "@3") == "@3\nHEAD\n"
    assert shell("diff", "--name-only", "12") == "12\n"
    assert shell("diff", "--name-only", "./HEAD") == "HEAD\n"


def test_an_open_session_is_shown_and_is_no_moment(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    garden(shell, name, "public")
    shell("session", "start", "Dig")
    session = shell.json("session", "status")["session"]["id"]
    assert shell("show", session[:20]).startswith("active Dig\n")
    assert shell("cat", "README.md", session) == (
        "! mic: Session SESSION has not landed: it is no moment.\n!      `mic show SESSION` shows it.\n[2]\n"
    )
    other = Shell(forge, tmp_path / "other", f"v{name}")
    other.cd(".")
    said = other("show", session[:20], "--project", f"{name}/garden")
    assert said.startswith(f"! mic: No session begins with {session[:20]}, or you may not see it.\n"), said


def test_a_beginning_that_several_have(shell: Shell, name: str) -> None:
    """What is imported at once gets ids of one moment."""
    garden(shell, name)
    first, second = (shell.json("show", f"@{position}")["session"]["id"] for position in (1, 2))
    assert first[:8] == second[:8]
    said = shell("show", first[:8])
    assert said.startswith(f"! mic: Several sessions begin with {first[:8]}.\n!      Give more of the id: SESSION, ")
    assert said.endswith("[2]\n")


def test_listing_all_files_and_stats_of_landings(shell: Shell, name: str) -> None:
    garden(shell, name)
    assert shell("ls", "-r") == ("100644 30 README.md\n120000  9 link@\n100755 10 run.sh\n100644  8 src/water.py\n")
    assert shell("ls", "-r", "src", "@latest") == "100644 7 water.py\n"
    assert shell("show", "@1:") == "README.md\nsrc/\n"
    assert shell("log", "-n", "2", "--stat", "@latest") == (
        f"@4  WHEN  u{name}  Earlier\n src/water.py |     2 +-\n 1 file changed, 1 added, 1 deleted\n"
        "@3  WHEN  Ada  Grow  (your base)\n README.md |     2 ++\n 1 file changed, 2 added, 0 deleted\n"
    )
    told = shell.json("log", "-n", "1", "--stat")["landings"][0]["diffs"]
    assert [(item["path"], item["additions"], item["deletions"]) for item in told] == [("src/water.py", 1, 1)]


def test_differences_in_words_and_with_counts(shell: Shell, name: str) -> None:
    garden(shell, name)
    shell.write("src/water.py", "AT = 5.5\n")
    header = "diff --git a/src/water.py b/src/water.py\n--- a/src/water.py\n+++ b/src/water.py\n@@ -1 +1 @@\n"
    assert shell("diff", "--word") == f"{header}AT = [-12-]{{+5.5+}}\n"
    stat = " src/water.py |     2 +-\n 1 file changed, 1 added, 1 deleted\n"
    assert shell("diff", "--stat", "--patch") == f"{stat}\n{header}-AT = 12\n+AT = 5.5\n"
    assert shell("diff", "--name-only", "--word").endswith("!      See `mic diff --help`.\n[2]\n")
