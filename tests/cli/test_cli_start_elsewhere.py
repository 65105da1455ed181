"""`mic session start ORG PROJECT GOAL`: a session of a project that one has no working copy of yet."""

from __future__ import annotations

import pytest

from inside import Inside
from transcript import Shell


@pytest.fixture(scope="module")
def garden(insider: Inside) -> str:
    """A project of one landing with one file."""
    name = f"{insider.own}/begun"
    insider.cd("begun-from").mkdir()
    insider.write("rose", "rose\n")
    insider("init", name)
    assert insider("land", "Plant") == "Landed @1: Plant (1 file)\n"
    return name


def test_it_is_cloned_into_a_folder_of_its_name(insider: Inside, garden: str) -> None:
    """By ORG PROJECT or ORG/PROJECT; in a copy that is there already it just starts."""
    insider.cd("desk").mkdir()
    assert insider("session", "start", insider.own, "begun", "Water at dawn") == (
        f"Cloned {garden} @1 in HOME/desk/begun: 1 file.\n"
        "Started: Water at dawn\n"
        "session SESSION, base @1\n"
    )  # fmt: skip
    insider.cd("desk/begun")
    assert insider.read("rose") == "rose\n"
    insider.write("dew", "dew\n")
    assert insider("land") == "Landed @2: Water at dawn (1 file)\n"
    started = insider.json("session", "start", garden, "Then at dusk")
    assert (started["session"]["goal"], started["directory"]) == ("Then at dusk", str(insider.cwd))
    insider("session", "abandon")
    insider.cd("desk")
    assert insider("session", "start", garden, "At noon") == (
        f"In HOME/desk/begun, which is a working copy of {garden}.\nStarted: At noon\nsession SESSION, base @2\n"
    )
    assert insider("session", "start", garden, "Again") == (
        f"In HOME/desk/begun, which is a working copy of {garden}.\n"
        "! mic: A session is open: At noon.\n"
        "!      `mic land` or `mic session abandon` it first, or put it aside: `mic session switch --none`.\n[2]\n"
    )


def test_a_copy_of_another_project_says_what_to_do(insider: Inside, garden: str) -> None:
    insider.cd("begun-from")
    other = f"{insider.own}/herbs"
    assert insider("session", "start", other, "Sow") == (
        f"! mic: This is a working copy of {garden}, not of {other}.\n"
        '!      `mic session start "GOAL"` starts a session here; go to another folder for the other project.\n[2]\n'
    )
    assert insider("session", "start", f"{garden}@winter", "Sow").startswith(
        f"! mic: This is a working copy of {garden}, not of {garden}@winter.\n"
    )


def test_words_without_quotes_are_no_project(insider: Inside, garden: str) -> None:
    """A goal of several words that nobody quoted names the quotes."""
    insider.cd("begun-from")
    quotes = '!      A goal of several words stands in quotes: `mic session start "{}"`.\n[2]\n'
    for words in (["Water", "roses"], ["Water", "the", "roses"], ["Water", "the", "red", "roses"]):
        said = insider("session", "start", *words)
        assert said.endswith(quotes.format(" ".join(words))), said
    assert insider("session", "start").startswith("! mic: Missing argument '[ORG PROJECT] GOAL'")


def test_what_is_refused_leaves_nothing(insider: Inside, shell: Shell, garden: str, name: str) -> None:
    """No folder, no session: of a project that is not there, one that may only be read, with no goal, signed out."""
    insider("project", "update", garden, "--public")
    shell.cd("here").mkdir()
    assert shell("session", "start", garden, "Water") == (
        f"! mic: You may read {garden}, and not change it.\n"
        f"!      Ask an admin of {insider.own} to make you a member, or fork it: "
        f"`mic project create ORG/begun --fork {garden}`.\n[5]\n"
    )
    assert shell("session", "start", f"{name}/nothing", "Water").endswith("[4]\n")
    assert shell("session", "start", garden, " ").endswith("[2]\n")
    (shell.home / ".config/mic/credentials.json").unlink()
    assert shell("session", "start", garden, "Water").startswith("! mic: You are not signed in at ")
    assert list(shell.cwd.iterdir()) == []
