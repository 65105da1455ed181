"""Branches beside what looks after the store: checking, collecting, a lost database, erasing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_process import Forge
from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World


@pytest.fixture
def world(own_forge: Forge) -> Iterator[World]:
    made = World(own_forge)
    yield made
    made.close()


def _on(project: pb.ProjectRef, branch: str) -> pb.ProjectRef:
    return pb.ProjectRef(organization=project.organization, handle=project.handle, branch=branch)


def test_checked_collected_and_made_again(world: World, tmp_path: Path) -> None:
    """Each line is sound, by its own name; an empty database has them again, and git sees the same commits."""
    project, forge, git = world.open, world.forge, GitClient(tmp_path / "git")
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name="Fix/One"))
    world.land(world.max, _on(project, "Fix/One"), {b"c.txt": b"c\n"}, base_position=1)
    url = f"{forge.base_url}/{project.organization}/{project.handle}"
    before = git("ls-remote", url)
    assert "refs/heads/Fix/One" in before
    name = f"{project.organization}/{project.handle}"
    forge.stop()
    assert forge.run("verify", name, f"{name}@Fix/One").splitlines() == [f"{name}: sound.", f"{name}@Fix/One: sound."]
    assert f"{name}@Fix/One: sound." in forge.run("verify").splitlines()
    assert re.search(rf"^{name}@Fix/One: \d+ objects?; everything is named", forge.run("gc"), re.MULTILINE)
    forge.database.lose()
    assert forge.run("rebuild") == "Projects restored: 2. Landings derived: 4."
    forge.start()
    assert git("ls-remote", url) == before


def test_what_landed_on_a_branch_is_erased_from_git_too(world: World, tmp_path: Path) -> None:
    """By the branch's name: the packs of the project hold nothing of it afterwards, and main keeps its ids."""
    project, forge, git = world.open, world.forge, GitClient(tmp_path / "git")
    secret = b"a line that must go\n" * 3
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name="next"))
    world.land(world.max, _on(project, "next"), {b"c.txt": secret}, base_position=1)
    url = f"{forge.base_url}/{project.organization}/{project.handle}"
    git("clone", "-q", "-b", "next", url, ".")
    main = git("rev-parse", "origin/main")
    assert (git.folder / "c.txt").read_bytes() == secret
    name = f"{project.organization}/{project.handle}@next"
    content = hashlib.sha256(secret).hexdigest()
    assert "rased" in forge.run("admin", "purge", name, "--content", content, "--reason", "It leaked", "--do")
    again = GitClient(tmp_path / "again")
    again("clone", "-q", "-b", "next", url, ".")
    assert again("rev-parse", "origin/main") == main
    assert b"must go" not in (again.folder / "c.txt").read_bytes()
