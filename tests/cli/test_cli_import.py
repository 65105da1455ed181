"""An import that cannot be is refused before anything is fetched; an interrupted one says how it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from forge_process import Forge
from forked import MIC
from transcript import Shell, make_garden


def test_refused_before_anything_is_fetched(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    """The address answers nothing; whoever asked it would say so."""
    nowhere = "http://127.0.0.1:1/garden.git"
    other = Shell(forge, tmp_path / "other", f"v{name}")
    nobody = Shell(forge, tmp_path / "nobody")
    assert nobody("import", "git", nowhere, f"{name}/x") == (
        "! mic: You are not signed in at FORGE.\n!      Sign in with `mic auth login`.\n[5]\n"
    )
    assert other("import", "git", nowhere, f"{name}/x") == (
        f"! mic: There is no project {name}/x, and only admins of {name} may make it.\n"
        "!      Ask one, or import into an organization of your own: `mic import git PATH ORG/x`.\n[5]\n"
    )
    assert shell("import", "git", nowhere, f"{name}x/x") == (
        f"! mic: There is no organization '{name}x'.\n!      List yours with `mic org list`.\n[4]\n"
    )
    shell("project", "create", f"{name}/open", "--visibility", "public")
    assert other("import", "git", nowhere, f"{name}/open") == (
        f"! mic: Only members of {name} may import into {name}/open.\n"
        f"!      Ask an admin of {name} to invite you.\n[5]\n"
    )
    other.environment["MICELIO_TOKEN"] = "wrong"
    assert other("import", "git", nowhere, f"{name}/open").endswith(
        "!      MICELIO_TOKEN is set; unset it or replace it.\n[5]\n"
    )
    assert shell.json("project", "list", name)["projects"][-1]["handle"] == "open"


def test_a_fetch_that_fails_leaves_no_project(shell: Shell, name: str) -> None:
    said = shell("import", "git", "http://127.0.0.1:1/garden.git", f"{name}/x")
    assert said.startswith("! Fetching http://127.0.0.1:1/garden.git ...\n! mic: git could not fetch ")
    assert said.endswith(
        ".\n!      Does `git clone` of it work here?\n[6]\n"
    )  # nobody is at fault, and another try may help
    assert shell.json("project", "list", name)["projects"] == []


def test_a_password_is_neither_kept_nor_said(shell: Shell, name: str) -> None:
    """What the forge would keep is refused before a project is made for it; the address is shown without it."""
    shell("org", "create", f"{name}-b")
    url = "https://ada:s3cret@example.org/garden.git"
    said = shell("import", "git", url)
    assert "`mic import git https://example.org/garden.git ORG/PROJECT`" in said
    assert "s3cret" not in said
    for source in (url, "https://example.org/garden.git?key=s3cret", "ssh://example.org/garden.git"):
        said = shell("import", "git", "--by-forge", source, f"{name}/x")
        assert said.startswith("! mic: ")
        assert said.endswith("[2]\n")
        assert "s3cret" not in said
    assert shell.json("project", "list", name)["projects"] == []


def test_interrupted_while_it_imports(shell: Shell, name: str) -> None:
    """One line ends that of ^C; what is there and how to go on is said, and is so."""
    make_garden(shell)
    shell.cd("garden-git")
    blob = shell.git("rev-parse", "HEAD:README.md").strip()
    shell.cd(".")
    # A pipe in place of a content: git stands still where it reads it.
    content = shell.home / "garden-git/.git/objects" / blob[:2] / blob[2:]
    kept = content.read_bytes()
    content.unlink()
    os.mkfifo(content)
    running = subprocess.Popen(
        [str(MIC), "import", "git", "garden-git", f"{name}/x", "--json"], cwd=shell.cwd, env=shell.environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with open(content, "wb"):  # opens when the other end is read
        running.send_signal(signal.SIGINT)
    said, errors = running.communicate(timeout=50)
    assert (running.returncode, said) == (130, "")
    assert errors == "\nInterrupted. Nothing was sent; run the same command again to go on.\n"
    assert shell.json("project", "list", name)["projects"] == []
    content.unlink()
    content.write_bytes(kept)
    assert shell.json("import", "git", "garden-git", f"{name}/x")["position"] == 3
    assert shell("import", "cancel", f"{name}/x") == (
        f"! mic: The import into {name}/x has ended: done.\n!      There is nothing to end.\n[2]\n"
    )


@pytest.mark.parametrize("arguments", [("garden", "ORG"), ("garden", "a/b/c/d")])
def test_what_names_no_project_is_a_wrong_command_line(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell("import", "git", *arguments).endswith("[2]\n")
