"""Protected lines and paths at a terminal, and whose a path is."""

from __future__ import annotations

from pathlib import Path

from forge_process import Forge
from transcript import Shell, make_garden


def test_who_lands_where(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("org", "invite", name, f"v{name}")
    other("org", "accept", name)
    assert shell("project", "protect", f"{name}/garden") == (
        f"{name}/garden protects nothing: all members land everywhere.\n"
    )
    other("clone", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write(".micelio/OWNERS", f"/src/  @v{name}\nREADME.md grace\n")
    assert shell("land", "Say whose it is") == (
        "! mic: .micelio/OWNERS cannot be read, so nothing landed; line 2: `grace` is no owner: use @handle,"
        " @organization or an e-mail address.\n"
        "!      Mend the line: a pattern, then @handle, @organization or an e-mail address, with blanks between."
        " The session stays open: `mic land` tries again, `mic session abandon` gives it up.\n[1]\n"
    )
    shell.write(".micelio/OWNERS", f"/src/  @v{name}\n")
    assert shell("land", "Say whose it is").startswith("Landed @4")
    assert shell("project", "protect", f"{name}/garden", "--path", "/src/", "--path", "*.md") == (
        "path /src/: its owners and admins land it\npath *.md: its owners and admins land it\n"
    )
    for option in ("--path", "--line"):
        assert shell("project", "protect", f"{name}/garden", option, "") == (
            "! mic: A pattern is empty. Say --nothing to protect nothing any more.\n"
            "!      See `mic project protect --help`.\n[2]\n"
        )
    assert shell("project", "protect", f"{name}/garden").startswith("path /src/: ")
    other.cd("garden")
    other.write("src/water.py", "AT = 13\n")
    assert other("land", "Water later").startswith("Landed @5")
    other.write("README.md", "# Mine\n")
    assert other("land", "Take it over") == (
        f"! mic: README.md is protected by *.md: nobody is named for it in .micelio/OWNERS, so only admins of"
        f" {name}/garden land it.\n"
        "!      Ask one of them to land this. `mic owners PATH` says who owns a path, and why."
        " The session stays open: `mic land` tries again, `mic session abandon` gives it up.\n[5]\n"
    )
    assert other.json("land", "Take it over")["error"]["protected"] == [
        {"path": "README.md", "protected_by": "*.md", "line": None, "rule": None, "owners": []}
    ]
    assert other("owners", "src/water.py") == (
        f"src/water.py\n  It is protected by /src/: @v{name} and admins of {name}/garden land it"
        " (.micelio/OWNERS line 1, `/src/`).\n"
    )
    assert shell.json("owners", "run.sh", "@3")["rule"] is None
    assert shell("project", "protect", f"{name}/garden", "--line", "main=@nobody") == (
        "! mic: @nobody is neither a person nor an organization here.\n"
        "!      Look at how the handle is written, or wait until it is there.\n[2]\n"
    )
    assert shell("project", "protect", f"{name}/garden", "--line", "main=@admin") == (
        "line main: @admin and admins land\n"
    )
    assert other("land", "Take it over").startswith(
        f"! mic: The line main of {name}/garden is protected: @admin and admins of {name}/garden land on it.\n"
    )
    assert other("project", "protect", f"{name}/garden", "--nothing").endswith("[5]\n")
    assert shell("project", "protect", f"{name}/garden", "--nothing").endswith("all members land everywhere.\n")
    assert other("land", "Take it over").startswith("Landed @6")
