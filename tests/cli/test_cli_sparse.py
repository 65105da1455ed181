"""Working copies that have some folders of their project: what comes, what stays away, and that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcript import Shell

FILES = {
    "README.md": "# Garden\n", "src/Makefile": "all:\n", "src/lib/a.py": "A = 1\n", "src/lib/deep/b.py": "B = 1\n",
    "src/library/c.py": "C = 1\n", "docs/guide.md": "Water.\n", "docs/img/d.svg": "<svg/>\n",
}  # fmt: skip


@pytest.fixture
def whole(shell: Shell, name: str) -> Path:
    """A working copy of everything, at the first landing."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden", "whole")
    where = shell.cd("whole")
    for path, text in FILES.items():
        shell.write(path, text)
    assert shell("land", "Begin") == f"Landed @1: Begin ({len(FILES)} files)\n"
    shell.cd(".")
    return where


def _here(shell: Shell) -> list[str]:
    """The files here but for those of `.mic`."""
    found = [path.relative_to(shell.cwd) for path in shell.cwd.rglob("*") if path.is_file()]
    return sorted(str(path) for path in found if path.parts[0] != ".mic")


def test_from_a_clone_of_one_folder_to_everything(shell: Shell, whole: Path, name: str) -> None:
    assert shell("clone", f"{name}/garden", "part", "--sparse", "src/lib/**") == (
        f"Cloned {name}/garden @1 in HOME/part: 4 files of src/lib.\n"
    )
    shell.cd("part")
    assert _here(shell) == ["README.md", "src/Makefile", "src/lib/a.py", "src/lib/deep/b.py"]
    assert shell("sparse", "list") == "src/lib\n"
    assert shell("status") == (
        f"{name}/garden at landing 1, from FORGE\nOf it only src/lib is here.\nNo session is open.\nNothing changed.\n"
    )
    assert shell.json("status")["sparse"] == [{"path": "src/lib"}]
    assert shell("cat", "docs/guide.md") == "Water.\n"
    assert "docs/" in shell("ls")
    # Nothing outside goes when something inside lands.
    shell.write("src/lib/a.py", "A = 2\n")
    assert shell("land", "Change") == "Landed @2: Change (1 file)\n"
    assert shell("ls", "-r", "@2").count("\n") == len(FILES)
    assert shell("sparse", "add", "docs") == "Here are 6 files of docs, src/lib: 2 files came, 0 files went.\n"
    assert shell.read("docs/img/d.svg") == "<svg/>\n"
    assert shell("sparse", "remove", "docs", "src/lib") == (
        "Here are 1 file, those at the top: 0 files came, 5 files went.\n"
    )
    assert _here(shell) == ["README.md"]
    assert shell("undo").startswith("Undone: mic sparse remove; your base is @2, 5 files changed here.")
    assert shell("sparse", "list") == "docs\nsrc/lib\n"
    assert shell("redo").startswith("Done again")
    assert shell("sparse", "list") == "Only the files at the top are here.\n"
    assert shell("sparse", "all") == "Everything is here: 6 files came, 0 files went.\n"
    assert _here(shell) == sorted(FILES)
    assert shell.json("sparse", "list") == {"sparse": None}
    assert shell("sparse", "set", "docs") == "Here are 3 files of docs: 0 files came, 4 files went.\n"
    assert shell("status").endswith("No session is open.\nNothing changed.\n")


def test_what_others_land_comes_where_it_belongs(shell: Shell, whole: Path, name: str) -> None:
    """Sync, goto, diff and a landing over others' look at the same part."""
    shell("clone", f"{name}/garden", "part", "--sparse", "src/lib")
    shell.cd("whole")
    shell.write("docs/guide.md", "Water twice.\n")
    shell.write("src/lib/new.py", "N = 1\n")
    (whole / "src/library/c.py").unlink()
    shell("land", "Change much")
    shell.cd("part")
    shell.write("src/lib/a.py", "A = 2\n")
    assert shell("sync") == "Synced @1 to @2: 1 file brought in.\n"
    assert shell("diff", "@1", "--name-only") == "src/lib/a.py\nsrc/lib/new.py\n"
    shell("land", "Change a little")
    assert shell("goto", "@1") == "From @3 to @1: 2 files changed here.\n"
    assert "src/lib/new.py" not in _here(shell)
    assert shell("goto", "@latest").startswith("From @1 to @3")
    shell.cd("whole")
    shell("sync")
    shell.write("src/lib/deep/b.py", "B = 2\n")
    shell.write("docs/guide.md", "Water thrice.\n")
    shell("land", "Change again")
    shell.cd("part")
    shell.write("src/Makefile", "none:\n")
    assert shell("land", "Without a sync") == "Landed @5: Without a sync (1 file)\nbrought in from others: 1 file\n"
    assert _here(shell) == ["README.md", "src/Makefile", "src/lib/a.py", "src/lib/deep/b.py", "src/lib/new.py"]
    assert shell("cat", "docs/guide.md") == "Water thrice.\n"


def test_what_lies_outside_is_not_landed_and_not_lost(shell: Shell, whole: Path, name: str) -> None:
    shell("clone", f"{name}/garden", "part", "--sparse", "src/lib")
    shell.cd("part")
    shell.write("docs/guide.md", "Mine.\n")
    assert "A docs/guide.md" in shell("status")
    assert shell("land", "Over what I do not see") == (
        "! mic: You changed docs/guide.md, which is outside of what this working copy has of the project.\n"
        "!      `mic sparse add docs` brings the folder here. The session stays open: `mic land` tries again, "
        "`mic session abandon` gives it up.\n[2]\n"
    )
    assert shell("sparse", "add", "docs") == (
        "! mic: Your files are in the way:\n!   docs/guide.md\n"
        "!      Nothing was touched. Move them away, or land them first.\n[3]\n"
    )
    (shell.cwd / "docs/guide.md").rename(shell.cwd / "mine.md")
    shell("sparse", "add", "docs")
    (shell.cwd / "mine.md").rename(shell.cwd / "docs/guide.md")
    assert "M docs/guide.md" in shell("status")
    assert shell("sparse", "remove", "docs") == (
        "! mic: You changed what would go:\n!   docs/guide.md\n"
        "!      Nothing was touched. Land or push your changes first, or put them back.\n[3]\n"
    )
    # A folder that is new is added by its name.
    shell.write("tools/t.sh", "#!/bin/sh\n")
    assert shell("sparse", "add", "tools").startswith("Here are 6 files of docs, src/lib, tools: 0 files came")
    assert shell("land") == "Landed @2: Over what I do not see (2 files)\n"
    shell.cd("whole")
    shell.write("docs/img/d.svg", "<svg></svg>\n")
    shell("land", "Draw")
    shell("session", "start", "Guide")
    shell.write("docs/img/d.svg", "<svg>1</svg>\n")
    shell("session", "push")
    shell.cd("part")
    shell("sparse", "set", "src/lib")
    shell("sync")
    for command in (("revert", "@3"), ("session", "resume", "--latest")):
        said = shell(*command)
        assert "docs/img/d.svg, which is outside of what this working copy has of the project." in said
        assert "`mic sparse add docs/img` brings the folder here." in said
        assert said.endswith("[2]\n")
    assert shell("status").endswith("No session is open.\nNothing changed.\n")


def test_a_file_where_others_landed_a_folder_that_is_not_here(shell: Shell, whole: Path, name: str) -> None:
    """Files at the top are always here, and a folder in place of one is not: the refusal says what is in the way."""
    shell("clone", f"{name}/garden", "part", "--sparse", "src/lib")
    shell.cd("whole")
    (whole / "README.md").unlink()
    shell.write("README.md/one", "1\n")
    shell("land", "Folder")
    shell.cd("part")
    shell.write("README.md", "# Mine\n")
    assert shell("sync").endswith("[3]\n")
    said = shell("land", "Mine")
    assert said.partition("ours ")[0] == (
        "! mic: This session clashes with what landed since @2; nothing was landed.\n"
        "!   README.md: a file here, a directory there; base absent, "
    )
    assert said.partition("theirs ")[2] == (
        "absent\n!      What is there is not here: move README.md aside, then `mic sparse add README.md` brings it. "
        "The session stays open: `mic land` tries again, `mic session abandon` gives it up.\n[3]\n"
    )
    assert shell.json("land")["error"]["clashes"][0]["position"] is None
    assert shell("sparse", "add", "README.md") == (
        "! mic: Your files are in the way:\n!   README.md\n"
        "!      Nothing was touched. Move them away, or land them first.\n[3]\n"
    )
    (shell.cwd / "README.md").rename(shell.cwd / "mine.md")
    shell("sparse", "add", "README.md")
    assert shell.read("README.md/one") == "1\n"
    assert shell("land") == "Landed @3: Mine (1 file)\n"


def test_names_that_are_none(shell: Shell, whole: Path, name: str) -> None:
    assert shell("clone", f"{name}/garden", "part", "--sparse", "scr/lib") == (
        "! mic: There is no folder scr/lib at @1.\n!      `mic ls` lists what there is.\n[4]\n"
    )
    assert not (shell.home / "part").exists()
    assert shell("clone", f"{name}/garden", "part", "--sparse", "../lib").endswith(
        "\n!      Give folders from the top of the project.\n[2]\n"
    )
    shell("clone", f"{name}/garden", "top", "--sparse", "/")
    shell.cd("top")
    assert _here(shell) == ["README.md"]
    assert shell("sparse", "remove", "docs") == (
        "! mic: docs is none of the folders that are here.\n!      `mic sparse list` shows them.\n[4]\n"
    )
    (shell.cwd / ".mic/sparse").write_bytes(b"docs")
    assert "/.mic/sparse is damaged" in shell("status")
    assert shell("sparse", "set", "docs").startswith("Here are 3 files of docs")
