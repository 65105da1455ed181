"""A project that is made private meanwhile, or deleted, to somebody who only read it: every command says the same
sentence with the same code, and what they did stays on their disk."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from forge_process import Forge
from inside import NOBODY, Inside

_numbers = itertools.count(1)


class Two(NamedTuple):
    """Who owns the project, and a reader in a working copy `w` of its first landing, with a session that was begun off
    line."""

    owner: Inside
    reader: Inside
    project: str


@pytest.fixture
def two(insider: Inside, forge: Forge, tmp_path: Path) -> Iterator[Two]:
    project = f"{insider.own}/private-{next(_numbers)}"
    insider.cd(".")
    insider("project", "create", project, "--visibility", "public")
    insider("clone", project, "owned")
    insider.cd("owned")
    insider.write("rose", "1\n")
    insider.write("lily", "white\n")
    assert insider("land", "Plant") == "Landed @1: Plant (2 files)\n"
    reader = Inside(forge, tmp_path / "reader", f"rd{os.getpid()}")
    assert reader("clone", project, "w").startswith(f"Cloned {project} @1 in ")
    reader.cd("w")
    reader.go_off_line()
    assert reader("session", "start", "Water").startswith("Started: Water\n")
    reader.go_on_line()
    reader("session", "note", "Dry soil")
    reader.write("rose", "mine\n")
    reader.write("tulip", "red\n")
    yield Two(insider, reader, project)
    insider.cd(".")
    insider("project", "delete", project, "--yes")
    shutil.rmtree(insider.home / "owned")


def refusal(project: str) -> str:
    return (
        f"! mic: There is no project {project}, or you may not see it.\n"
        "!      Check the spelling, or sign in as a member of its organization.\n[4]\n"
    )


def hide(two: Two, how: str) -> None:
    words = ("update", two.project, "--private") if how == "private" else ("delete", two.project, "--yes")
    assert two.owner.run("project", *words).returncode == 0


def stands(reader: Inside) -> None:
    """Files, words and what is changed, as the reader left them."""
    assert (reader.read("rose"), reader.read("lily"), reader.read("tulip")) == ("mine\n", "white\n", "red\n")
    found = reader.json("status")
    assert (found["position"], [each["path"] for each in found["changes"]]) == (1, ["rose", "tulip"])
    assert found["session"]["goal"] == "Water"
    assert [turn["text"] for turn in reader.json("session", "status")["session"]["conversation"]] == ["Dry soil"]


COMMANDS = (
    "sync", "land", "land --async", "session push", "session switch --none", "session list", "session show", "log",
    "log --stat", "log -n 1", "show @1", "ls", "blame rose", "goto @0", "branch list", "branch switch main",
    "branch create x", "diff @0..@1",
)  # fmt: skip


@pytest.mark.parametrize("how", ["private", "deleted"])
def test_every_command_says_the_same(two: Two, how: str) -> None:
    reader, said = two.reader, refusal(two.project)
    hide(two, how)
    for command in COMMANDS:
        assert reader(*command.split()) == said, command
        stands(reader)
    for command in ("status", "diff", "session status", "op log", "cat rose"):
        assert reader.run(*command.split()).returncode == 0, command
    reader.cd(".")
    for command in (f"clone {two.project} again", f"log --project {two.project}", f"project show {two.project}"):
        assert reader(*command.split()) == said, command
    assert not (reader.home / "again").exists()
    reader.cd("w")
    for document in ("sync", "land", "log"):
        assert reader.json(document)["error"]["code"] == "not_found"


def test_what_waits_goes_on_waiting(two: Two) -> None:
    """Off line it is written down; when it is sent the same sentence names the way out, and nothing is lost by it."""
    reader = two.reader
    hide(two, "private")
    reader.go_off_line()
    assert reader("session", "push").startswith("Waits to push: Water (2 files)\n")
    reader.go_on_line()
    reason = f"There is no project {two.project}, or you may not see it."
    for _ in range(2):
        assert reader("sync") == (
            f"Not sent, still waits, number 1: Water\n! mic: {reason}\n"
            "!      Check the spelling, or sign in as a member of its organization. It still waits; "
            "`mic pending drop 1` takes it out.\n[4]\n"
        )
        stands(reader)
    reader("pending", "drop", "1")
    stands(reader)


def test_it_goes_on_when_the_project_is_to_be_seen_again(two: Two) -> None:
    reader = two.reader
    hide(two, "private")
    assert reader("sync") == refusal(two.project)
    two.owner("project", "update", two.project, "--public")
    two.owner.write("lily", "pink\n")
    assert two.owner("land", "Paint") == "Landed @2: Paint (1 file)\n"
    assert reader("sync") == "Synced @1 to @2: 1 file brought in.\n"
    assert (reader.read("lily"), reader.read("rose")) == ("pink\n", "mine\n")


@pytest.mark.parametrize("how", ["private", "deleted"])
def test_the_session_is_given_up_here_alone(two: Two, how: str) -> None:
    """There is nobody to tell. The work stays, and `mic undo` opens the session again."""
    reader = two.reader
    hide(two, how)
    assert reader("session", "abandon") == (
        "Given up here alone: Water\n`mic undo` opens it again.\n"
        "2 files stay changed here, and the next landing has them.\n"
        f"! There is no project {two.project}, or you may not see it.\n"
    )
    assert reader("status").endswith("No session is open.\n  M rose\n  A tulip\n")
    assert reader("undo").startswith("Undone: mic session abandon; your base is @1.\n")
    stands(reader)
    found = reader.json("session", "abandon")
    assert (found["session"]["state"], found["told"]) == ("abandoned", False)
    assert reader("session", "abandon").startswith("! mic: No session is open here.")


def test_pushes_that_wait_go_with_a_session_that_is_given_up(two: Two) -> None:
    """Of one whose project is gone nothing is in the way any more."""
    reader = two.reader
    reader.environment |= {"http_proxy": NOBODY, "no_proxy": ""}
    reader("session", "push")
    reader.go_on_line()
    hide(two, "deleted")
    assert reader("session", "abandon").startswith("Given up here alone: Water\n")
    assert reader.json("status")["pending"] == 0


def test_a_forge_that_is_told_says_so(two: Two) -> None:
    """In the document too."""
    two.owner("session", "start", "Prune")
    assert two.owner.json("session", "abandon")["told"] is True
