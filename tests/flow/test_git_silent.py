"""Git clients of a project whose words were erased, and of one that names nobody any more: real git, real forge."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_server import GitClient
from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, World


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _admin(world: World, *words: str) -> str:
    done = world.forge.command("admin", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _verify(world: World, project: pb.ProjectRef) -> str:
    done = world.forge.command("verify", f"{project.organization}/{project.handle}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _url(world: World, project: pb.ProjectRef, who: str = "max") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(who)}@")
    return f"{base}/{project.organization}/{project.handle}"


def _commit(git: GitClient, name: str, message: str, author: str) -> None:
    (git.folder / name).write_text(name)
    git("add", ".")
    git("commit", "-q", "-m", message, "--author", author)


def _landings(world: World, project: pb.ProjectRef) -> list[pb.Session]:
    """The newest first."""
    found = world.max("SessionService.ListLandings", pb.ListLandingsRequest(project=project))
    return list(found.landings)


def test_words_leave_git(world: World, git: GitClient) -> None:
    """Pushed with a secret in a message; a clone of before brings it back, and is refused."""
    project = world.project()
    name, url = f"{project.organization}/{project.handle}", _url(world, project)
    git("init", "-q", "-b", "main", ".")
    git("remote", "add", "origin", url)
    _commit(git, "a", "one", "Ada <ada@example.org>")
    _commit(git, "b", "use hunter2", "Ada <ada@example.org>")
    _commit(git, "c", "three", "Ada <ada@example.org>")
    git("push", "-q", "origin", "main")
    git("clone", "-q", url, "../old")
    first = git("rev-list", "--reverse", "main").split()[0]
    (second,) = [row for row in _landings(world, project) if "hunter2" in row.goal]
    session = ulid_text(second.id)
    assert "nothing was changed" in _admin(world, "purge", name, "--session", session)
    assert "hunter2" in _landings(world, project)[1].goal
    assert "\terased\t" in _admin(world, "purge", name, "--session", session, "--reason", "ticket 7", "--do")
    git("clone", "-q", "--mirror", url, "../new")
    git("-C", "../new", "fsck", "--full", "--strict")
    messages = git("-C", "../new", "log", "--format=%s", "main").splitlines()
    assert [each[:28] for each in messages] == [
        "Erased: the words of a sessi", "three", "Erased: the words of a sessi", "one",
    ]  # fmt: skip
    assert first in git("-C", "../new", "rev-list", "main").split()
    assert "hunter2" not in str([row.goal for row in _landings(world, project)])
    _verify(world, project)
    assert "something was erased from" in git.fails("-C", "../old", "push", "origin", "main:refs/heads/back")
    git("-C", "../old", "fetch", "-q")
    git("-C", "../old", "reset", "-q", "--hard", "origin/main")
    (git.folder.parent / "old/more").write_text("more\n")
    git("-C", "../old", "add", ".")
    git("-C", "../old", "commit", "-q", "-m", "more")
    git("-C", "../old", "push", "-q", "origin", "HEAD:main")
    _verify(world, project)


def test_a_person_leaves_git(world: World, git: GitClient) -> None:
    """Author of a landing and of pushed commits on two branches, in a trailer and in a tag; and an account."""
    project = world.project()
    name, url = f"{project.organization}/{project.handle}", _url(world, project)
    world.forge.token("goner")
    world.let_in("goner")
    with Caller(world.forge.grpc_address, world.forge.token("goner")) as goner:
        world.land(goner, project, {b"mine": b"mine\n"})
    (own,) = _landings(world, project)
    email = own.author.email
    assert "goner" in email
    git("clone", "-q", url, ".")
    _commit(git, "a", f"one\n\nSigned-off-by: The Goner <{email}>", "Ada <ada@example.org>")
    git("checkout", "-q", "-b", "side")
    _commit(git, "b", "beside", f"The Goner <{email}>")
    git("tag", "-a", "-m", f"by <{email}>", "v1")
    git("checkout", "-q", "main")
    git("push", "-q", "origin", "main", "side", "v1")
    assert f"1 landings in {name}" in _admin(world, "purge-person", "goner")
    assert "erased" in _admin(world, "purge-person", "goner", "--reason", "asked", "--do")
    git("clone", "-q", "--mirror", url, "../new")
    git("-C", "../new", "fsck", "--full", "--strict")
    told = git("-C", "../new", "log", "--all", "--format=%an %ae%n%B") + git("-C", "../new", "cat-file", "tag", "v1")
    assert "oner" not in told
    assert told.count("Erased person") >= 3
    assert git("-C", "../new", "show", "side:b") == "b"
    for row in _landings(world, project):
        assert "goner" not in row.author.name + row.author.email
    with pytest.raises(Refused, match="token"):
        Caller(world.forge.grpc_address, world.forge.token("goner"))(
            "ProjectService.GetProject", pb.GetProjectRequest(project=project)
        )
    _verify(world, project)
