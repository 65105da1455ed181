"""Every file of `.mic`, damaged in every way: it is named in one sentence with a code, or nobody needs it.

The operation log is in test_cli_undo.py, settings of this machine in tests/unit/cli/test_config.py.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from damaging import damage
from forge_process import Forge
from inside import Inside
from transcripts import GARDEN, lines

ENDS = re.compile(r"\[1\]\n\Z|\[2\]\n\Z")


@pytest.fixture(scope="module")
def person(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Inside:
    """Somebody with `clash`, where a sync has left marked lines, `held`, where a file is held apart, `later`, where a
    landing waits for the forge, and `part`, where only a folder is; of another project `queued`, where the forge lands
    a session in turn, and `stack`, where one stands on another that has landed.
    """
    made = Inside(forge, tmp_path_factory.mktemp("damaged") / "home", f"dam{os.getpid()}")
    made.own = f"dam{os.getpid()}-org"
    made("org", "create", made.own)
    name = f"{made.own}/garden"
    made("project", "create", name)
    for folder in ("clash", "later", "part", "other", "held"):
        made.cd(".")
        made("clone", name, folder)
    made.cd("other")
    for path in ("a", "b", "d/c"):
        made.write(path, "1\n2\n3\n")
    made("land", "First")
    for folder in ("clash", "later", "part", "held"):
        made.cd(folder)
        made("sync")
    made.cd("other")
    made.write("a", "theirs\n2\n3\n")
    made("land", "Theirs")
    (made.home / "talk.jsonl").write_bytes(lines(*GARDEN))
    _clash(made)
    made.cd("held")
    made("session", "start", "Held")
    made.write("a", "mine\n2\n3\n")
    assert "clash: a, held apart" in made("sync", "--auto-merge")
    made.cd("later")
    made.go_off_line()
    made.write("e", "1\n")
    assert made("land", "Later").startswith("Waits to land: Later")
    made.go_on_line()
    made.cd("part")
    made("sparse", "set", "d")
    _queued_and_stacked(made)
    return made


def _queued_and_stacked(made: Inside) -> None:
    made.cd(".")
    made("project", "create", f"{made.own}/pot")
    for folder in ("queued", "stack"):
        made.cd(".")
        made("clone", f"{made.own}/pot", folder)
    made.cd("queued")
    made.write("a", "1\n2\n3\n")
    made("land", "First")
    made.cd("stack")
    made("sync")
    made("session", "start", "Lower")
    made.write("a", "lower\n2\n3\n")
    lower = made.json("session", "status")["session"]["id"]
    made("session", "push")
    assert made("session", "start", "Upper", "--on", lower).startswith("Started: Upper\n")
    made.write("b", "upper\n")
    assert made("session", "push").startswith("Pushed: Upper (2 files)\n")
    made.cd("queued")
    made("session", "resume", lower)
    assert made("land") == "Landed @2: Lower (1 file)\n"
    made.write("b", "1\n")
    assert made("land", "--async", "Queued").startswith("Queued: Queued (1 file)\n")


def _clash(made: Inside) -> None:
    made.cd("clash")
    made("session", "start", "Mine")
    made.write("a", "mine\n2\n3\n")
    made("session", "wrote", "a")
    made("session", "push")
    made("remote", "add", "there", "/nowhere")
    made("config", "set", "--workspace", "agent.automatic", "false")
    made("session", "attach", "../talk.jsonl")
    assert "clash: a" in made("sync")


@pytest.fixture
def copied(person: Inside) -> Iterator[Inside]:
    """The same person; whatever they copy into `work` goes again."""
    person.cd(".")
    yield person
    shutil.rmtree(person.home / "work", ignore_errors=True)


def at(person: Inside, folder: str, file: str, how: str) -> Path:
    """Be in a copy of a folder in which a file is damaged; that file."""
    person.cd(".")
    shutil.rmtree(person.home / "work", ignore_errors=True)
    shutil.copytree(person.home / folder, person.home / "work", symlinks=True)
    person.cd("work")
    (path,) = (person.cwd / ".mic").glob(file)
    damage(path, how)
    return path


LAST_SYNC = "! mic: What the last sync of this workspace wrote down is damaged."
BELOW = "! mic: What a session stands on, in {}, is damaged: "
NOT_SENT = r"Not sent, open here again: Later\n! mic: {}, which waits to be sent, is damaged\."
# A folder, a file of its `.mic`, a command that needs it, and what is said, `{}` for the file. What cannot be opened is
# named by its path in each case.
NAMED = (
    ("clash", "config", ("status",), "! mic: {} has no '(instance|tree)'"),
    ("clash", "config", ("land",), "! mic: {} has no '(instance|tree)'"),
    ("clash", "config.toml", ("config", "list"), "! mic: {} cannot be used: "),
    ("clash", "remotes.toml", ("remote", "list"), "! mic: {} cannot be used: "),
    ("clash", "index", ("status",), "! mic: The index {} is damaged."),
    ("clash", "session", ("session", "status"), "! mic: The open session in {} is damaged: "),
    ("clash", "session", ("session", "note", "x"), "! mic: The open session in {} is damaged: "),
    ("clash", "pushed", ("session", "abandon"), "! mic: what was pushed last, in {}, is damaged: "),
    ("clash", "attributed", ("session", "wrote", "a"), "! mic: {} is damaged: "),
    ("clash", "transcripts/taken", ("session", "attach", "../talk.jsonl"), "! mic: {} is damaged: "),
    ("clash", "conflicts", ("status",), "! mic: The list of conflicts of this workspace is damaged."),
    ("clash", "conflicts", ("land",), "! mic: The list of conflicts of this workspace is damaged."),
    ("clash", "conflicts", ("session", "push"), "! mic: The list of conflicts of this workspace is damaged."),
    ("clash", "clashes/[0-9a-f][0-9a-f]*", ("resolve",), "! mic: what is known of a conflict, in .*, is damaged: "),
    ("clash", "synced/journal", ("sync", "--abort"), LAST_SYNC),
    ("clash", "synced/before", ("sync", "--abort"), LAST_SYNC),
    ("clash", "synced/target", ("sync", "--abort"), LAST_SYNC),
    ("later", "pending/0*", ("pending", "list"), "! mic: {}, which waits to be sent, is damaged"),
    ("later", "pending/0*", ("land",), "! mic: {}, which waits to be sent, is damaged"),
    ("later", "pending/contents/*", ("sync",), NOT_SENT),
    ("part", "sparse", ("status",), "! mic: {} is damaged."),
    ("queued", "queued", ("land", "--wait"), "! mic: The queued session in {} is damaged: "),
    ("queued", "queued", ("land", "More"), "! mic: The queued session in {} is damaged: "),
    ("queued", "queued", ("sync",), "! mic: The queued session in {} is damaged: "),
    ("stack", "stacked/0*", ("session", "status"), BELOW),
    ("stack", "stacked/0*", ("sync",), BELOW),
)  # fmt: skip
WAYS = ("empty", "cut", "zeros", "random", "folder", "loop")
# Where an empty file says something.
MEANT = {("config.toml", "empty"), ("remotes.toml", "empty")}


@pytest.mark.parametrize(("folder", "file", "command", "said"), NAMED)
def test_it_is_named(copied: Inside, folder: str, file: str, command: tuple[str, ...], said: str) -> None:
    """One sentence, a way out and a code, and every file of the working copy stands as it stood."""
    for how in WAYS:
        if (file, how) in MEANT:
            continue
        path = at(copied, folder, file, how)
        found = copied(*command)
        shown = re.escape(copied.mask(str(path)))
        wanted = said.replace("{}", shown)
        if how in ("folder", "loop") and "contents" not in file:
            wanted = f"! mic: ({shown}: (Is a directory|Too many levels of symbolic links)|{wanted[7:]})"
        assert re.match(wanted, found), (how, found)
        assert ENDS.search(found), (how, found)
        assert found.count("\n! ") <= 2, (how, found)
        for name in ("a", "b", "d/c"):
            before = copied.home / folder / name
            assert not before.exists() or (copied.cwd / name).read_bytes() == before.read_bytes(), (how, name)


# A file, commands that do not need it, and what the last of them says.
NOT_NEEDED = (
    ("other", "landed", (("land",),), "Already landed @2: The|! mic: There is nothing to land"),
    ("clash", "lock", (("session", "note", "x"),), "Noted "),
    ("clash", "transcripts/*/*", (("session", "attach", "../talk.jsonl"),), "Attached: "),
    ("clash", "synced/journal", (("undo",),), "Undone: mic sync; your base is @1"),
    ("clash", "synced/before", (("undo",),), "Undone: mic sync; your base is @1"),
    ("clash", "ops/00000001", (("undo",),), "Undone: mic sync; your base is @1"),
    ("clash", "clashes/[0-9a-f][0-9a-f]*", (("sync", "--ours", "a"), ("land",)), "Landed @|Already landed @"),
    ("clash", "clashes/contents/*", (("sync", "--theirs", "a"), ("status",)), ""),
    ("queued", "queued", (("session", "status"),), "! mic: No session is open here."),
    ("stack", "stacked/0*", (("session", "push"),), "Nothing new since the last push: Upper"),
    ("stack", "stacked/contents/*", (("sync",),), "Synced @1 to @"),
)  # fmt: skip


@pytest.mark.parametrize(("folder", "file", "commands", "said"), NOT_NEEDED)
def test_it_is_not_needed(
    copied: Inside, folder: str, file: str, commands: tuple[tuple[str, ...], ...], said: str
) -> None:
    for how in ("cut", "zeros", "random"):
        at(copied, folder, file, how)
        for command in commands:
            found = copied(*command)
        assert re.match(f"({said})", found) or re.search(f": ({said})", found), (how, found)


def test_what_is_held_apart_is_not_settled_from_damaged_sides(copied: Inside) -> None:
    """A side that is not what its name says is none: the file stays as it is, and whole sides can still be taken."""
    sides = sorted((copied.home / "held/.mic/clashes/contents").iterdir())
    assert len(sides) == 2
    for side in sides:
        for how in ("cut", "zeros", "random", "folder"):
            at(copied, "held", f"clashes/contents/{side.name}", how)
            assert copied("resolve", "a", "--hunk", "1=both").startswith("! mic: "), how
            assert copied.read("a") == "mine\n2\n3\n"
            assert (
                copied("resolve", "a", "--strategy", "theirs")
                == "settled with theirs: a\nNothing clashes any more: `mic land`.\n"
            ), how
            assert copied.read("a") == "theirs\n2\n3\n"


def test_half_of_the_configuration_of_a_branch_is_not_that_of_main(copied: Inside) -> None:
    """Wherever its end is missing, a working copy of a branch is not taken for one that follows main."""
    copied.cd("other")
    copied("branch", "create", "winter")
    copied.cd(".")
    copied("clone", f"{copied.own}/garden@winter", "winter")
    path = copied.home / "winter/.mic/config"
    raw = path.read_bytes()
    copied.cd("winter")
    assert copied.json("status")["branch"] == "winter"
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        assert copied("status").startswith("! mic: HOME/winter/.mic/config has no '"), raw[:length]


@pytest.mark.parametrize("how", ["empty", "cut", "zeros"])
def test_the_way_out_of_a_damaged_index(copied: Inside, how: str) -> None:
    """It is made anew; what was changed here stands and is known as changed, and session and clash are there."""
    at(copied, "held", "index", how)
    copied.write("new", "new\n")
    name = f"{copied.own}/garden"
    assert copied("link", f"{copied.own}/other").startswith("! mic: HOME/work is in a working copy")
    assert copied("link", name) == "The index of HOME/work is made anew, at @2: 1 file added, 1 file changed.\n"
    assert (copied.read("a"), copied.read("new")) == ("mine\n2\n3\n", "new\n")
    found = copied.json("status")
    assert [item["path"] for item in found["changes"]] == ["a", "new"]
    assert (found["position"], found["session"]["goal"], found["conflicts"][0]["path"]) == (2, "Held", "a")
    assert copied("link", name).startswith("! mic: HOME/work is in a working copy")


def test_a_damaged_index_of_a_part_is_made_anew_for_that_part(copied: Inside) -> None:
    at(copied, "part", "index", "random")
    said = "The index of HOME/work is made anew, at @1: every file is as it is there.\n"
    assert copied("link", f"{copied.own}/garden") == said
    assert copied("sparse", "all").startswith("Everything")
    assert copied.json("status")["changes"] == []


def test_what_waits_in_turn_is_named_by_status(copied: Inside) -> None:
    """Where its first line is there, that is all which status needs."""
    for how in ("empty", "zeros", "random"):
        at(copied, "queued", "queued", how)
        assert copied("status") == (
            "! mic: The queued session of this workspace is damaged.\n"
            "!      What it holds is in .mic/queued; move that file away to go on.\n[1]\n"
        )
    at(copied, "queued", "queued", "cut")
    assert "\nQueued to land: Queued (`mic land --wait` says where)\n" in copied("status")


def test_the_way_out_of_a_damaged_queued_session(copied: Inside) -> None:
    """The forge has it: without the file the next sync takes in what landed, and nothing is changed here then."""
    at(copied, "queued", "queued", "random").rename(copied.cwd / "moved")
    copied.json("sync")
    assert copied.read("b") == "1\n"
    assert [each["path"] for each in copied.json("status")["changes"]] == ["moved"]


@pytest.mark.parametrize("how", ["cut", "folder"])
def test_the_way_out_of_what_a_session_stands_on(copied: Inside, how: str) -> None:
    """Without the file all that is changed counts as the upper session's, and the lines of the lower one agree."""
    path = at(copied, "stack", "stacked/0*", how)
    path.rename(copied.home / "moved")
    try:
        assert copied("sync").startswith("Synced @1 to @")
        assert copied.read("a") == "lower\n2\n3\n"
    finally:
        shutil.rmtree(copied.home / "moved") if how == "folder" else (copied.home / "moved").unlink()


@pytest.mark.parametrize("how", WAYS)
def test_a_damaged_record_of_another_session_stands_in_no_way(copied: Inside, how: str) -> None:
    """Of sessions below others: what one no longer needs goes, but contents that the damaged one may name stay."""
    copied.cd(".")
    shutil.copytree(copied.home / "stack", copied.home / "work", symlinks=True)
    copied.cd("work")
    stacked = copied.cwd / ".mic/stacked"
    kept = sorted(path.name for path in (stacked / "contents").iterdir())
    (own,) = stacked.glob("0*")
    other = stacked / "01M8QYJ3GTATPHDVM54KXZ1NVQ"
    other.write_bytes(own.read_bytes())
    damage(other, how)
    assert copied("sync").startswith("Synced @1 to @"), how
    assert not own.exists()
    assert sorted(path.name for path in (stacked / "contents").iterdir()) == kept
    assert copied("session", "push").startswith("Pushed: Upper")
