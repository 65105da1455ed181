"""From one Micelio to another: what sessions said goes with their commits, and says where it was."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inside import Inside


@pytest.fixture(scope="module")
def garden(insider: Inside) -> Inside:
    """A project whose second landing was decided about, in the working copy `garden`, and an empty project `other`."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/garden", "--visibility", "public")
    insider("project", "create", f"{insider.own}/other", "--visibility", "public")
    insider("clone", f"{insider.own}/garden", "garden")
    insider.cd("garden")
    insider.write("rose", "red\n")
    insider("land", "Plant")
    insider("session", "start", "Water at dawn", "--agent", "claude:opus")
    insider("session", "note", "Noon burned the leaves")
    insider("session", "decide", "Water at 05:30", "--why", "Leaves dry early", "--over", "At night: slugs")
    insider.write("water", "05:30\n")
    assert insider("session", "land") == "Landed @2: Water at dawn (1 file)\n"
    insider("remote", "add", "other", f"{insider.own}/other")
    return insider


def test_what_lands_there_tells_the_why_it_had_here(garden: Inside) -> None:
    """Goal, decisions, conversation and agent are the landing's there, which says where it landed before."""
    garden.cd("garden")
    said = garden("push", "other")
    assert said.startswith("new       main  ")
    assert said.endswith("Pushed to other: 1 ref.\n")
    there = garden.json("show", "@2", "--project", f"{garden.own}/other")["session"]
    here = garden.json("show", "@2")["session"]
    for name in ("goal", "agent", "decisions", "conversation"):
        assert there[name] == here[name]
    assert there["decisions"][0]["why"] == "Leaves dry early"
    assert there["brought"] == {
        "forge": garden.forge.base_url,
        "project": f"{garden.own}/garden",
        "session": here["id"],
        "position": 2,
    }
    assert here["brought"] is None
    shown = garden("show", "@2", "--project", f"{garden.own}/other")
    assert f"It landed as @2 of {garden.own}/garden at FORGE before, as whoever pushed it says.\n" in shown
    assert "Decided: Water at 05:30\n  because Leaves dry early\n  not At night: slugs\n" in shown
    # No ref of it stands there: erased, a session is gone.
    refs = subprocess.run(
        ["git", "ls-remote", f"{garden.forge.base_url}/{garden.own}/other"], capture_output=True, text=True, check=True
    ).stdout
    assert [line.split("\t")[1] for line in refs.splitlines() if "sessions" in line] == []
    # Who wrote the lines came along: the agent did.
    assert "claude" in garden("blame", "water", "--project", f"{garden.own}/other", "--why")
    assert garden("push", "other") == "other has it all already.\n"


def test_only_what_is_new_goes(garden: Inside) -> None:
    """A later push carries later words; --commits-only carries none, and then the message is all that is known."""
    garden.cd("garden")
    garden("push", "other")
    for number, options in ((3, ()), (4, ("--commits-only",))):
        garden("session", "start", f"Landing {number}")
        garden("session", "decide", f"Decision {number}")
        garden.write("rose", f"{number}\n")
        garden("session", "land")
        assert "Pushed to other" in garden("push", "other", *options)
    found = [garden.json("show", f"@{number}", "--project", f"{garden.own}/other")["session"] for number in (3, 4)]
    assert [[each["what"] for each in session["decisions"]] for session in found] == [["Decision 3"], []]
    assert found[1]["brought"] is None
    assert found[1]["goal"].startswith("Landing 4\n\nMicelio-Session: ")


def test_words_come_with_fetch(garden: Inside) -> None:
    """What another Micelio's sessions said is shown with the commits that were fetched from there."""
    garden.cd(".")
    garden("project", "create", f"{garden.own}/looker", "--visibility", "public")
    garden("clone", f"{garden.own}/looker", "looker")
    garden.cd("looker")
    garden.write("a", "a\n")
    garden("land", "Mine")
    garden("remote", "add", "elsewhere", f"{garden.own}/garden")
    assert "elsewhere/main" in garden("fetch", "elsewhere")
    shown = garden("show", "elsewhere/main~2")
    assert "Water at dawn" in shown
    assert f"It landed as @2 of {garden.own}/garden at FORGE.\n" in shown
    assert "Decided: Water at 05:30\n  because Leaves dry early\n" in shown


def test_words_alone_are_nothing(garden: Inside, tmp_path: Path) -> None:
    """Notes are taken with the commits that they are about; what cannot be read keeps no commit out."""
    garden.cd(".")
    garden("project", "create", f"{garden.own}/notes", "--visibility", "public")
    token = garden.forge.token(garden.own.removesuffix("-org"))
    url = f"{garden.forge.base_url.replace('://', f'://x:{token}@')}/{garden.own}/notes"

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        return subprocess.run(
            ["git", "-C", str(tmp_path), *who, *arguments], capture_output=True, text=True, check=False
        )

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "One")
    git("notes", "--ref=sessions", "add", "-m", '{"forge": "nonsense"}')
    alone = git("push", url, "refs/notes/sessions")
    assert alone.returncode
    assert "lands with their commits" in alone.stderr
    both = git("push", url, "main", "refs/notes/sessions")
    assert both.returncode == 0, both.stderr
    found = garden.json("show", "@1", "--project", f"{garden.own}/notes")["session"]
    assert (found["goal"], found["brought"]) == ("One\n", None)
