"""A session that travels: saved on the forge without landing, taken up elsewhere, put aside, compared, landed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from forge_process import Forge
from transcript import Shell


@pytest.fixture
def begun(shell: Shell, name: str) -> Shell:
    """A working copy `here` of one landing, and another `there`; in `here` a session with words and changes."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "here")
    folder = shell.cd("here")
    for file in ("rose", "lily", "run.sh"):
        shell.write(file, f"{file}\n")
    shell("land", "Plant")
    shell.cd(".")
    shell("clone", f"{name}/p", "there")
    shell.cd("here")
    shell("session", "start", "Water", "--agent", "gardener")
    shell("session", "decide", "At dawn", "--why", "Dew", "--alternative", "At noon: burns")
    shell("session", "note", "Look at the soil")
    shell.write("rose", "watered\n")
    (folder / "lily").unlink()
    (folder / "run.sh").chmod(0o755)
    os.symlink("rose", folder / "link")
    return shell


def session_of(shell: Shell) -> str:
    found = shell.json("session", "status")["session"]["id"]
    assert isinstance(found, str)
    return found


CHANGES = "  D lily\n  A link\n  M rose\n  M run.sh (now executable)\n"


def test_pushed_here_and_landed_there(begun: Shell, name: str) -> None:
    session = session_of(begun)
    assert begun("session", "push", "-m", "Half of the beds") == (
        "Pushed: Water (4 files)\nGo on elsewhere with: mic session resume SESSION\n"
    )
    assert begun("session", "push") == (
        "Nothing new since the last push: Water (4 files)\nGo on elsewhere with: mic session resume SESSION\n"
    )
    assert begun("log") == f"@1  WHEN  u{name}  Plant  (your base)\n"
    assert begun("session", "list", "--resumable") == (
        f"SESSION  active      u{name}  Water  (pushed WHEN)  (open here)\n"
    )
    begun.cd("there")
    begun.write("other", "other\n")
    assert begun("session", "resume", session[:12]) == (
        "! mic: other changed here, and would become part of the session.\n"
        "!      Land what is changed here, or put it back; or resume in another clone.\n[2]\n"
    )
    (begun.cwd / "other").unlink()
    assert begun("session", "resume", "--latest") == (
        "Resumed: Water\nsession SESSION, base @1: 4 files, 2 notes, 1 decision\n"
    )
    assert begun("session", "status") == (
        "Water\nsession SESSION, base @1, since WHEN, with gardener\n\n"
        "Decided: At dawn\n  because Dew\n  not At noon: burns\n\n"
        "agent (gardener): Look at the soil\nagent (gardener): Half of the beds\n\n"
        f"4 files would land:\n{CHANGES}"
    )
    assert (begun.read("rose"), os.readlink(begun.cwd / "link")) == ("watered\n", "rose")
    begun.write("rose", "watered twice\n")
    assert begun("diff", "--since-push", "--stat") == " rose |     2 +-\n 1 file changed, 1 added, 1 deleted\n"
    assert begun("land") == "Landed @2: Water (4 files)\n"
    assert begun("session", "list", "--resumable") == "No session of yours was pushed.\n"
    assert begun("cat", "rose") == "watered twice\n"
    # Where it was begun it has landed, which is said once and changes no file.
    begun.cd("here")
    assert begun("session", "push").startswith("! mic: Session SESSION has landed already.\n")


def test_what_was_pushed_from_elsewhere_is_not_written_over(begun: Shell) -> None:
    begun("session", "push")
    begun.cd("there")
    begun("session", "resume", "--latest")
    begun.write("rose", "there\n")
    assert begun("session", "push").startswith("Pushed: Water")
    begun.cd("here")
    begun.write("rose", "here\n")
    assert begun("session", "push") == (
        "! mic: The session was pushed from elsewhere since.\n"
        "!      `mic session resume` in another clone shows that work; `mic session push --force` replaces it.\n[1]\n"
    )
    begun("session", "note", "Said here")
    assert begun("session", "resume", "--latest").startswith(
        "! mic: This session is open here, with words that were not pushed: Water.\n"
    )
    assert begun("session", "push", "--force").startswith("Pushed: Water")


def test_what_the_forge_has_is_not_said_to_be_all(begun: Shell, name: str) -> None:
    """`session show` asks the forge; of the session that is open here it says where the rest is."""
    rest = "! It is open here, and not all of it was pushed: `mic session status` shows the rest.\n"
    shown = f"active Water\nu{name} with gardener, WHEN\nsession SESSION, base @1\n"
    assert begun("session", "show") == shown + rest
    begun("session", "push")
    said = begun("session", "show")
    assert "Decided: At dawn\n" in said
    assert rest not in said
    begun("session", "note", "Dry")
    assert begun("session", "show") == said + rest


def test_several_sessions_in_one_working_copy(begun: Shell, name: str) -> None:
    first = session_of(begun)
    assert begun("session", "start", "Weed").startswith("! mic: A session is open: Water.")
    assert begun("session", "switch", "--none") == "Put aside: Water\n"
    assert begun("status") == f"{name}/p at landing 1, from FORGE\nNo session is open.\nNothing changed.\n"
    assert sorted(os.listdir(begun.cwd)) == [".mic", "lily", "rose", "run.sh"]
    begun("session", "start", "Weed")
    begun.write("weeds", "none\n")
    second = session_of(begun)
    assert begun("session", "switch", first) == (
        "Put aside: Weed\nResumed: Water\nsession SESSION, base @1: 4 files, 1 note, 1 decision\n"
    )
    assert begun("status").endswith(f"Session: Water (started just now)\n{CHANGES}")
    assert begun("session", "switch", second[:20]).startswith("Put aside: Water\nResumed: Weed\n")
    # One command is undone at once, the putting aside with the taking up.
    assert begun("undo").startswith("Undone: mic session switch; your base is @1, ")
    assert begun("status").endswith(f"Session: Water (started just now)\n{CHANGES}")
    assert begun("redo").startswith("Done again; your base is @1, ")
    assert begun("land") == "Landed @2: Weed (1 file)\n"
    assert begun("session", "resume", first).startswith("Resumed: Water\nsession SESSION, base @1: 4 files")
    assert begun("land") == "Landed @3: Water (4 files)\nbrought in from others: 1 file\n"


def test_who_may_not_and_what_is_none(begun: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    session = session_of(begun)
    assert begun("session", "resume", "--latest").startswith("! mic: No session of yours was pushed to ")
    begun("session", "push")
    for arguments in ((), (session, "--latest"), ("rose",)):
        assert begun("session", "resume", *arguments).endswith("[2]\n"), arguments
    other = Shell(forge, tmp_path / "other", f"v{name}")
    begun("org", "invite", name, f"v{name}")
    other("org", "accept", name)
    other("clone", f"{name}/p")
    other.cd("p")
    assert other("session", "list", "--resumable") == "No session of yours was pushed.\n"
    assert other("show", session).startswith(f"active Water\nu{name} with gardener, WHEN\n")
    assert other("session", "resume", session) == (
        f"! mic: Session SESSION is u{name}'s.\n!      Start one of your own.\n[5]\n"
    )
    assert begun("session", "abandon").startswith("Abandoned: Water\n")
    assert begun("session", "resume", session).startswith("! mic: Session SESSION is abandoned.\n")


def test_what_was_said_stays_when_a_session_is_given_up(begun: Shell) -> None:
    """Pushed or not: goal, conversation and decisions are on the forge, and the files are as they were."""
    session = session_of(begun)
    begun("session", "note", "Too wet")
    begun("session", "push")
    begun("session", "note", "Much too wet")
    begun("session", "undecide")
    begun("session", "decide", "Wait")
    before = {path: path.read_bytes() for path in begun.cwd.rglob("*") if path.is_file() and ".mic" not in path.parts}
    assert begun("session", "abandon") == (
        "Abandoned: Water\n4 files stay changed here, and the next landing has them.\n"
    )
    shown = begun.json("session", "show", session)["session"]
    assert shown["state"] == "abandoned"
    assert [turn["text"] for turn in shown["conversation"]] == ["Look at the soil", "Too wet", "Much too wet"]
    assert [each["what"] for each in shown["decisions"]] == ["Wait"]
    assert {path: path.read_bytes() for path in before} == before


def test_given_up_here_after_a_push_from_elsewhere(begun: Shell) -> None:
    """What was said there stays, beside what was said here."""
    session = session_of(begun)
    begun("session", "push")
    begun("session", "note", "Said here")
    begun.cd("there")
    begun("session", "resume", session)
    begun("session", "note", "Said there")
    begun("session", "push")
    begun.cd("here")
    begun("session", "abandon")
    shown = begun.json("session", "show", session)["session"]
    texts = [turn["text"] for turn in shown["conversation"]]
    assert sorted(texts) == ["Look at the soil", "Said here", "Said there"]
    assert [each["what"] for each in shown["decisions"]] == ["At dawn"]


def test_what_was_said_here_after_it_landed_elsewhere(begun: Shell) -> None:
    """A landing does not change: what it lacks is in a new session, and lands with the next change."""
    session = session_of(begun)
    begun("session", "push")
    begun("session", "note", "Said here")
    begun("session", "decide", "At night")
    begun.cd("there")
    begun("session", "resume", session)
    begun("session", "note", "Said there")
    assert begun("land") == "Landed @2: Water (4 files)\n"
    begun.cd("here")
    assert begun("land") == (
        "Already landed @2: Water (4 files)\n"
        "! What was said here since it landed is in a new session of its goal: `mic session status` shows it.\n"
    )
    left = begun.json("session", "status")["session"]
    assert (left["goal"], left["agent"], left["base_position"]) == ("Water", "gardener", 2)
    assert [turn["text"] for turn in left["conversation"]] == ["Said here"]
    assert [each["what"] for each in left["decisions"]] == ["At night"]
    assert left["id"] != session
    begun.write("rose", "dry\n")
    assert begun("land") == "Landed @3: Water (1 file)\n"
    landed = begun.json("show", "@3")["session"]
    assert [turn["text"] for turn in landed["conversation"]] == ["Said here"]
    assert begun("land").startswith("Already landed @3: Water")


@pytest.fixture
def landed_there(shell: Shell, name: str) -> Shell:
    """A session without a changed file `here`, in which something was said after it had landed from `there`."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "here")
    shell("clone", f"{name}/p", "there")
    shell.cd("here")
    shell("session", "start", "Water")
    shell("session", "push")
    session = session_of(shell)
    shell.cd("there")
    shell("session", "resume", session)
    shell.write("rose", "rose\n")
    assert shell("land") == "Landed @1: Water (1 file)\n"
    shell.cd("here")
    return shell


SINCE = "! It landed @1 from elsewhere; what was said here since is in a new session of its goal.\n"


def test_pushed_after_it_landed_elsewhere(landed_there: Shell) -> None:
    old = session_of(landed_there)
    landed_there("session", "decide", "At night")
    assert landed_there("session", "push") == (
        f"Pushed: Water (0 files)\nGo on elsewhere with: mic session resume SESSION\n{SINCE}"
    )
    new = session_of(landed_there)
    assert new != old
    shown = landed_there.json("session", "show", new)["session"]
    assert [each["what"] for each in shown["decisions"]] == ["At night"]


def test_put_aside_after_it_landed_elsewhere(landed_there: Shell) -> None:
    landed_there("session", "decide", "At night")
    assert landed_there("session", "switch", "--none") == f"Put aside: Water\n{SINCE}"
    assert landed_there("session", "resume", "--latest").startswith("Resumed: Water\n")
    assert [each["what"] for each in landed_there.json("session", "status")["session"]["decisions"]] == ["At night"]


def test_given_up_after_it_landed_elsewhere(landed_there: Shell) -> None:
    landed_there("session", "note", "Too wet")
    assert landed_there("session", "abandon") == f"Abandoned: Water\nNo file is changed here.\n{SINCE}"
    (found,) = landed_there.json("session", "list", "--state", "abandoned")["sessions"]
    shown = landed_there.json("session", "show", found["id"])["session"]
    assert [turn["text"] for turn in shown["conversation"]] == ["Too wet"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("push",), "Nothing to push: Water\n"),
        (("switch", "--none"), "No session is open here.\n"),
        (("abandon",), "Nothing to give up: Water\n"),
    ],
)
def test_nothing_was_said_since_it_landed_elsewhere(landed_there: Shell, command: tuple[str, ...], said: str) -> None:
    assert landed_there("session", *command) == f"{said}! It landed @1 from elsewhere.\n"
    assert landed_there.json("status")["session"] is None


def test_files_changed_after_it_landed_elsewhere(landed_there: Shell) -> None:
    """They are not taken away before `mic land` knows which of them are in that landing."""
    landed_there.write("lily", "lily\n")
    for command in (("push",), ("switch", "--none")):
        assert landed_there("session", *command) == (
            "! mic: Session SESSION has landed already.\n"
            "!      `mic land` closes it here; what was said and changed here since stays.\n[2]\n"
        )
    assert landed_there("land").startswith("Already landed @1: Water (1 file)\n")
    assert landed_there("land", "Plant") == "Landed @2: Plant (1 file)\n"


def test_landed_again_without_a_change_after_it_landed_elsewhere(landed_there: Shell) -> None:
    """`mic land` closes it, as it does where a file is changed."""
    assert landed_there("land") == "Already landed @1: Water (1 file)\n"
    assert landed_there.read("rose") == "rose\n"
    assert landed_there("status").endswith("No session is open.\nNothing changed.\n")
    assert landed_there("land") == "Already landed @1: Water\n"


def test_landed_again_with_words_alone_after_it_landed_elsewhere(landed_there: Shell) -> None:
    landed_there("session", "decide", "At night")
    assert landed_there("land", "Too wet") == (
        "Already landed @1: Water (1 file)\n"
        "! What was said here since it landed is in a new session of its goal: `mic session status` shows it.\n"
    )
    left = landed_there.json("session", "status")["session"]
    assert [turn["text"] for turn in left["conversation"]] == ["Too wet"]
    assert [each["what"] for each in left["decisions"]] == ["At night"]
    assert landed_there("land").startswith("! mic: There is nothing to land: no file has changed since @1.\n")


@pytest.mark.parametrize("changed", [True, False])
def test_landed_again_on_a_newer_base_than_it_landed_on_elsewhere(landed_there: Shell, changed: bool) -> None:
    """The base does not go back, nor do the files."""
    landed_there.cd("there")
    landed_there.write("rose", "red\n")
    landed_there.write("lily", "white\n")
    assert landed_there("land", "Paint") == "Landed @2: Paint (2 files)\n"
    landed_there.cd("here")
    assert landed_there("sync") == "Synced @0 to @2: 2 files brought in.\n"
    if changed:
        landed_there.write("lily", "pale\n")
        landed_there.write("oak", "old\n")
    new = 'not in it: 2 files changed here; `mic land "GOAL"` lands what is new\n[1]\n' if changed else ""
    assert landed_there("land") == f"Already landed @1: Water (1 file)\n{new}"
    assert landed_there("status").endswith(
        "at landing 2, from FORGE\nNo session is open.\n" + ("  M lily\n  A oak\n" if changed else "Nothing changed.\n")
    )
    assert landed_there.read("rose") == "red\n"
    assert landed_there.read("lily") == ("pale\n" if changed else "white\n")


def test_what_clashes_with_later_landings_than_its_own_stays_open(begun: Shell) -> None:
    """It landed from elsewhere and says nothing about what landed after it."""
    session = session_of(begun)
    begun("session", "push")
    begun.cd("there")
    begun("session", "resume", session)
    assert begun("land") == "Landed @2: Water (4 files)\n"
    (begun.cwd / "link").unlink()
    os.symlink("run.sh", begun.cwd / "link")
    assert begun("land", "Elsewhere") == "Landed @3: Elsewhere (1 file)\n"
    begun.cd("here")
    assert begun("sync").endswith("[3]\n")
    assert begun("land") == (
        'Already landed @2: Water (4 files)\nnot in it: 1 file changed here; `mic land "GOAL"` lands what is new\n[1]\n'
    )
    assert begun("status").endswith(
        "at landing 3, from FORGE\nNo session is open.\nClashes:\n  link: yours stands over @3\nChanged:\n  M link\n"
    )


@pytest.mark.parametrize("command", [("land",), ("session", "push"), ("session", "switch", "--none")])
def test_given_up_elsewhere_while_it_is_open_here(begun: Shell, command: tuple[str, ...]) -> None:
    """Words and files go on under a new session."""
    old = session_of(begun)
    begun("session", "push")
    begun.cd("there")
    begun("session", "resume", old)
    assert begun("session", "abandon").startswith("Abandoned: Water\n")
    begun.cd("here")
    begun("session", "note", "Said since")
    since = "! It was given up from elsewhere; what was said here is in a new session of its goal.\n"
    done = begun(*command)
    if command == ("land",):
        assert done == f"Landed @2: Water (4 files)\n{since}"
        found = begun.json("show", "@2")["session"]
    else:
        assert done.startswith("Pu")
        assert done.endswith(f"\n{since}")
        (listed,) = begun.json("session", "list", "--resumable")["sessions"]
        found = begun.json("session", "show", listed["id"])["session"]
    assert found["id"] != old
    assert [turn["text"] for turn in found["conversation"]] == ["Look at the soil", "Said since"]
    assert [each["what"] for each in found["decisions"]] == ["At dawn"]
    assert [each["path"] for each in found["changes"]] == ["lily", "link", "rose", "run.sh"]


def test_a_secret_is_not_pushed(begun: Shell) -> None:
    from test_cli_secrets import KEY

    begun.write("key", f"{KEY}\n")
    said = begun("session", "push")
    assert said.startswith("! mic: This session holds what looks like a secret")
    assert begun("session", "list", "--resumable") == "No session of yours was pushed.\n"


def test_a_session_is_shown(begun: Shell, name: str) -> None:
    begun("session", "push")
    shown = (
        f"active Water\nu{name} with gardener, WHEN\nsession SESSION, base @1\nPushed WHEN, not landed.\n\n"
        "Decided: At dawn\n  because Dew\n  not At noon: burns\n\nagent (gardener): Look at the soil\n\n"
        f"4 files:\n{CHANGES}"
    )
    assert begun("session", "show") == shown
    assert begun("show", session_of(begun)) == shown
    assert begun("show", session_of(begun), "--stat").endswith(
        " lily   |     1 -\n link   |     1 +\n rose   |     2 +-\n run.sh |     0 (now executable)\n"
        " 4 files changed, 2 added, 2 deleted\n"
    )
    begun("land")
    assert begun("session", "show").startswith("! mic: No session is open here.\n")


def test_only_what_changed_of_a_large_file_is_sent(begun: Shell, forge: Forge) -> None:
    """Of 50 MB with one byte changed, one chunk and its lists: less than 1 MB more in the store."""
    block = bytes(range(256)) * 4
    data = b"".join(number.to_bytes(4, "big") + block for number in range(50_000))
    (begun.cwd / "large").write_bytes(data)
    begun("land", "Large")
    begun("session", "start", "Change it")
    (begun.cwd / "large").write_bytes(data[:25_000_000] + b"!" + data[25_000_001:])

    def stored() -> int:
        return sum(path.stat().st_size for path in forge.data_dir.rglob("*.pack"))

    before = stored()
    assert begun("session", "push").startswith("Pushed: Change it (1 file)")
    assert 0 < stored() - before < 1_000_000
    again = stored()
    begun("session", "push", "-m", "Once more")
    assert stored() == again


def test_a_resume_that_was_done_again_lands_onto_what_landed_since(shell: Shell, name: str) -> None:
    """Done again it has the session's old base, of whose files nothing is noted here; what landed since comes all the
    same, also where the daemon answers, so that nothing reads these files anew before.
    """
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "here")
    shell.cd("here")
    for file in ("a", "b", "c"):
        shell.write(file, f"{file}\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/p", "there")
    shell.cd("here")
    shell("session", "start", "Of old")
    shell.write("a", "of the session\n")
    session = session_of(shell)
    shell("session", "switch", "--none")
    shell.write("b", "landed since\n")
    shell.write("d", "new\n")
    shell("land", "Since")
    shell.cd("there")
    run = Path(f"/tmp/mic-{name}")
    run.mkdir(mode=0o700)
    shell.environment |= {"XDG_RUNTIME_DIR": str(run), "MIC_DAEMON": "on"}
    shell("daemon", "start")
    try:
        shell("sync")
        shell("session", "resume", session)
        shell("undo")
        shell("redo")
        assert [shell.read(file) for file in "abc"] == ["of the session\n", "b\n", "c\n"]
        assert shell("land") == "Landed @3: Of old (1 file)\nbrought in from others: 2 files\n"
    finally:
        shell("daemon", "stop")
        shutil.rmtree(run)
    assert [shell.read(file) for file in "abcd"] == ["of the session\n", "landed since\n", "c\n", "new\n"]
    assert shell.json("status")["changes"] == []
