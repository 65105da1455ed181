"""Forking, changing and deleting projects at a terminal."""

from __future__ import annotations

from pathlib import Path

from forge_process import Forge
from transcript import Shell, make_garden


def test_a_fork_is_made_used_and_outlives_its_origin(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    assert shell("project", "create", f"{name}/herbs", "--fork", f"{name}/garden", "--description", "Thyme") == (
        f"Made the private project {name}/herbs, a fork of {name}/garden @3.\n"
    )
    assert shell("project", "show", f"{name}/herbs") == (
        f"{name}/herbs  private\nThyme\n3 landings, made WHEN\nforked from {name}/garden @3\n"
    )
    assert shell("project", "show", f"{name}/garden") == f"{name}/garden  private\n3 landings, made WHEN\n1 fork\n"
    assert shell("log", "--project", f"{name}/herbs") == shell("log", "--project", f"{name}/garden")
    assert shell("clone", f"{name}/herbs") == f"Cloned {name}/herbs @3 in HOME/herbs: 4 files.\n"
    shell.cd("herbs")
    shell.write("thyme.txt", "by the wall\n")
    assert shell("land", "Plant thyme") == "Landed @4: Plant thyme (1 file)\n"
    assert shell("project", "delete", f"{name}/garden", stdin=f"{name}/garden\n") == (
        f"Deleted {name}/garden. 1 fork of it stays.\n"
        f"Until WHEN `mic project restore {name}/garden` takes that back.\n"
        f"! {name}/garden with 3 landings will be gone for everybody.\n"
        f"! Type its name to delete it: \n"
    )
    assert shell("project", "show", f"{name}/garden").endswith("[4]\n")
    assert shell.json("project", "show", f"{name}/herbs")["project"]["fork"] == {"from": None, "position": 3}
    assert "Plant thyme" in shell("log")
    assert shell("cat", "README.md", "@2").startswith("# Garden")


def test_deleting_asks(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/garden")
    refused = shell("project", "delete", f"{name}/garden", stdin="garden\n")
    assert refused == (
        f"! {name}/garden with 0 landings will be gone for everybody.\n"
        f"! Type its name to delete it: mic: Nothing was deleted: 'garden' is not {name}/garden.\n"
        "!      Or add --yes.\n[2]\n"
    )
    assert shell("project", "list", name) == f"{name}/garden  private\n"
    done = shell.json("project", "delete", f"{name}/garden", "--yes")
    assert (done["deleted"], done["forks"]) == (f"{name}/garden", 0)
    assert shell.json("project", "list", name)["projects"] == []


def test_a_deletion_is_taken_back(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    shell("project", "create", f"{name}/garden", "--visibility", "public")
    shell("project", "delete", f"{name}/garden", "--yes")
    gone = (
        f"! mic: There is no project {name}/garden, or you may not see it.\n"
        "!      Check the spelling, or sign in as a member of its organization.\n[4]\n"
    )
    assert shell("project", "show", f"{name}/garden") == gone
    assert other("project", "restore", f"{name}/garden") == gone
    assert other("project", "deleted", name).endswith("[5]\n")
    listed = shell("project", "deleted", name)
    assert listed.startswith(f"{name}/garden  deleted by ")
    assert listed.endswith(", can be restored until WHEN\n")
    assert shell("project", "create", f"{name}/garden").startswith(
        f"! mic: {name}/garden was deleted and can be restored until WHEN UTC.\n"
    )
    assert shell("project", "restore", f"{name}/garden") == f"{name}/garden is there again, public, @0.\n"
    assert shell("project", "deleted", name) == f"{name} has no deleted project that can be restored.\n"
    assert shell.json("project", "deleted", name) == {"deleted": []}


def test_an_archived_project_says_so(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("thyme.txt", "by the wall\n")
    assert shell("project", "archive", f"{name}/garden") == (
        f"{name}/garden is archived: nothing lands in it, everything can be read.\n"
    )
    assert shell("land", "Plant thyme") == (
        f"! mic: {name}/garden is archived: everything in it can be read, and nothing lands.\n"
        f"!      An admin of {name} can take it out of the archive: `mic project unarchive`."
        " The session stays open: `mic land` tries again, `mic session abandon` gives it up.\n[5]\n"
    )
    assert shell("project", "show", f"{name}/garden").startswith(f"{name}/garden  private  archived WHEN\n")
    assert shell("cat", "README.md").startswith("# Garden")
    assert shell("project", "unarchive", f"{name}/garden") == f"{name}/garden is not archived: sessions land in it.\n"
    assert shell("land", "Plant thyme") == "Landed @4: Plant thyme (1 file)\n"


def test_a_workspace_follows_its_project(shell: Shell, name: str) -> None:
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("thyme.txt", "by the wall\n")
    assert shell("project", "rename", f"{name}/garden", "park") == (
        f"{name}/garden is {name}/park now. The old address leads there.\n"
    )
    moved = f"! {name}/garden is {name}/park now. The old address leads there.\n"
    assert shell("land", "Plant thyme") == f"Landed @4: Plant thyme (1 file)\n{moved}"
    assert "project=park\n" in shell.read(".mic/config")
    assert "position=4\n" in shell.read(".mic/config")
    assert "leads there" not in shell("log")
    shell.write("thyme.txt", "by the gate\n")
    assert shell("land", "Move thyme") == "Landed @5: Move thyme (1 file)\n"
    shell("org", "create", f"{name}-b")
    assert shell("project", "transfer", f"{name}/park", f"{name}-b/yard") == (
        f"{name}/park is {name}-b/yard now. The old address leads there.\n"
    )
    shell.cd(".")
    assert shell("clone", f"{name}/garden") == (
        f"! {name}/garden is {name}-b/yard now. The old address leads there.\n"
        f"! mic: HOME/garden is a working copy of {name}/park from FORGE.\n"
        "!      Name another directory.\n[1]\n"
    )
    assert shell("clone", f"{name}/park", "yard") == (
        f"Cloned {name}-b/yard @5 in HOME/yard: 5 files.\n! {name}/park is {name}-b/yard now."
        " The old address leads there.\n"
    )
    assert f"organization={name}-b\nproject=yard\n" in shell.read("yard/.mic/config")


def test_stars(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/garden", "--description", "Where things grow")
    assert shell("project", "stars") == "You have starred no project. `mic project star ORG/PROJECT` does.\n"
    assert shell("project", "star", f"{name}/garden") == f"{name}/garden has 1 star, one of them yours.\n"
    assert shell("project", "stars") == f"{name}/garden  Where things grow\n"
    assert "1 star, one of them yours\n" in shell("project", "show", f"{name}/garden")
    assert shell.json("project", "unstar", f"{name}/garden") == {
        "project": f"{name}/garden", "stars": 0, "starred": False
    }  # fmt: skip


def test_changing_a_project(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    shell("project", "create", f"{name}/garden")
    assert shell("project", "update", f"{name}/garden").endswith(
        "Say what to change: --name, --description, --topic or --visibility.\n"
        "!      See `mic project update --help`.\n[2]\n"
    )
    assert other("project", "show", f"{name}/garden").endswith("[4]\n")
    assert shell(
        "project", "update", f"{name}/garden", "--public", "--name", "The garden", "--description", "Where things grow"
    ) == (f"{name}/garden is public: The garden.\nWhere things grow\n")
    assert other("project", "show", f"{name}/garden") == (
        f"{name}/garden  public\nThe garden\nWhere things grow\n0 landings, made WHEN\n"
    )
    assert other("project", "update", f"{name}/garden", "--private").endswith("[5]\n")
    assert shell("project", "update", f"{name}/garden", "--topic", "Plants", "--topic", "water") == (
        f"{name}/garden is public: The garden.\nWhere things grow\ntopics: plants water\n"
    )
    assert "topics: plants water\n" in other("project", "show", f"{name}/garden")
    # The same words as where a project is made.
    for visibility in ("private", "public"):
        said = shell.json("project", "edit", f"{name}/garden", "--visibility", visibility)
        assert said["project"]["visibility"] == visibility
    assert "A project cannot be public and private.\n" in shell(
        "project", "edit", f"{name}/garden", "--visibility", "private", "--public"
    )
    assert shell("project", "update", f"{name}/garden", "--topic", "a b") == (
        "! mic: 'a b' cannot be a topic.\n"
        "!      Use a-z, 0-9 and hyphens, at most 35 of them; begin with a letter or digit.\n[2]\n"
    )
    assert shell.json("project", "update", f"{name}/garden", "--no-topics")["project"]["topics"] == []
    assert shell("project", "explore", "--topic", "plants") == (
        "No project that you may see is like that; what is new is told after some minutes.\n"
    )
    assert shell.json("project", "update", f"{name}/garden", "--private")["project"]["visibility"] == "private"
    assert other("project", "show", f"{name}/garden").endswith("[4]\n")


def test_a_fork_of_what_is_private_stays_private(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/garden")
    assert shell("project", "create", f"{name}/a", "--fork", f"{name}/garden", "--visibility", "public") == (
        f"! mic: {name}/garden is private; a fork of it is private too.\n!      Leave the visibility out.\n[2]\n"
    )
    shell("project", "create", f"{name}/b", "--fork", f"{name}/garden")
    assert shell("project", "update", f"{name}/b", "--public") == (
        f"! mic: {name}/b is a fork of a private project and stays private.\n"
        "!      It can be made public once its origin is public.\n[2]\n"
    )
    assert shell("project", "create", f"{name}/c", "--fork", "other.example/x/y").endswith(
        "A fork is on the instance of its origin.\n[2]\n"
    )
