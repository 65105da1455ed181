"""Sessions on sessions: begun on work that has not landed, landed after it, with only what is their own."""

from __future__ import annotations

import pytest

from test_cli_killed import ran
from transcript import Shell

BEGIN = "".join(f"{number}\n" for number in range(10))


@pytest.fixture
def garden(shell: Shell, name: str) -> Shell:
    """A working copy of NAME/p at @1, with a session `Lower` that changed line 2 and made a file."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "w")
    shell.cd("w")
    shell.write("list", BEGIN)
    shell("land", "Begin")
    shell("session", "start", "Lower")
    shell.write("list", BEGIN.replace("2\n", "lower\n"))
    shell.write("new", "lower\n")
    return shell


def session_of(shell: Shell) -> str:
    found: str = shell.json("session", "status")["session"]["id"]
    return found


def test_on_the_open_session(garden: Shell) -> None:
    """The lower one is pushed; the upper one changes the very lines of it, waits for it, and lands only its own."""
    lower = session_of(garden)
    assert garden("session", "start", "Upper", "--on", lower[:10]) == (
        "Started: Upper\nsession SESSION, base @1\nIt stands on Lower (2 files), and lands after it.\n"
    )
    upper = session_of(garden)
    assert "It stands on session SESSION, and lands after it.\n" in garden("session", "status")
    garden.write("list", BEGIN.replace("2\n", "lower\nupper\n"))
    garden.write("above", "upper\n")
    assert garden("land") == (
        "! mic: This session stands on one that has not landed: Lower.\n"
        "!      Land that first: `mic session switch SESSION`, `mic land`.\n[1]\n"
    )
    garden("session", "switch", lower)
    assert garden.read("list") == BEGIN.replace("2\n", "lower\n")
    assert garden("land") == "Landed @2: Lower (2 files)\n"
    garden("session", "resume", upper)
    assert garden("land") == (
        "! mic: Lower, on which this session stands, landed @2.\n!      Run `mic sync`, then land again.\n[1]\n"
    )
    assert garden("sync").startswith("Synced @1 to @2: 0 files brought in.\n")
    assert garden.read("list") == BEGIN.replace("2\n", "lower\nupper\n")
    assert garden("land") == "Landed @3: Upper (2 files)\n"
    found = garden.json("show", "@3")["session"]
    assert ([each["path"] for each in found["changes"]], found["based_on"]) == (["above", "list"], lower)
    assert garden("diff", "@2..@3", "--name-only") == "above\nlist\n"
    assert not list((garden.cwd / ".mic/stacked/contents").iterdir())


def test_status_counts_what_is_its_own(garden: Shell) -> None:
    """Files of the session below land with that one, unless they were changed again, or taken back."""
    lower = session_of(garden)
    garden("session", "start", "Upper", "--on", lower[:10])
    assert garden("session", "status").endswith("\n0 files would land.\n")
    garden.write("above", "upper\n")
    assert garden("session", "status").endswith("\n1 file would land:\n  A above\n")
    assert garden.json("session", "status")["files"] == 1
    garden.write("new", "upper\n")
    garden.write("list", BEGIN)
    assert garden("session", "status").endswith("\n3 files would land:\n  A above\n  M list\n  M new\n")
    (garden.cwd / "new").unlink()
    assert garden("session", "status").endswith("\n3 files would land:\n  A above\n  M list\n  D new\n")


def test_on_one_that_was_pushed_and_others_landed_between(garden: Shell, name: str) -> None:
    """What others landed stays, whatever the lower one was merged with."""
    garden("session", "push")
    lower = session_of(garden)
    garden.cd(".")
    garden("clone", f"{name}/p", "v")
    garden.cd("v")
    said = garden("session", "start", "Upper", "--on", lower)
    assert said.endswith("It stands on Lower (2 files), and lands after it.\n")
    assert garden.read("new") == "lower\n"
    garden.write("list", BEGIN.replace("2\n", "lower and upper\n"))
    garden.cd(".")
    garden("clone", f"{name}/p", "x")
    garden.cd("x")
    garden.write("list", BEGIN.replace("8\n", "others\n"))
    garden("land", "Others")
    garden.cd("w")
    assert garden("land").startswith("Landed @3: Lower (2 files)\nmerged with what landed meanwhile: list\n")
    garden.cd("v")
    assert garden("sync").startswith("Synced @1 to @3: 0 files brought in.\nmerged: list")
    assert garden.read("list") == BEGIN.replace("2\n", "lower and upper\n").replace("8\n", "others\n")
    assert garden("land") == "Landed @4: Upper (1 file)\n"


def test_the_lower_one_goes_on(garden: Shell) -> None:
    """What it changed after the upper one began comes with the sync."""
    lower = session_of(garden)
    garden("session", "start", "Upper", "--on", lower)
    upper = session_of(garden)
    garden.write("list", BEGIN.replace("2\n", "lower\n").replace("6\n", "upper\n"))
    garden("session", "switch", lower)
    garden.write("list", BEGIN.replace("2\n", "lower again\n"))
    garden("land")
    garden("session", "resume", upper)
    assert garden("sync").startswith("Synced @1 to @2: 0 files brought in.\nmerged: list")
    assert garden.read("list") == BEGIN.replace("2\n", "lower again\n").replace("6\n", "upper\n")


def test_the_lower_one_was_given_up(garden: Shell) -> None:
    lower = session_of(garden)
    garden("session", "start", "Upper", "--on", lower)
    upper = session_of(garden)
    garden("session", "switch", lower)
    garden("session", "abandon")
    for path in ("new", "list"):
        garden.write(path, BEGIN) if path == "list" else (garden.cwd / path).unlink()
    garden("session", "resume", upper)
    assert garden("land") == (
        "Landed @2: Upper (2 files)\n! Lower, on which this stood, was given up; its changes land with this session.\n"
    )
    assert garden.json("show", "@2")["session"]["based_on"] is None


def test_undone_and_refused(garden: Shell) -> None:
    lower = session_of(garden)
    garden("session", "start", "Upper", "--on", lower)
    assert garden("undo").startswith("Undone: mic session start")
    assert session_of(garden) == lower
    assert "A session is open here: Lower" in garden("session", "start", "Upper", "--on", "01ARZ3NDEK")
    garden("session", "switch", "--none")
    assert garden.run("session", "start", "Upper", "--on", "01ARZ3NDEK").returncode == 4
    assert garden.run("session", "start", "Upper", "--on", "no").returncode == 2


def test_killed(garden: Shell) -> None:
    """At any moment the lower session is open, or the upper one; never none, and the work is here."""
    lower = session_of(garden)
    for limit in range(0, 40, 2):
        done = ran(garden, limit, "session", "start", "Upper", "--on", lower)
        status = garden.json("session", "status")["session"]
        assert status["goal"] in ("Lower", "Upper")
        assert garden.read("new") == "lower\n"
        if done.returncode == 0:
            break
        if status["goal"] == "Upper":
            assert garden.run("undo").returncode == 0
    assert garden.json("session", "status")["session"]["based_on"] == lower


def test_the_forge_holds_to_it(garden: Shell) -> None:
    """A session that says it stands on what has not landed does not land, whoever asks."""
    import os
    import secrets

    from mic.cli.forge.connection import connect
    from mic.core.errors import PreconditionFailed
    from mic.rpc.v1 import mic_pb2 as pb

    organization = garden.json("status")["organization"]
    token = garden.forge.token(f"u{organization}")
    os.environ["MICELIO_TOKEN"], os.environ["MICELIO_INSTANCE"] = token, garden.forge.base_url
    try:
        with connect(garden.forge.base_url, signed_in=True) as client:
            request = pb.LandSessionRequest(
                project=pb.ProjectRef(organization=organization, handle="p"),
                session=pb.Session(
                    id=secrets.token_bytes(16), goal="Upper", base_position=1, based_on=secrets.token_bytes(16),
                    changes=[pb.Change(path=b"list", op=pb.Change.DELETED)],
                ),
            )  # fmt: skip
            with pytest.raises(PreconditionFailed, match="stands on one that has not landed"):
                client.call(client.sessions.LandSession, request)
    finally:
        del os.environ["MICELIO_TOKEN"], os.environ["MICELIO_INSTANCE"]
