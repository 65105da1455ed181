"""Who wrote a line, and why, as it looks at a terminal."""

from __future__ import annotations

from transcript import Shell, make_garden


def test_blame(shell: Shell, name: str) -> None:
    """Imported lines are untracked; a session's own come with its goal and what was decided about the file."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    assert shell.read("README.md") == "# Garden\n\nRoses.\n\nMore roses.\n"
    shell("session", "start", "Plant tulips")
    shell("session", "decide", "Tulips", "--why", "Early", "--over", "Lilies: the cat", "--evidence", "README.md:3")
    shell("session", "decide", "Something else", "--evidence", "src/water.py")
    shell.write("README.md", "# Garden\n\nTulips.\n\nMore roses.\n\x1b[31m\n")
    assert shell("land") == "Landed @4: Plant tulips (1 file)\n"

    told = shell.json("blame", "README.md")
    assert (told["path"], told["position"], told["written_at"], told["total_lines"]) == ("README.md", 4, 4, 6)
    assert [(each["first"], each["lines"], each["position"], each["first_there"]) for each in told["hunks"]] == [
        (1, 2, 1, 1), (3, 1, 4, 3), (4, 2, 3, 4), (6, 1, 4, 6),
    ]  # fmt: skip
    assert {each["position"]: each["written_by"] for each in told["landings"]} == {
        1: "untracked",
        3: "untracked",
        4: "person",
    }
    assert "whys" not in told
    rows = [row.split() for row in shell("blame", "README.md").splitlines()]
    assert [row[:2] for row in rows] == [
        ["@1", "untracked"], ["@1", "untracked"], ["@4", "person"],
        ["@3", "untracked"], ["@3", "untracked"], ["@4", "person"],
    ]  # fmt: skip
    assert [row[-2:] for row in rows[2:3]] == [["3", "Tulips."]]
    assert rows[5][-1] == "\\x1b[31m"

    assert shell("blame", "README.md", "--why", "-L", "2,3").splitlines()[-9:] == [
        "  2  ",
        "@4 Plant tulips",
        f"  person: u{name}, WHEN",
        "  Decided: Tulips",
        "    because Early",
        "    not Lilies: the cat",
        "    evidence: README.md:3",
        "  1 more decision: mic show @4",
        "  3  Tulips.",
    ]
    # What names other lines is not about this one, and the message of a commit is shown whole.
    assert shell("blame", "README.md", "--why", "-L", "4,6").splitlines() == [
        "@3 Grow",
        "",
        "  They grow.",
        "  untracked: Ada, WHEN",
        "  4  ",
        "  5  More roses.",
        "@4 Plant tulips",
        f"  person: u{name}, WHEN",
        "  2 more decisions: mic show @4",
        "  6  \\x1b[31m",
    ]
    (why,) = shell.json("blame", "README.md", "--why", "-L", "3")["whys"]
    assert (why["others"], why["decisions"][0]["lines"]) == (1, [{"first": 3, "last": 3}])
    assert (why["position"], why["about_file"], [each["number"] for each in why["decisions"]]) == (4, True, [1])
    assert [each["position"] for each in shell.json("blame", "README.md", "@3")["hunks"]] == [1, 3]

    assert shell("blame", "README.md", "-L", "5,").count("\n") == 2
    missing = "! mic: There is no file nowhere at @4.\n!      `mic ls` lists what is there.\n[4]\n"
    assert shell("blame", "nowhere") == shell("cat", "nowhere") == missing
    for arguments, code in (
        (("README.md", "-L", "7"), "not_found"),
        (("README.md", "-L", "3,2"), "invalid_input"),
        (("README.md", "-L", "x"), "invalid_input"),
        (("src",), "not_text"),
        (("nowhere",), "not_found"),
        (("link",), "not_text"),
        ((".",), "invalid_input"),
        (("README.md", "@9"), "not_found"),
    ):
        assert shell.json("blame", *arguments)["error"]["code"] == code, arguments


def test_blame_of_a_file_that_was_moved_and_edited(shell: Shell, name: str) -> None:
    """Followed by likeness, which is marked and said."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/moved")
    shell("clone", f"{name}/moved")
    shell.cd("moved")
    shell("session", "start", "Move it")
    (shell.cwd / "README.md").unlink()
    shell.write("ABOUT.md", "# Garden\n\nRoses.\n\nMore roses.\nAnd tulips.\n")
    shell("land")
    lines = shell("blame", "ABOUT.md").splitlines()
    assert [line.split()[:2] for line in lines[:6]] == [
        ["~@1", "untracked"], ["~@1", "untracked"], ["~@1", "untracked"],
        ["~@3", "untracked"], ["~@3", "untracked"], ["@4", "person"],
    ]  # fmt: skip
    assert lines[6:] == [
        "",
        "Lines marked with ~ were followed by likeness: the file they stood in went away when one much like it",
        "came, and nothing says that it was moved.",
    ]
    told = shell.json("blame", "ABOUT.md")
    assert [each["alike"] for each in told["hunks"]] == [True, True, False]
