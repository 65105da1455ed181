"""Noting who wrote which lines while the work goes on, until the lines land and are blamed."""

from __future__ import annotations

from transcript import Shell


def _told(shell: Shell, path: str) -> list[tuple[int, int, str, str | None]]:
    hunks = shell.json("blame", path)["hunks"]
    return [(each["first"], each["lines"], each["written_by"], each["writer"]) for each in hunks]


def test_wrote(shell: Shell, name: str) -> None:
    """An agent beside a person, a formatter behind them, and a line that nobody speaks for."""
    shell("project", "create", f"{name}/lines")
    shell("clone", f"{name}/lines")
    shell.cd("lines")
    assert shell("session", "wrote").startswith("! mic: No session is open here.")
    shell.write("f", "one\ntwo\n")
    shell("land", "Begin")

    shell("session", "start", "Write", "--agent", "claude")
    assert shell("session", "wrote") == "No text file has changed here.\n"
    shell.write("f", "one\nby a person\ntwo\n")
    assert shell("session", "wrote", "--as", "person", "f") == "person: what changed in f\n"
    shell("session", "note", "Now the agent")
    shell.write("f", "one\nby a person\ntwo\nby an agent\n")
    shell.write("g", "all\n")
    told = shell.json("session", "wrote", "--name", "opus")
    assert (told["by"], told["name"], [each["path"] for each in told["files"]]) == ("agent", "opus", ["f", "g"])
    shell.write("f", "by nobody\n    one\n    by a person\n    two\n    by an agent\n")
    shell.write("h", "never noted\n")
    assert shell("land") == "Landed @2: Write (3 files)\n"

    assert _told(shell, "f") == [
        (1, 1, "untracked", None), (2, 1, "person", None), (3, 1, "person", None),
        (4, 1, "person", None), (5, 1, "agent", "opus"),
    ]  # fmt: skip
    assert [each["position"] for each in shell.json("blame", "f")["hunks"]] == [2, 1, 2, 1, 2]
    assert [each["message"] for each in shell.json("blame", "f")["hunks"]] == [None, None, None, None, 1]
    assert _told(shell, "g") == [(1, 1, "agent", "opus")]
    assert (_told(shell, "h"), shell.json("blame", "h")["hunks"][0]["of_line"]) == ([(1, 1, "agent", None)], False)
    rows = [row.split()[:3] for row in shell("blame", "f").splitlines()]
    assert rows == [
        ["@2", "untracked", f"u{name}"], ["@1", "person", f"u{name}"], ["@2", "person", f"u{name}"],
        ["@1", "person", f"u{name}"], ["@2", "agent", "opus"],
    ]  # fmt: skip
    said = shell("blame", "f", "--why", "-L", "5")
    assert f"  agent: u{name} with claude, WHEN\n  The session says of these lines: opus, an agent.\n" in said
    assert "The session does not say who wrote these lines." in shell("blame", "f", "--why", "-L", "1")


def test_what_was_noted_outlives_a_clash(shell: Shell, name: str) -> None:
    """A session that clashes is synced and landed again: its lines are whose they were, by what they are."""
    shell("project", "create", f"{name}/clash")
    shell("clone", f"{name}/clash", "one")
    shell.cd("one")
    shell.write("f", "a\nb\nc\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/clash", "two")
    shell.cd("two")
    shell("session", "start", "Mine", "--agent", "claude")
    shell.write("f", "a\nmine\nc\nd\n")
    shell("session", "wrote")
    shell.cd("one")
    shell.write("f", "zero\na\ntheirs\nc\n")
    shell("land", "Theirs")
    shell.cd("two")
    assert shell.json("land")["error"]["code"] == "conflict"
    shell("sync")
    shell.write("f", "zero\na\ntheirs\nmine\nc\nd\n")
    assert shell("land") == "Landed @3: Mine (1 file)\n"
    hunks = shell.json("blame", "f")["hunks"]
    assert [(each["first"], each["lines"], each["position"], each["written_by"]) for each in hunks] == [
        (1, 1, 2, "person"), (2, 1, 1, "person"), (3, 1, 2, "person"),
        (4, 1, 3, "agent"), (5, 1, 1, "person"), (6, 1, 3, "agent"),
    ]  # fmt: skip


def test_what_was_noted_travels_with_the_session(shell: Shell, name: str) -> None:
    """Pushed, resumed in another clone, gone on with there, and landed; a note alone is news."""
    shell("project", "create", f"{name}/travels")
    shell("clone", f"{name}/travels", "one")
    shell("clone", f"{name}/travels", "two")
    shell.cd("one")
    shell("session", "start", "Write", "--agent", "claude")
    shell("session", "note", "Begin")
    shell.write("f", "by a person\nby an agent\n")
    shell.write("g", "other\n")
    assert shell.json("session", "push")["new"]
    shell("session", "wrote", "--as", "person", "f")
    assert shell.json("session", "push")["new"]
    assert not shell.json("session", "push")["new"]
    shell.write("f", "by a person\nby an agent\nby another\n")
    shell("session", "wrote", "--name", "opus")
    pushed = shell.json("session", "push")["session"]["id"]
    shell.cd("two")
    shell("session", "resume", pushed)
    assert not shell.json("session", "push")["new"]
    shell.write("f", "by nobody\nby a person\nby an agent\nby another\nlast\n")
    shell("session", "wrote", "--as", "person", "--name", "Eve", "g")
    assert shell("land") == "Landed @1: Write (2 files)\n"
    assert _told(shell, "f") == [
        (1, 1, "untracked", None), (2, 2, "person", None), (4, 1, "agent", "opus"), (5, 1, "untracked", None),
    ]  # fmt: skip
    assert [each["message"] for each in shell.json("blame", "f")["hunks"]] == [None, 1, 1, None]
    assert _told(shell, "g") == [(1, 1, "agent", "opus")]


def test_undo_takes_back_what_was_noted(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/undo")
    shell("clone", f"{name}/undo")
    shell.cd("undo")
    shell("session", "start", "Write", "--agent", "claude")
    shell.write("f", "one\n")
    shell("session", "wrote", "--as", "person")
    shell.write("f", "one\ntwo\n")
    shell("session", "wrote", "--as", "person")
    assert shell("undo") == "Undone: mic session wrote; your base is @0.\n"
    shell("session", "wrote", "--name", "opus")
    assert shell("land") == "Landed @1: Write (1 file)\n"
    assert _told(shell, "f") == [(1, 1, "person", None), (2, 1, "agent", "opus")]
