"""What waits here, without a network, of a session that meanwhile ended from another working copy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from inside import Inside

_numbers = itertools.count(1)


@pytest.fixture
def here(insider: Inside) -> Iterator[Inside]:
    """Two working copies, `here` and `there`, of a project of one landing; in the first a session of one file is open,
    and was pushed. Then nobody is reached any more."""
    handle = f"{insider.own}/ended-{next(_numbers)}"
    home = insider.home
    insider.home = insider.cwd = home / handle.partition("/")[2]
    insider.home.mkdir()
    insider("project", "create", handle)
    insider("clone", handle, "here")
    insider.cd("here")
    insider.write("rose", "1\n")
    assert insider("land", "Plant") == "Landed @1: Plant (1 file)\n"
    insider("clone", handle, "../there")
    insider("session", "start", "Water")
    insider.write("lily", "white\n")
    assert insider("session", "push").startswith("Pushed: Water (1 file)\n")
    insider.go_off_line()
    yield insider
    insider.go_on_line()
    insider.home = home


def session_of(here: Inside) -> str:
    found = here.json("session", "status")["session"]["id"]
    assert isinstance(found, str)
    return found


def there(here: Inside, session: str, *command: str) -> str:
    """What a command says about that session in the other working copy, on line; back here afterwards."""
    here.go_on_line()
    here.cd("there")
    assert here("session", "resume", session).startswith("Resumed: Water\n")
    said = here(*command)
    here.cd("here")
    return said


def words(shown: dict[str, object]) -> tuple[list[str], list[str]]:
    """What was said and what was decided in a session."""
    said, decided = shown["conversation"], shown["decisions"]
    assert isinstance(said, list)
    assert isinstance(decided, list)
    return [turn["text"] for turn in said], [each["what"] for each in decided]


def test_a_push_of_what_landed_elsewhere(here: Inside) -> None:
    """It is not made, and `mic land` closes the session; what was said and changed here since stays."""
    own = session_of(here)
    here("session", "note", "Dry soil")
    here.write("tulip", "red\n")
    assert here("session", "push").startswith("Waits to push: Water (2 files)\n")
    assert there(here, own, "land") == "Landed @2: Water (1 file)\n"
    assert here("sync") == (
        "Not pushed: Water (it landed @2 from elsewhere; `mic land` closes it here)\n"
        "Synced @1 to @2: 0 files brought in.\n"
    )
    assert here("pending", "list") == "Nothing waits for the forge.\n"
    assert here("land").startswith("Already landed @2: Water (1 file)\n")
    assert words(here.json("session", "status")["session"]) == (["Dry soil"], [])
    assert here("land") == "Landed @3: Water (1 file)\n"
    assert here("cat", "tulip") == "red\n"


def test_a_push_of_words_alone_of_what_landed_elsewhere(here: Inside) -> None:
    """What was said since is open here in a new session, and that is pushed."""
    own = session_of(here)
    here("session", "decide", "At night")
    (here.cwd / "lily").unlink()
    assert here("session", "push").startswith("Waits to push: Water\n")
    assert there(here, own, "land") == "Landed @2: Water (1 file)\n"
    assert here("sync") == (
        "Pushed: Water (in a new session: it landed @2 from elsewhere)\nSynced @1 to @2: 1 file brought in.\n"
    )
    new = session_of(here)
    assert new != own
    assert words(here.json("session", "show", new)["session"]) == ([], ["At night"])


def test_a_push_that_says_nothing_new_of_what_landed_elsewhere(here: Inside) -> None:
    own = session_of(here)
    (here.cwd / "lily").unlink()
    here("session", "push")
    there(here, own, "land")
    said = here.json("sync")
    (sent,) = said["sent"]
    assert (sent["kind"], sent["needless"], sent["note"], sent["error"]) == (
        "push", True, "it landed @2 from elsewhere", None,
    )  # fmt: skip
    assert here.json("status")["session"] is None


@pytest.mark.parametrize("command", [("land",), ("session", "push"), ("session", "switch", "--none")])
def test_other_commands_send_a_push_of_what_landed_elsewhere(here: Inside, command: tuple[str, ...]) -> None:
    """They need no `mic pending drop` either."""
    own = session_of(here)
    here("session", "note", "Dry soil")
    here.write("tulip", "red\n")
    here("session", "push")
    there(here, own, "land")
    said = here(*command)
    if command == ("land",):
        assert said.startswith("Already landed @2: Water (1 file)\n")
    else:
        assert "`mic land` closes it here; what was said and changed here since stays." in said
        assert here("land").startswith("Already landed @2: Water (1 file)\n")
    assert words(here.json("session", "status")["session"]) == (["Dry soil"], [])
    assert here("land") == "Landed @3: Water (1 file)\n"
    assert here("sync") == "Nothing new: your base @3 is the newest landing.\n"


def test_a_push_of_what_was_given_up_elsewhere(here: Inside) -> None:
    """Words, files and who wrote them go on in a new session, which is open here and pushed."""
    own = session_of(here)
    here("session", "note", "Dry soil")
    here.write("tulip", "red\n")
    assert here("session", "wrote", "--as", "agent", "--name", "gardener") == (
        "agent: what changed in lily\nagent: what changed in tulip\n"
    )
    here("session", "push")
    there(here, own, "session", "abandon")
    assert here("sync") == (
        "Pushed: Water (in a new session: it was given up from elsewhere)\n"
        "Nothing new: your base @1 is the newest landing.\n"
    )
    new = session_of(here)
    assert new != own
    assert here.json("session", "show", own)["session"]["state"] == "abandoned"
    shown = here.json("session", "show", new)["session"]
    assert words(shown) == (["Dry soil"], [])
    assert [each["path"] for each in shown["changes"]] == ["lily", "tulip"]
    assert here("land") == "Landed @2: Water (2 files)\n"
    assert "gardener" in here("blame", "tulip")


def test_pushes_of_sessions_that_were_put_aside(here: Inside) -> None:
    """Not open here, so what the forge lacks is pushed as a new session: of what landed the rest, else all of it."""
    landed = session_of(here)
    here("session", "note", "Dry soil")
    here.write("tulip", "red\n")
    here("session", "wrote", "--as", "agent", "--name", "gardener")
    assert here("session", "switch", "--none").startswith("Put aside: Water\n")
    assert there(here, landed, "land") == "Landed @2: Water (1 file)\n"
    assert here("sync") == (
        "Pushed: Water (in a new session: it landed @2 from elsewhere)\nSynced @1 to @2: 1 file brought in.\n"
    )
    assert here("session", "resume", "--latest").startswith(
        "Resumed: Water\nsession SESSION, base @1: 1 file, 1 note, 0 decisions\n"
    )
    assert (here.read("tulip"), words(here.json("session", "status")["session"])) == ("red\n", (["Dry soil"], []))
    assert here("land") == "Landed @3: Water (1 file)\nbrought in from others: 1 file\n"
    assert "gardener" in here("blame", "tulip")


def test_a_push_that_was_put_aside_and_given_up_elsewhere(here: Inside) -> None:
    own = session_of(here)
    here.write("tulip", "red\n")
    here("session", "switch", "--none")
    there(here, own, "session", "abandon")
    assert here("sync").startswith("Pushed: Water (in a new session: it was given up from elsewhere)\n")
    assert here("session", "resume", "--latest").startswith("Resumed: Water\nsession SESSION, base @1: 2 files")
    assert (here.read("lily"), here.read("tulip")) == ("white\n", "red\n")


def test_a_push_put_aside_that_says_nothing_new(here: Inside) -> None:
    own = session_of(here)
    here("session", "switch", "--none")
    there(here, own, "land")
    assert here("sync").startswith("Not pushed: Water (it landed @2 from elsewhere)\n")


def test_a_landing_of_what_landed_elsewhere(here: Inside) -> None:
    """It landed once; what it lacks is changed here, and said in a session that is open here."""
    own = session_of(here)
    here("session", "decide", "At night")
    here.write("tulip", "red\n")
    assert here("land").startswith("Waits to land: Water (2 files)\n")
    here.write("oak", "old\n")
    there(here, own, "land")
    assert here("sync") == (
        "Landed @2: Water (2 files; it had landed from elsewhere, and what was said and changed here since stays)\n"
        "Nothing new: your base @2 is the newest landing.\n"
    )
    assert here("status").endswith("Session: Water (started just now)\n  A oak\n  A tulip\n")
    assert words(here.json("session", "status")["session"]) == ([], ["At night"])
    assert here("land") == "Landed @3: Water (2 files)\n"


def test_a_landing_of_what_landed_elsewhere_below_another_session(here: Inside) -> None:
    """The words join the session that is open here."""
    own = session_of(here)
    here("session", "note", "Dry soil")
    here("land")
    here("session", "start", "Weed")
    there(here, own, "land")
    assert here("sync").startswith("Landed @2: Water (1 file; it had landed from elsewhere, ")
    shown = here.json("session", "status")["session"]
    assert shown["goal"] == "Weed"
    assert words(shown) == (["Also here: Water", "Dry soil"], [])


def test_a_landing_of_what_was_given_up_elsewhere(here: Inside) -> None:
    """As on line: it lands as a new session."""
    own = session_of(here)
    here("session", "note", "Dry soil")
    here("land")
    there(here, own, "session", "abandon")
    assert here("sync").startswith("Landed @2: Water (1 file; in a new session: it was given up from elsewhere)\n")
    shown = here.json("show", "@2")["session"]
    assert shown["id"] != own
    assert words(shown) == (["Dry soil"], [])
    assert here("status").endswith("No session is open.\nNothing changed.\n")


def test_giving_up_what_landed_elsewhere(here: Inside) -> None:
    """What was said since is given up as a session of its own; without any, there is nothing to give up."""
    own = session_of(here)
    here("session", "note", "Too wet")
    assert here("session", "abandon").startswith("Waits to give up: Water\n")
    there(here, own, "land")
    assert here("sync").startswith("Abandoned: Water (in a new session: it landed @2 from elsewhere)\n")
    (found,) = here.json("session", "list", "--state", "abandoned")["sessions"]
    assert words(here.json("session", "show", found["id"])["session"]) == (["Too wet"], [])


def test_giving_up_what_landed_elsewhere_without_a_word(here: Inside) -> None:
    own = session_of(here)
    here("session", "abandon")
    there(here, own, "land")
    assert here("sync").startswith("Not given up: Water (it landed @2 from elsewhere)\nSynced @1 to @2: ")
    assert here("pending", "list") == "Nothing waits for the forge.\n"


def test_what_waits_for_a_branch_that_was_deleted(here: Inside) -> None:
    """A session that was put aside is pushed to the branch that is followed then; what waits to land is open again."""
    here.go_on_line()
    here("session", "abandon")
    here("land", "Lilies")
    here("branch", "create", "gone")
    here("branch", "switch", "gone")
    here.write("rose", "2\n")
    here("land", "There")
    here.go_off_line()
    here("session", "start", "Aside")
    here("session", "note", "Dry soil")
    here.write("rose", "3\n")
    here.write("tulip", "red\n")
    (here.cwd / "lily").unlink()
    assert here("session", "switch", "--none").startswith("Put aside: Aside\n")
    here.write("oak", "old\n")
    assert here("land", "Oaks").startswith("Waits to land: Oaks (1 file)\n")
    here.go_on_line()
    project = here("status").partition(", ")[0]
    assert here("branch", "delete", "gone", "--project", project).startswith(
        "Deleted the branch gone.\nWhat landed on it alone, @"
    )
    assert "`mic branch switch main` goes on with main" in here("sync")
    assert here("branch", "switch", "main") == "Now on main @2: 1 file changed here.\n! The session came along: Oaks\n"
    assert here("land") == "Landed @3: Oaks (1 file)\n! Pushed: Aside\n"
    assert here("sync") == "Nothing new: your base @3 is the newest landing.\n"
    assert here("session", "resume", "--latest").startswith(
        "Resumed: Aside\nsession SESSION, base @2: 3 files, 1 note, 0 decisions\n"
    )
    assert here("status").endswith("  D lily\n  M rose\n  A tulip\n")
    assert (here.read("rose"), here.read("tulip")) == ("3\n", "red\n")
    assert here("land") == "Landed @4: Aside (3 files)\nbrought in from others: 1 file\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("session", "push", "--force"), "Pushed: Water (2 files)\n"),
        (("land",), "Landed @2: Water (2 files)\n"),
        (("session", "abandon"), "Abandoned: Water\n"),
    ],
)
def test_a_later_word_replaces_a_push_that_is_refused(here: Inside, command: tuple[str, ...], said: str) -> None:
    """It was pushed from elsewhere since: what the refusal names works, and the push waits no more."""
    own = session_of(here)
    here.write("tulip", "red\n")
    here("session", "push")
    here.go_on_line()
    here.cd("there")
    here("session", "resume", own)
    here.write("oak", "old\n")
    here("session", "push")
    here.cd("here")
    assert here("sync").startswith(
        "Not sent, still waits, number 1: Water\n! mic: The session was pushed from elsewhere since.\n"
    )
    assert here(*command).startswith(said)
    assert here("pending", "list") == "Nothing waits for the forge.\n"
    assert here("sync").startswith("Nothing new: ")


def test_a_push_with_force_after_one_from_elsewhere(here: Inside) -> None:
    """Also where nothing has changed here since the push before: what stands there is another's."""
    own = session_of(here)
    here.go_on_line()
    here.cd("there")
    here("session", "resume", own)
    here.write("lily", "pale\n")
    here("session", "push")
    here.cd("here")
    assert here("session", "push", "--force").startswith("Pushed: Water (1 file)\n")


def test_a_push_that_says_nothing_new_of_what_was_given_up_elsewhere(here: Inside) -> None:
    own = session_of(here)
    there(here, own, "session", "abandon")
    assert here("session", "push") == (
        "Pushed: Water (1 file)\nGo on elsewhere with: mic session resume SESSION\n"
        "! It was given up from elsewhere; what was said here is in a new session of its goal.\n"
    )


def test_the_project_is_not_to_be_seen_for_a_while(here: Inside) -> None:
    """Every command that needs it says so; off line all goes on, and nothing is lost until it is back."""
    here("session", "note", "Dry soil")
    here.write("tulip", "red\n")
    here.go_on_line()
    project = here("status").partition(" ")[0]
    assert here("project", "delete", project, "--yes").startswith(f"Deleted {project}.\n")
    gone = (
        f"! mic: There is no project {project}, or you may not see it.\n"
        "!      Check the spelling, or sign in as a member of its organization.\n[4]\n"
    )
    for command in ("log", "sync", "land", "session push", "session switch --none", "branch list", "session list"):
        assert here(*command.split()) == gone, command
    assert here("status").endswith("Session: Water (started just now)\n  A lily\n  A tulip\n")
    here.go_off_line()
    assert here("session", "push").startswith("Waits to push: Water (2 files)\n")
    here.go_on_line()
    assert here("sync").startswith("Not sent, still waits, number 1: Water\n! mic: There is no project ")
    assert here("land") == gone
    assert here("project", "restore", project) == f"{project} is there again, private, @1.\n"
    assert here("sync").startswith("Pushed: Water\n")
    assert words(here.json("session", "status")["session"]) == (["Dry soil"], [])
    assert here("land") == "Landed @2: Water (2 files)\n"
