"""Work without a network: what the forge cannot be told waits, in order, and is sent once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from inside import Inside
from killed import KILLED, ran, some
from mic.rpc import client as rpc
from mic.workspace.pending import VERSION

AWAY = "! The forge FORGE cannot be reached: Connection refused.\n"
HINT = "`mic sync` sends it when the forge can be reached; `mic pending list` shows what waits.\n"


@pytest.fixture
def name(insider: Inside, request: pytest.FixtureRequest) -> Iterator[str]:
    """A project of one landing, and a working copy of it in a folder of its own; then nobody is reached any more."""
    handle = f"{insider.own}/{request.node.name.replace('_', '-')[:40]}"
    home = insider.home
    insider.home = insider.cwd = home / handle.partition("/")[2]
    insider.home.mkdir()
    insider("project", "create", handle)
    insider("clone", handle, "w")
    insider.cd("w")
    insider.write("rose", "1\n2\n3\n4\n5\n")
    insider.write("lily", "white\n")
    assert insider("land", "Plant") == "Landed @1: Plant (2 files)\n"
    insider.go_off_line()
    yield handle
    insider.go_on_line()
    insider.home = home


@pytest.fixture
def here(insider: Inside, name: str) -> Inside:
    """The person, in that working copy."""
    return insider


def test_landings_wait_in_order(here: Inside, name: str) -> None:
    """Three on one another, each as it was when it was given; each lands once, and later edits stay edits."""
    here("session", "start", "Water")
    here("session", "note", "Dry soil")
    here.write("rose", "1\n2\n3\n4\nfive\n")
    assert here("land") == f"Waits to land: Water (1 file)\n{HINT}{AWAY}[6]\n"
    here.write("rose", "one\n2\n3\n4\nfive\n")
    here.write("tulip", "red\n")
    assert here("land", "Plant more").startswith("Waits to land: Plant more (2 files)\n")
    assert here("land", "Plant more").startswith("Waits to land: Plant more (2 files)\n")
    (here.cwd / "tulip").unlink()
    assert here("land", "Tulips are eaten").startswith("Waits to land: Tulips are eaten (1 file)\n")
    here.write("lily", "pale\n")
    assert "3 operations wait for the forge (`mic sync` sends, `mic pending list` lists)\n" in here("status")
    assert here.json("status")["pending"] == 3
    assert here("pending", "list") == (
        "  1  WHEN  land     Water (1 file)\n"
        "  2  WHEN  land     Plant more (2 files)\n"
        "  3  WHEN  land     Tulips are eaten (1 file)\n"
    )
    here.go_on_line()
    assert here("sync") == (
        "Landed @2: Water (1 file)\n"
        "Landed @3: Plant more (2 files)\n"
        "Landed @4: Tulips are eaten (1 file)\n"
        "Nothing new: your base @4 is the newest landing.\n"
    )
    assert here("status") == f"{name} at landing 4, from FORGE\nNo session is open.\n  M lily\n"
    assert here("cat", "rose", "@2") == "1\n2\n3\n4\nfive\n"
    assert here("cat", "tulip", "@3") == "red\n"
    assert here("cat", "lily", "@4") == "white\n"
    assert here.json("show", "@2")["session"]["conversation"][0]["text"] == "Dry soil"
    assert here("sync") == "Nothing new: your base @4 is the newest landing.\n"
    assert not any((here.cwd / ".mic/pending").rglob("*.new"))
    assert list((here.cwd / ".mic/pending/contents").iterdir()) == []


def test_what_is_refused_anyway_sends_nothing(here: Inside) -> None:
    """Revert and the switch of a branch say that a session is open before anything that waits is sent."""
    here.write("rose", "wet\n")
    assert here("land", "Water").startswith("Waits to land")
    here("session", "start", "More")
    here.go_on_line()
    for command in (("revert", "@1"), ("branch", "switch", "winter")):
        said = here(*command)
        assert said.startswith("! mic: A session is open")
        assert here.json("status")["pending"] == 1, command


def test_a_lost_answer_lands_nothing_twice(here: Inside) -> None:
    """The forge has it, and the queue was not told: as after kill -9 between the two."""
    here.write("rose", "red\n")
    here("land", "Paint")
    kept = {path: path.read_bytes() for path in (here.cwd / ".mic/pending").rglob("*") if path.is_file()}
    here.go_on_line()
    assert here("land") == "Landed @2: Paint (1 file)\n"
    for path, data in kept.items():
        path.write_bytes(data)
    here.write("lily", "pale\n")
    assert here.json("sync")["sent"][0]["position"] == 2
    assert [item["goal"] for item in here.json("log")["landings"]] == ["Paint", "Plant"]
    assert here("status").endswith("  M lily\n")


def test_others_landed_meanwhile(here: Inside, name: str) -> None:
    """A merge by lines is taken in; what clashes opens its session again, with all that stood on it."""
    here.write("rose", "one\n2\n3\n4\n5\n")
    here("land", "First line")
    here.write("lily", "pale\n")
    here("session", "start", "Lilies")
    here("session", "decide", "Pale", "--why", "Sun")
    here("land")
    here.write("grass", "green\n")
    here("land", "Grass")
    here("session", "start", "Not yet")
    here("session", "note", "Perhaps tomorrow")
    here("session", "decide", "Wait", "--why", "Rain", "--message", "tomorrow")
    here.go_on_line()
    here("clone", name, "../there")
    here.cd("there")
    here.write("rose", "1\n2\n3\n4\nfive\n")
    here.write("lily", "dark\n")
    assert here("land", "Other") == "Landed @2: Other (2 files)\n"
    here.cd("w")
    said = here("sync")
    assert said.startswith(
        "Landed @3: First line (1 file)\nNot sent, open here again: Lilies (lily was not like that at position 3.)\n"
    )
    assert "clash: lily, between the marked lines" in said
    assert said.endswith("[3]\n")
    assert here.read("rose") == "one\n2\n3\n4\nfive\n"
    session = here.json("session", "status")["session"]
    assert session["goal"] == "Lilies"
    assert [item["text"] for item in session["conversation"]] == [
        "Also here: Grass", "Also here: Not yet", "Perhaps tomorrow"
    ]  # fmt: skip
    assert [(each["what"], each["message"]) for each in session["decisions"]] == [("Pale", None), ("Wait", 3)]
    assert here("pending", "list") == "Nothing waits for the forge.\n"
    here.write("lily", "pale\n")
    assert here("land") == "Landed @4: Lilies (2 files)\n"


def test_a_push_behind_a_landing_that_clashes(here: Inside, name: str) -> None:
    """Its session becomes part of the one that is open again, so nothing of it is left to be pushed."""
    here.write("rose", "one\n2\n3\n4\n5\n")
    here("land", "First line")
    here("session", "start", "Lilies")
    here("session", "note", "Pale ones")
    here.write("rose", "two\n2\n3\n4\n5\n")
    assert here("session", "push").startswith("Waits to push: Lilies (1 file)\n")
    here.go_on_line()
    here("clone", name, "../there")
    here.cd("there")
    here.write("rose", "three\n2\n3\n4\n5\n")
    assert here("land", "Other") == "Landed @2: Other (1 file)\n"
    here.cd("w")
    assert "Not sent, open here again: First line" in here("sync")
    assert here("pending", "list") == "Nothing waits for the forge.\n"
    session = here.json("session", "status")["session"]
    assert [item["text"] for item in session["conversation"]] == ["Also here: Lilies", "Pale ones"]
    here.write("rose", "two\n2\n3\n4\n5\n")
    assert here("land") == "Landed @3: First line (1 file)\n"


def test_a_push_waits_as_it_was(here: Inside) -> None:
    """The last push of a session counts, and one that landed or was given up needs none."""
    here("session", "start", "Water")
    here.write("rose", "wet\n")
    assert here("session", "push", "-m", "Half").startswith("Waits to push: Water (1 file)\n")
    here.write("rose", "wetter\n")
    here("session", "push")
    here.write("rose", "dry\n")
    assert [item["kind"] for item in here.json("pending", "list")["pending"]] == ["push"]
    here.go_on_line()
    own = here.json("session", "status")["session"]["id"]
    assert here("sync").startswith("Pushed: Water\n")
    assert here("cat", "rose") == "1\n2\n3\n4\n5\n"
    assert here("diff", "--since-push") == (
        "diff --git a/rose b/rose\n--- a/rose\n+++ b/rose\n@@ -1 +1 @@\n-wetter\n+dry\n"
    )
    here.go_off_line()
    here("session", "note", "Too dry")
    assert here("session", "push").startswith("Waits to push: Water")
    here("session", "decide", "At night")
    assert here("session", "abandon").startswith("Waits to give up: Water\n")
    assert here("status").splitlines()[1:] == [
        "No session is open.",
        "1 operation waits for the forge (`mic sync` sends, `mic pending list` lists)",
        "  M rose",
    ]
    here.go_on_line()
    assert here("sync").startswith("Abandoned: Water\n")
    assert here("show", own).startswith("abandoned Water\n")
    given_up = here.json("session", "show", own)["session"]
    assert [turn["text"] for turn in given_up["conversation"]] == ["Half", "Too dry"]
    assert [each["what"] for each in given_up["decisions"]] == ["At night"]


def test_a_session_that_the_forge_never_heard_of_is_given_up(here: Inside) -> None:
    """Begun and given up without a network: its words are on the forge afterwards, as those of any other."""
    here("session", "start", "Water")
    here("session", "note", "Dry soil")
    own = here.json("session", "status")["session"]["id"]
    here("session", "abandon")
    here.go_on_line()
    assert here("sync").startswith("Abandoned: Water\n")
    assert here.json("session", "show", own)["session"]["conversation"][0]["text"] == "Dry soil"
    assert here.json("session", "show", own)["session"]["state"] == "abandoned"


def test_a_push_without_files_waits(here: Inside) -> None:
    """Words alone can be pushed, and put aside, while nothing else ever waited here."""
    here("session", "start", "Water")
    here("session", "note", "Dry soil")
    own = here.json("session", "status")["session"]["id"]
    assert here("session", "switch", "--none").startswith("Put aside: Water\n")
    here.go_on_line()
    assert here("sync") == "Pushed: Water\nNothing new: your base @1 is the newest landing.\n"
    assert here.json("session", "show", own)["session"]["conversation"][0]["text"] == "Dry soil"


def test_a_session_on_top_of_what_waited_lands(here: Inside) -> None:
    """Begun while a landing waited, over a file that it changes: once that has landed it stands on it."""
    here.write("rose", "wet\n")
    here("land", "Water")
    here("session", "start", "Water more")
    here.write("rose", "wetter\n")
    here.go_on_line()
    assert here("sync").startswith("Landed @2: Water (1 file)\n")
    assert here.json("session", "status")["session"]["base_position"] == 2
    assert here("session", "push").startswith("Pushed: Water more (1 file)\n")
    assert here("land") == "Landed @3: Water more (1 file)\n"


def test_one_is_taken_back(here: Inside) -> None:
    """A landing opens its session again, with what stands on it; a push is just not made."""
    here.write("rose", "wet\n")
    here("land", "Water")
    here.write("lily", "wet\n")
    here("land", "Water lilies")
    assert here("undo") == (
        "! mic: mic land stays: it waits to be sent, and `mic pending drop` takes it back.\n"
        "!      `mic op log` lists what was done.\n[2]\n"
    )
    assert here("pending", "drop", "1") == "Open here again: Water\nwith it: Water lilies\n"
    assert here("undo").startswith(
        "! mic: mic pending drop stays: its session is open here again, and `mic land` lands it.\n"
    )
    assert here("pending", "drop", "1") == (
        "! mic: Nothing with the number 1 waits here.\n!      `mic pending list` lists what does.\n[4]\n"
    )
    assert here("session", "push").startswith("Waits to push: Water (2 files)\n")
    assert here("pending", "drop", "1") == "Not told to the forge: Water\n"
    assert here.json("session", "status")["session"]["conversation"][0]["text"] == "Also here: Water lilies"


def test_a_newer_version_is_named_and_not_passed_over(here: Inside) -> None:
    here.write("rose", "wet\n")
    here("land", "Water")
    path = here.cwd / ".mic/pending/00000001"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"mic-pending %d" % VERSION, b"mic-pending %d" % (VERSION + 1), 1))
    here.go_on_line()
    newer = (
        "! mic: HOME/w/.mic/pending/00000001, which waits to be sent, was written by a newer version of mic.\n"
        "!      Use that version.\n[1]\n"
    )
    assert (here("sync"), here("land"), here("pending", "list")) == (newer, newer, newer)
    assert "1 operation waits" in here("status")
    path.write_bytes(data[: len(data) // 2])
    assert "is damaged" in here("sync")
    path.write_bytes(data)
    assert here("land", "Water") == "Landed @2: Water (1 file)\n"


def test_what_the_forge_refuses_does_not_wait(here: Inside, name: str) -> None:
    """A forge that says no is no forge that is away; and a session of one that is away says which one it needs."""
    here.go_on_line()
    here.write("rose", "wet\n")
    here("project", "archive", name)
    assert "archived" in here("land", "Water")
    assert here("pending", "list") == "Nothing waits for the forge.\n"
    here.go_off_line()
    assert here("land").startswith("Waits to land: Water (1 file)\n")
    here.go_on_line()
    assert "open here again" in here("sync") + here("land")
    assert here.json("session", "status")["session"]["goal"] == "Water"


def test_what_needs_no_forge_works(here: Inside) -> None:
    """Notes, decisions, differences, taking back: none of it asks anybody."""
    here("session", "start", "Water")
    here("session", "decide", "At dawn", "--why", "Dew")
    here.write("rose", "1\n2\n3\n4\nfive\n")
    assert here("diff") == (
        "diff --git a/rose b/rose\n--- a/rose\n+++ b/rose\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n"
    )
    assert here("session", "status").startswith("Water\n")
    assert here("undo").startswith("Undone: mic session decide")
    assert here("redo").startswith("Done again")
    assert here("clone", "x/y") == (
        "! mic: The forge FORGE cannot be reached: Connection refused.\n"
        "!      Is it running? Is the address right? Then try again.\n[6]\n"
    )


def test_what_the_forge_said_before_is_still_known(here: Inside) -> None:
    """Looking shows what was looked at, and says since when it is not asked; what nobody saw is an error."""
    here.go_on_line()
    shown, listed, known = here("show", "@1"), here("ls"), here("log")
    here.go_off_line()
    before = "! The forge FORGE cannot be reached: Connection refused. This is what it said before.\n"
    assert here("show", "@1") == shown + before
    assert here("ls") == listed + before
    assert here("log") == here("log", "-n", "1") == known + before
    assert here("cat", "rose") == "1\n2\n3\n4\n5\n"
    assert here("show", "@7").endswith("[6]\n")


def test_a_shorter_list_takes_nothing_of_what_was_known(here: Inside) -> None:
    """Asked for two landings after all of them, and for more than were ever shown."""
    here.go_on_line()
    for number in range(2, 7):
        here.write("rose", f"{number}\n")
        here("land", f"Landing {number}")
    here("cache", "clear")
    shorter, longer = here("log", "-n", "2"), here("log", "-n", "4")
    here.write("rose", "7\n")
    here("land", "Landing 7")
    newest = here("log", "-n", "2")
    here.go_off_line()
    before = "! The forge FORGE cannot be reached: Connection refused. This is what it said before.\n"
    older = "! What is older was not asked for before.\n"
    assert here("log", "-n", "2") == newest + before
    marked = longer.replace("  (your base)", "")
    assert here("log") == newest.splitlines(keepends=True)[0] + marked + before + older
    assert shorter.splitlines()[1] == longer.splitlines()[1]


def test_a_long_listing_has_no_older_files(here: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of lists of landings is not said of the pages of a tree."""
    here.go_on_line()
    monkeypatch.setattr(rpc, "TREE_PAGE", 1)
    listed = here("ls", "-r")
    here.go_off_line()
    assert listed.count("\n") > 1
    before = "! The forge FORGE cannot be reached: Connection refused. This is what it said before.\n"
    assert here("ls", "-r") == listed + before


def test_sessions_are_put_aside_and_taken_up(here: Inside, name: str) -> None:
    """Two sessions in turns, from what waits; in the end the forge has both, and the newest work of each."""
    here("session", "start", "Water")
    here.write("rose", "wet\n")
    (here.cwd / "lily").unlink()
    here("session", "note", "Dry soil")
    water = here.json("session", "status")["session"]["id"]
    assert here("session", "switch", "--none") == (
        "Put aside: Water\n! The forge FORGE cannot be reached: Connection refused. `mic sync` saves it on the forge "
        "when it can be reached.\n"
    )
    assert (here.read("rose"), here.read("lily")) == ("1\n2\n3\n4\n5\n", "white\n")
    assert here("status").endswith("Nothing changed.\n")
    here("session", "start", "Paint")
    here.write("rose", "blue\n")
    paint = here.json("session", "status")["session"]["id"]
    assert here("session", "switch", water).startswith(
        "Put aside: Paint\nResumed: Water\nsession SESSION, base @1: 2 files, 1 note, 0 decisions\n"
    )
    assert here.read("rose") == "wet\n"
    assert not (here.cwd / "lily").exists()
    assert here.json("session", "status")["session"]["conversation"][0]["text"] == "Dry soil"
    here.write("rose", "wetter\n")
    assert "Resumed: Paint\n" in here("session", "switch", paint)
    assert here.read("rose") == "blue\n"
    assert here("session", "resume", water).endswith("[6]\n")
    here("land")
    assert here("session", "switch", "--none").endswith("[6]\n")
    here.go_on_line()
    assert here("sync").startswith("Pushed: Water\nLanded @2: Paint (1 file)\n")
    assert "base @1: 2 files" in here("session", "resume", water)
    assert here.read("rose") == "wetter\n"


def test_killed_at_moments_nothing_is_lost_and_nothing_lands_twice(here: Inside) -> None:
    """kill -9 while it is written down, and while it is sent: the next `mic sync` brings each to the forge once."""
    here.write("rose", "wet\n")
    counted = killed(here, -1, "land", "Water")
    assert counted.returncode == 6, counted.stderr
    (here.cwd / "lily").unlink()
    changes = int(counted.stderr.splitlines()[-1])
    for limit in some(changes) if os.environ.get("KILL_EVERY") else (changes // 2, changes - 1):
        # Where it came far enough, repeating it adds nothing.
        assert killed(here, limit, "land", "No lilies").returncode in (KILLED, 6)
        assert here.run("status").returncode == 0
    assert here("land", "No lilies").startswith("Waits to land: No lilies (1 file)\n")
    assert [item["goal"] for item in here.json("pending", "list")["pending"]] == ["Water", "No lilies"]
    here.go_on_line()
    for limit in range(20) if os.environ.get("KILL_EVERY") else (2, 5, 9):
        assert killed(here, limit, "sync").returncode in (KILLED, 0)
        assert here.run("status").returncode == 0
    here("sync")
    assert [item["goal"] for item in here.json("log")["landings"]] == ["No lilies", "Water", "Plant"]
    assert here.json("status")["changes"] == []
    assert here.json("status")["pending"] == 0
    assert here.json("status")["session"] is None


def killed(here: Inside, limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mic` here in a process of its own, ended before change number `limit` of a name."""
    return ran(here.cwd, here.environment, limit, *arguments)
