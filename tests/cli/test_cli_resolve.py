"""Settling what clashes: shown with what the other side meant, chosen by flags or keys, remembered, undone."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from killed import KILLED, some
from terminal import Terminal
from test_cli_killed import ran
from transcript import Shell

TEN = [f"{number}\n" for number in range(10)]


def text(**changed: str) -> str:
    """Ten lines, those by name (`n3="x"`) changed."""
    return "".join(changed.get(f"n{at}", line.strip()) + "\n" for at, line in enumerate(TEN))


@pytest.fixture
def clashing(shell: Shell, name: str) -> Shell:
    """`list` clashes in two places and `logo` as a whole, in `two`, not synced yet; `one` is where the other landed."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "one")
    folder = shell.cd("one")
    shell.write("list", text())
    (folder / "logo").write_bytes(b"\0base")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/p", "two")
    shell.cd("one")
    shell("session", "start", "Water at noon", "--agent", "claude")
    shell("session", "decide", "Noon", "--why", "It is warm", "--over", "Dawn: nobody is up")
    shell.write("list", text(n1="theirs1", n8="theirs8", n4="theirs4"))
    (folder / "logo").write_bytes(b"\0theirs")
    shell("land")
    shell.cd("two")
    shell("session", "start", "Water at dawn")
    shell.write("list", text(n1="mine1", n8="mine8"))
    (shell.cwd / "logo").write_bytes(b"\0mine")
    return shell


def story(name: str) -> str:
    """What the other side meant, as every command says it."""
    return (
        f"  @2 Water at noon (u{name} with claude)\n"
        "    decided: Noon, because It is warm\n"
        "      not Dawn: nobody is up\n"
    )


def test_from_clash_to_landing_by_flags(clashing: Shell, name: str) -> None:
    """Landing and syncing say what the other side decided; the list shows each place; flags settle them."""
    assert "".join(f"! {line}\n" for line in story(name).splitlines()) in clashing("land")
    assert clashing.json("land")["error"]["landings"][0]["decisions"][0]["what"] == "Noon"
    assert clashing("sync") == (
        "Synced @1 to @2: 0 files brought in.\n"
        "clash: list, between the marked lines (before: .mic/kept/2/list)\n"
        + story(name)
        + "kept yours: logo, changed on both sides, and not text\n"
        + story(name)
        + "Mend the marked lines or `mic resolve` them (without a terminal: `mic resolve PATH --hunk N=theirs`), "
        "then `mic land`. `mic cat PATH @2` shows theirs, "
        "`mic sync --theirs PATH` takes it, `mic sync --ours PATH` settles for yours. "
        "`mic sync --abort` undoes this sync.\n[3]\n"
    )
    assert clashing("resolve") == (
        "list: 2 places to settle\n" + story(name) + "  yours: Water at dawn\n"
        "  place 1\n    yours:\n      mine1\n    base:\n      1\n    theirs:\n      theirs1\n"
        "  place 2\n    yours:\n      mine8\n    base:\n      8\n    theirs:\n      theirs8\n"
        "logo: yours stands over @2 (changed on both sides, and not text)\n" + story(name) + "  yours: Water at dawn\n"
        "Settle: `mic resolve PATH --hunk N=ours|theirs|both|base`, or --strategy for all of a file.\n"
    )
    found = clashing.json("resolve", "list")["conflicts"]
    assert [(each["path"], each["marked"], each["position"], len(each["places"])) for each in found] == [
        ("list", True, 2, 2)
    ]
    assert found[0]["landings"][0]["goal"] == "Water at noon"
    assert clashing("resolve", "list", "--hunk", "2=theirs") == (
        "settled: list (1 place, 1 place left)\n"
        "`mic resolve` lists what is left by number; settle it: `mic resolve PATH --hunk N=ours|theirs|both|base`.\n"
    )
    assert "theirs8\n" in clashing.read("list")
    assert "<<<<<<< yours\nmine1\n" in clashing.read("list")
    assert clashing("resolve", "logo", "--strategy", "theirs") == (
        "settled with theirs: logo\n"
        "`mic resolve` lists what is left by number; settle it: `mic resolve PATH --hunk N=ours|theirs|both|base`.\n"
    )
    assert (clashing.cwd / "logo").read_bytes() == b"\0theirs"
    assert clashing("resolve", "--strategy", "union") == (
        "settled with union: list (1 place)\nNothing clashes any more: `mic land`.\n"
    )
    assert clashing.read("list") == text(n1="mine1\ntheirs1", n8="theirs8", n4="theirs4")
    assert clashing("resolve") == "Nothing clashes here.\n"
    assert clashing("land") == "Landed @3: Water at dawn (1 file)\n"
    assert not list((clashing.cwd / ".mic/clashes/contents").iterdir())


def test_what_cannot_be_chosen(clashing: Shell) -> None:
    clashing("sync")
    assert clashing("resolve", "nothing") == (
        "! mic: Nothing clashes at nothing.\n!      `mic status` lists what clashes.\n[2]\n"
    )
    for wrong in ("3=ours", "0=ours", "1", "1=mine", "x=ours", "9999999999999=ours", "=ours"):
        assert clashing.json("resolve", "list", "--hunk", wrong)["error"]["code"] == "invalid_input"
    assert clashing("resolve", "--strategy", "union") == (
        "! mic: Logo has no lines that could be put together.\n"
        "!      Take one side: `mic resolve logo --strategy ours`, or theirs.\n[2]\n"
    ).replace("Logo", "logo")
    assert "goes with one file" in clashing("resolve", "--hunk", "1=ours")
    assert "Give one of" in clashing("resolve", "--strategy", "ours", "--forget")
    assert clashing("resolve", "list", "--strategy", "interactive") == (
        "! mic: There is no terminal to choose on.\n"
        "!      --strategy and --hunk make the same choices; `mic resolve` lists.\n[2]\n"
    )
    clashing.write("list", clashing.read("list").replace("=======\n", ""))
    assert "are not whole" in clashing("resolve", "list", "--strategy", "ours")


def test_settled_once_settled_again(clashing: Shell) -> None:
    """By hand or by command: when the same comes back, a sync settles it the same and says so; forgotten, it asks."""
    clashing("sync")
    by_hand = text(n1="noon and dawn", n4="theirs4")
    marked = clashing.read("list")
    after = marked.index("<<<<<<<", marked.index(">>>>>>>"))
    clashing.write("list", by_hand[: by_hand.index("8\n")] + marked[after:])
    assert clashing("resolve", "list", "--strategy", "theirs") == "settled with theirs: list (1 place)\n"
    assert clashing.read("list") == text(n1="noon and dawn", n4="theirs4", n8="theirs8")
    # Everything is taken back, and comes again. What was mended by hand is known from the landing or the next sync on.
    (clashing.cwd / "other").write_text("x\n")
    clashing("resolve", "logo", "--strategy", "ours")
    assert clashing("land") == "Landed @3: Water at dawn (3 files)\n"
    clashing("goto", "@1")
    clashing("session", "start", "Again")
    clashing.write("list", text(n1="mine1", n8="mine8"))
    clashing.cd("one")
    clashing("sync")
    clashing.write("list", text(n1="theirs1", n8="theirs8", n4="theirs4"))
    clashing("land", "Back to theirs")
    clashing.cd("two")
    assert clashing("sync").splitlines()[:2] == [
        "Synced @1 to @4: 2 files brought in.",
        "merged: list, 2 places settled as before (before: .mic/kept/4/list)",
    ]
    assert clashing.read("list") == text(n1="noon and dawn", n4="theirs4", n8="theirs8")
    assert clashing("sync", "--abort").startswith("Undone: your base is @1 again")
    assert clashing("resolve", "--forget") == "Forgotten: how 2 places were settled.\n"
    assert clashing.json("sync")["error"]["code"] == "conflict"
    assert "<<<<<<< yours\nmine1\n" in clashing.read("list")


def test_undo(clashing: Shell) -> None:
    clashing("sync")
    marked = clashing.read("list")
    clashing("resolve", "list", "--strategy", "ours")
    assert clashing("undo").splitlines()[0] == "Undone: mic resolve; your base is @2, 1 file changed here."
    assert clashing.read("list") == marked
    assert clashing("resolve", "list").startswith("list: 2 places to settle\n")
    assert clashing("redo").splitlines()[0].startswith("Done again")
    assert clashing.read("list") == text(n1="mine1", n8="mine8", n4="theirs4")


def test_one_undo_takes_back_all_that_one_command_settled(clashing: Shell) -> None:
    """Marked lines and whole files are settled by one command, and come back by one undo."""
    clashing("sync")
    before = {path.name: path.read_bytes() for path in clashing.cwd.iterdir() if path.is_file()}
    assert "settled with theirs: logo" in clashing("resolve", "--strategy", "theirs")
    assert clashing("undo").startswith("Undone: mic resolve; ")
    assert {path.name: path.read_bytes() for path in clashing.cwd.iterdir() if path.is_file()} == before


def test_an_editor(clashing: Shell) -> None:
    """Whatever it leaves counts; one that fails is said."""
    clashing("sync")
    script = clashing.home / "edit.sh"
    script.write_text(f"#!/bin/sh\nprintf '{text(n1='edited')}' > \"$1\"\n")
    script.chmod(0o755)
    clashing.environment["EDITOR"] = "false"
    assert clashing("resolve", "list", "--editor") == (
        "! mic: false ended with 1.\n!      The files are as it left them.\n[1]\n"
    )
    clashing.environment["EDITOR"] = str(script)
    assert clashing("resolve", "list", "--editor") == "settled: list (2 places)\n"
    assert clashing.read("list") == text(n1="edited")


def test_killed(clashing: Shell) -> None:
    """At every moment the file is marked or settled, and the same command goes on."""
    clashing("sync")
    marked = clashing.read("list")
    wanted = text(n1="theirs1", n8="theirs8", n4="theirs4")
    counted = ran(clashing, -1, "resolve", "list", "--strategy", "theirs")
    assert clashing.read("list") == wanted
    clashing("undo")
    for limit in some(int(counted.stderr.splitlines()[-1]) + 1):
        code = ran(clashing, limit, "resolve", "list", "--strategy", "theirs").returncode
        assert code in (KILLED, 0)
        assert clashing.read("list") in (marked, wanted)
        if clashing.read("list") == marked:
            assert clashing.run("resolve", "list", "--strategy", "theirs").returncode == 0
        assert clashing.read("list") == wanted
        clashing("undo")
        assert clashing.read("list") == marked


def test_by_keys(clashing: Shell) -> None:
    """On a terminal: theirs for the first place, both for the second, written."""
    clashing("sync")
    with Terminal(clashing.cwd, clashing.environment, "resolve", "list") as at:
        at.until(b"place 1 of 2")
        at.press(b"t")
        at.until(b"2 of 2")
        at.press(b"b")
        at.until(b"mine8")
        at.press(b"w")
        assert at.end() == 0
    assert clashing.read("list") == text(n1="theirs1", n8="mine8\ntheirs8", n4="theirs4")


def test_by_keys_what_has_no_lines_is_named_at_the_end(clashing: Shell) -> None:
    clashing("sync")
    with Terminal(clashing.cwd, clashing.environment, "resolve", NO_COLOR="1") as at:
        at.until(b"place 1 of 2")
        at.press(b"ttw")
        assert at.end() == 0
    said = at.seen.decode().replace("\r\n", "\n").partition("settled: ")[2]
    assert said.startswith("list (2 places)\n\nlogo: yours stands over @2 (changed on both sides, and not text)\n")
    assert said.endswith("Settle: `mic resolve PATH --strategy ours`, or theirs.\n")


def test_an_editor_from_within(clashing: Shell, tmp_path: Path) -> None:
    """One that fails gives the screen back; what it wrote takes the place, and the line behind it begins anew."""
    clashing("sync")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ntest -e "$0.once" || { : > "$0.once"; exit 7; }\nprintf "mine and theirs" > "$1"\n')
    editor.chmod(0o755)
    with Terminal(clashing.cwd, clashing.environment, "resolve", "list", VISUAL=str(editor)) as at:
        at.until(b"place 1 of 2")
        at.press(b"e")
        at.until(b"ended")
        at.press(b"e")
        at.until(b"mine and theirs")
        at.press(b"w")
        assert at.end() == 0
    assert clashing.read("list").splitlines()[:3] == ["0", "mine and theirs", "2"]


@pytest.mark.parametrize("editor", ["vi 'x", "'"])
def test_an_editor_that_is_no_command_line(clashing: Shell, editor: str) -> None:
    clashing("sync")
    clashing.environment["EDITOR"] = editor
    assert clashing("resolve", "list", "--editor") == (
        "! mic: EDITOR has a quotation mark that is not closed.\n!      Set EDITOR to the editor that you use.\n[2]\n"
    )
    with Terminal(clashing.cwd, clashing.environment, "resolve", "list") as at:
        at.until(b"place 1 of 2")
        at.press(b"e")
        at.until(b"quotation")
        at.press(b"q")
        assert at.end() == 0


def test_ended_from_outside_it_leaves_the_terminal_as_it_was(clashing: Shell) -> None:
    clashing("sync")
    marked = clashing.read("list")
    for number, code, said in ((signal.SIGTERM, -signal.SIGTERM, b""), (signal.SIGINT, 130, b"Interrupted.")):
        with Terminal(clashing.cwd, clashing.environment, "resolve", "list") as at:
            at.until(b"place 1 of 2")
            at.press(b"t")
            at.until(b"place 2 of 2")
            if number == signal.SIGINT:
                at.press(b"\x03")
            else:
                at.process.send_signal(number)
            assert at.end() == code
        # The screen that was there before, a cursor, and no reports of the mouse.
        assert at.seen.rindex(b"\x1b[?1049l") > at.seen.rindex(b"\x1b[?1049h")
        assert at.seen.rindex(b"\x1b[?1003l") > at.seen.rindex(b"\x1b[?1003h")
        assert said in at.seen
        assert b"Traceback" not in at.seen
    assert clashing.read("list") == marked


def test_nothing_of_contents_moves_the_terminal(clashing: Shell) -> None:
    """Goals and lines with escapes in them are shown, by keys and in a list."""
    clashing.write("list", text(n1="mine\x1b]0;title\x07\x1b[31mred\x9b2J"))
    clashing("sync")
    for arguments in (("resolve", "list"), ("resolve", "list", "--strategy", "interactive"), ("diff",)):
        with Terminal(clashing.cwd, clashing.environment, *arguments, MIC_PAGER="cat") as at:
            at.until(b"\\x1b]0;")
            if "diff" not in arguments:
                at.press(b"q")
            assert at.end() == 0
        assert b"]0;title\x07" not in at.seen
        assert b"\x1b[31mred" not in at.seen
        assert "\x9b".encode() not in at.seen


def test_two_syncs_remember_what_was_mended_in_between(clashing: Shell, tmp_path: Path) -> None:
    """A record of a conflict outlives commands that have nothing to do with it."""
    clashing("sync")
    clashing("session", "note", "Hm")
    clashing.write("list", text(n1="mended", n8="mended8", n4="theirs4"))
    assert clashing("sync").startswith("Nothing new")
    assert len(list((clashing.cwd / ".mic/resolutions").iterdir())) == 2


def test_what_clashes_is_held_apart(clashing: Shell, name: str) -> None:
    """--auto-merge brings in what merges and marks no file; nothing lands until what clashes is settled."""
    folder = clashing.cd("one")
    clashing.write("list", text(n1="theirs1", n8="theirs8", n4="theirs4"))
    clashing.write("new", "of theirs\n")
    assert clashing("land", "More") == "Landed @3: More (1 file)\n"
    folder = clashing.cd("two")
    mine = clashing.read("list")
    assert clashing("sync", "--auto-merge") == (
        "Synced @1 to @3: 1 file brought in.\n"
        "clash: list, held apart: changed on both sides\n"
        + story(name)
        + "clash: logo, held apart: changed on both sides, and not text\n"
        + story(name)
        + "Your files stand as they were; `mic resolve` settles what clashes "
        "(without a terminal: `mic resolve PATH --hunk N=theirs`), then `mic land`. "
        "`mic sync --abort` undoes this sync.\n[3]\n"
    )
    assert (clashing.read("list"), (folder / "logo").read_bytes()) == (mine, b"\0mine")
    assert clashing.read("new") == "of theirs\n"
    assert "  list: clashes with @3, held apart: `mic resolve`\n" in clashing("status")
    assert [(each["marked"], each["held"]) for each in clashing.json("status")["conflicts"]] == [(False, True)] * 2
    for command in ("land", "sync"):
        assert clashing(command) == (
            "! mic: 2 paths still clash with what a sync took in:\n!   list\n!   logo\n"
            "!      `mic resolve` shows what clashes, and settles it. "
            "`mic sync --ours PATH` or `--theirs PATH` takes one side whole.\n[3]\n"
        )
    # Work goes on, in the same file too.
    clashing.write("list", mine.replace("6\n", "six\n"))
    assert len(clashing.json("resolve", "list")["conflicts"][0]["places"]) == 2
    assert clashing("resolve", "list", "--hunk", "1=theirs") == (
        "settled: list (1 place, 1 place left)\n"
        "`mic resolve` lists what is left by number; settle it: `mic resolve PATH --hunk N=ours|theirs|both|base`.\n"
    )
    assert "<<<<<<< yours\nmine8\n" in clashing.read("list")
    assert clashing("undo").startswith("Undone: mic resolve")
    assert clashing.read("list") == mine.replace("6\n", "six\n")
    assert clashing("resolve", "list", "--strategy", "union") == "settled with union: list (2 places)\n"
    assert clashing.read("list") == text(n1="mine1\ntheirs1", n8="mine8\ntheirs8", n4="theirs4", n6="six")
    assert clashing("resolve", "logo", "--strategy", "ours") == (
        "settled with ours: logo\nNothing clashes any more: `mic land`.\n"
    )
    assert clashing("land") == "Landed @4: Water at dawn (2 files)\n"


def test_held_apart_and_taken_back(clashing: Shell) -> None:
    """Aborting leaves what stood there, edits of now too; one side whole is taken as of marked lines."""
    clashing("sync", "--auto-merge")
    clashing.write("list", "now\n")
    clashing("sync", "--abort")
    assert clashing.read("list") == "now\n"
    assert clashing.json("status")["conflicts"] == []
    assert clashing.json("status")["position"] == 1
    clashing("sync", "--auto-merge")
    clashing("sync", "--theirs", "list", "--ours", "logo")
    assert clashing.read("list") == text(n1="theirs1", n8="theirs8", n4="theirs4")
    assert clashing.json("status")["conflicts"] == []
    assert clashing("land") == "Landed @3: Water at dawn (1 file)\n"


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_held_apart_where_one_side_has_no_file(clashing: Shell, side: str) -> None:
    """Changed here and deleted there, and the reverse: there are no lines to put together, one side whole is taken."""
    there = clashing.cd("one")
    (there / "list").unlink()
    clashing("land", "Less")
    here = clashing.cd("two")
    (here / "logo").unlink()
    mine = clashing.read("list")
    assert "clash: list, held apart: " in clashing("sync", "--auto-merge")
    assert clashing("resolve").startswith("list: yours stands over @3")
    assert clashing("resolve", "--strategy", "union") == (
        "! mic: list has no lines that could be put together.\n"
        "!      Take one side: `mic resolve list --strategy ours`, or theirs.\n[2]\n"
    )
    assert clashing("resolve", "--strategy", side).splitlines()[-3:] == [
        f"settled with {side}: list", f"settled with {side}: logo", "Nothing clashes any more: `mic land`.",
    ]  # fmt: skip
    held = {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()}
    assert held == ({"list": mine.encode()} if side == "ours" else {"logo": b"\0theirs"})


def test_one_path_alone(clashing: Shell) -> None:
    """--path brings one file up to date and leaves the base; what clashes is left as it was, and said."""
    clashing.cd("one")
    clashing.write("list", text(n1="theirs1", n8="theirs8", n4="theirs4", n0="zero"))
    clashing.write("docs/a", "a\n")
    clashing.write("docs/b", "b\n")
    clashing("land", "More")
    clashing.cd("two")
    mine = clashing.read("list")
    assert clashing("sync", "--path", "docs", "--path", "list") == (
        "taken in: docs/a\ntaken in: docs/b\nclash: list, left as it was: changed on both sides\n"
        "`mic sync` takes everything in and marks what clashes; `mic sync --auto-merge` keeps it apart.\n[3]\n"
    )
    assert (clashing.read("list"), clashing.read("docs/b")) == (mine, "b\n")
    clashing.write("list", text(n6="six"))
    assert clashing("sync", "--path", "list", "--auto-merge") == (
        "merged: list (before: .mic/kept/3/list)\nFrom @3: 1 file. Your base stays @1.\n"
    )
    assert clashing.read("list") == text(n1="theirs1", n8="theirs8", n4="theirs4", n0="zero", n6="six")
    assert clashing.json("sync", "--path", "list")["merged"] == []
    assert clashing.json("status")["position"] == 1
    assert clashing("sync", "--path", "nowhere") == (
        "! mic: There is no nowhere at @3.\n!      `mic ls` lists what is there.\n[4]\n"
    )
    assert "goes without" in clashing("sync", "--path", "list", "--ours", "list")
    (clashing.cwd / "logo").write_bytes(b"\0theirs")
    # The forge knows again what it has: nobody landed the folder a second time.
    assert clashing("land") == "Landed @4: Water at dawn (4 files)\n"
    for path, positions in {"docs/a": ["@3"], "logo": ["@2", "@1"], "list": ["@4", "@3", "@2", "@1"]}.items():
        assert [line.split()[0] for line in clashing("log", "--", path).splitlines()] == positions
    assert clashing.json("status")["changes"] == []


def test_a_file_that_changes_while_it_is_open(clashing: Shell) -> None:
    """Choices of places that stand there still are written; the file is named where one is not."""
    clashing("sync")
    marked = clashing.read("list")
    with Terminal(clashing.cwd, clashing.environment, "resolve", "list") as at:
        at.until(b"place 1 of 2")
        at.press(b"tt")
        at.until(b"0 of 2")
        first = marked[marked.index("<<<<<<<") : marked.index(">>>>>>>")]
        first += marked[marked.index(">>>>>>>") :].partition("\n")[0] + "\n"
        clashing.write("list", marked.replace(first, "by hand\n", 1) + "at the end\n")
        at.press(b"w")
        assert at.end() == 0
    said = at.seen.decode().replace("\r\n", "\n").partition("settled: ")[2]
    assert said.startswith("list (1 place)\n")
    assert "list changed while it was open, and 1 choice for it is left out: `mic resolve list`.\n" in said
    assert clashing.read("list") == text(n1="by hand", n8="theirs8", n4="theirs4") + "at the end\n"


def test_a_file_that_is_settled_otherwise_while_it_is_open(clashing: Shell) -> None:
    """Nothing of it is written over."""
    clashing("sync")
    with Terminal(clashing.cwd, clashing.environment, "resolve", "list") as at:
        at.until(b"place 1 of 2")
        at.press(b"tt")
        at.until(b"0 of 2")
        clashing.write("list", "mended\n")
        at.press(b"w")
        assert at.end() == 0
    assert b"list changed while it was open, and 2 choices for it are left out: `mic resolve list`." in at.seen
    assert clashing.read("list") == "mended\n"


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("other", ["list", "rows"])
def test_choices_for_one_file_while_another_changes(shell: Shell, name: str, other: str, gone: bool) -> None:
    """What was chosen for the file that nobody touched is written; the other stays as it was made meanwhile."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "one")
    shell.cd("one")
    shell.write("list", text())
    shell.write("rows", "base\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/p", "two")
    for folder, side in (("one", "theirs"), ("two", "mine")):
        shell.cd(folder)
        shell.write("list", text(n1=f"{side}1", n8=f"{side}8"))
        shell.write("rows", f"{side}\n")
        if side == "theirs":
            shell("land", "Theirs")
    shell("sync")
    with Terminal(shell.cwd, shell.environment, "resolve", NO_COLOR="1") as at:
        at.until(b"place 1 of 2")
        at.press(b"ttt")
        at.until(b"0 of 3")
        (shell.cwd / other).unlink()
        if not gone:
            shell.write(other, "mended\n")
        at.press(b"w")
        assert at.end() == 0
    wanted = {"list": text(n1="theirs1", n8="theirs8"), "rows": "theirs\n"}
    settled, lost = {
        "list": ("settled: rows (1 place)", "2 choices for it are left out"),
        "rows": ("settled: list (2 places)", "1 choice for it is left out"),
    }[other]
    said = at.seen.decode().replace("\r\n", "\n")
    assert said[said.index("settled: ") :].partition("\n")[0] == settled
    assert f"\n{other} changed while it was open, and {lost}: `mic resolve {other}`.\n" in said
    wanted[other] = "" if gone else "mended\n"
    for path, held in wanted.items():
        assert ((shell.cwd / path).read_text() if (shell.cwd / path).exists() else "") == held
