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
        f"! {name}/garden with 3 landings will be gone for good.\n"
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
        f"! {name}/garden with 0 landings will be gone for good.\n"
        f"! Type its name to delete it: mic: Nothing was deleted: 'garden' is not {name}/garden.\n"
        "!      Or add --yes.\n[2]\n"
    )
    assert shell("project", "list", name) == f"{name}/garden  private\n"
    assert shell.json("project", "delete", f"{name}/garden", "--yes") == {"deleted": f"{name}/garden", "forks": 0}
    assert shell.json("project", "list", name)["projects"] == []


def test_changing_a_project(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    shell("project", "create", f"{name}/garden")
    assert shell("project", "update", f"{name}/garden").endswith(
        "Say what to change: --name, --description, --public or --private.\n"
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
    assert shell.json("project", "update", f"{name}/garden", "--private")["project"]["visibility"] == "private"
    assert other("project", "show", f"{name}/garden").endswith("[4]\n")


def test_a_fork_of_what_is_private_stays_private(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/garden")
    assert shell("project", "create", f"{name}/a", "--fork", f"{name}/garden", "--visibility", "public") == (
        f"! mic: {name}/garden is private; a fork of it is private too.\n!      Leave the visibility out.\n[1]\n"
    )
    shell("project", "create", f"{name}/b", "--fork", f"{name}/garden")
    assert shell("project", "update", f"{name}/b", "--public") == (
        f"! mic: {name}/b is a fork of a private project and stays private.\n"
        "!      It can be made public once its origin is public.\n[1]\n"
    )
    assert shell("project", "create", f"{name}/c", "--fork", "other.example/x/y").endswith(
        "A fork is on the instance of its origin.\n[2]\n"
    )
