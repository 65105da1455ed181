"""git, dulwich and libgit2 push to a real forge: what was pushed has landed, and comes out with the same ids."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest
from dulwich.client import HttpGitClient
from dulwich.repo import Repo

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

VERSIONS = ("0", "1", "2")


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef, handle: str = "max") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(handle)}@")
    return f"{base}/{project.organization}/{project.handle}"


def _clone_of(git: GitClient, url: str) -> dict[str, str]:
    """Refs and ids of a new mirror clone, in which git finds nothing wrong."""
    folder = f"clone{len(list(git.folder.parent.glob('clone*')))}"
    git("clone", "-q", "--mirror", url, f"../{folder}")
    git("-C", f"../{folder}", "fsck", "--full", "--strict")
    lines = git("-C", f"../{folder}", "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def _landings(world: World, project: pb.ProjectRef) -> int:
    return len(world.nobody("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings)


@pytest.mark.parametrize("version", VERSIONS)
def test_push_and_clone(world: World, git: GitClient, version: str) -> None:
    """Three commits are three landings; a branch, a tag and notes go along; and again when there is more."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    git("config", "protocol.version", version)
    git("remote", "add", "origin", _url(world, project))
    for number in range(3):
        (git.folder / f"file{number}").write_text(f"content {number}\n")
        git("add", ".")
        git("commit", "-q", "-m", f"commit {number}\n\nbody {number}")
    git("tag", "-a", "-m", "a tag", "v1")
    git("tag", "light", "HEAD~1")
    git("notes", "add", "-m", "a note")
    git("branch", "side", "HEAD~2")
    git("push", "-q", "origin", "main", "side", "--tags", "refs/notes/commits")
    here = dict(
        line.split(" ") for line in git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        if "remotes" not in line
    )  # fmt: skip
    assert _clone_of(git, _url(world, project)) == here
    assert _landings(world, project) == 3
    git("commit", "-q", "--allow-empty", "-m", "nothing")
    git("push", "-q", "origin", "main", ":side")
    here = {**here, "refs/heads/main": git("rev-parse", "HEAD")}
    del here["refs/heads/side"]
    assert _clone_of(git, _url(world, project)) == here
    git("push", "-q", "origin", "main")


def test_a_mirror_pushed_twice(world: World, git: GitClient) -> None:
    """What is deleted here is deleted there, what moved moves by force, and a third time there is nothing to do."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    for number in range(3):
        git("commit", "-q", "--allow-empty", "-m", f"commit {number}")
    git("branch", "gone")
    git("branch", "moves", "HEAD~1")
    git("tag", "-a", "-m", "one", "v1")
    git("tag", "light", "HEAD~2")
    url = _url(world, project)
    git("push", "-q", "--mirror", url)
    git("commit", "-q", "--allow-empty", "-m", "more")
    git("branch", "-D", "gone")
    git("tag", "-d", "v1")
    git("branch", "-f", "moves", "main~3")
    git("branch", "new", "main")
    git("tag", "-f", "light", "main")
    said = git.run("push", "--mirror", url).stderr.decode()
    for words in ("[deleted]         gone", "[deleted]         v1", "(forced update)", "[new branch]      new -> new"):
        assert words in said
    lines = git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert _clone_of(git, url) == dict(line.split(" ") for line in lines)
    assert _landings(world, project) == 4
    assert "Everything up-to-date" in git.run("push", "--mirror", url).stderr.decode()


def test_pushed_upon_what_mic_landed(world: World, git: GitClient) -> None:
    """Commits that the forge made are the base of those that come from outside, and the other way round."""
    project = world.project()
    world.land(world.rita, project, {b"a.txt": b"1\n"}, goal="By mic")
    git("clone", "-q", _url(world, project), ".")
    (git.folder / "b.txt").write_text("2\n")
    git("add", ".")
    git("commit", "-q", "-m", "By git")
    git("push", "-q")
    world.land(world.rita, project, {b"c.txt": b"3\n"}, goal="By mic again", base_position=2)
    git("pull", "-q", "--ff-only")
    assert git("log", "--format=%s") == "By mic again\nBy git\nBy mic"
    assert sorted(path.name for path in git.folder.glob("*.txt")) == ["a.txt", "b.txt", "c.txt"]


def test_a_moved_main_is_an_ordinary_rejection(world: World, git: GitClient) -> None:
    """Nothing moves, and git says to fetch first; a rewritten main is refused however hard it is pushed."""
    project = world.project()
    world.land(world.rita, project, {b"a.txt": b"1\n"})
    git("clone", "-q", _url(world, project), ".")
    world.land(world.rita, project, {b"b.txt": b"2\n"})
    before = _clone_of(git, _url(world, project))
    git("commit", "-q", "--allow-empty", "-m", "late")
    assert "! [rejected]        main -> main (fetch first)" in git.fails("push")
    git("fetch", "-q")
    assert "non-fast-forward" in git.fails("push", "--force")
    assert "cannot be deleted" in git.fails("push", "origin", ":main")
    assert "the forge's own" in git.fails("push", "origin", "HEAD:refs/landings/9")
    assert _clone_of(git, _url(world, project)) == before
    assert _landings(world, project) == 2


def test_who_may_push(world: World, git: GitClient) -> None:
    """Members; a stranger is told so, and nobody is asked for a token."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    git("commit", "-q", "--allow-empty", "-m", "one")
    nobody = f"{world.forge.base_url}/{project.organization}/{project.handle}"
    assert "could not read Username" in git.fails("push", nobody, "main")
    assert "The requested URL returned error: 403" in git.fails("push", _url(world, project, "stan"), "main")
    assert "not found" in git.fails("push", _url(world, world.closed, "stan"), "main")
    git("push", "-q", _url(world, project), "main")


def test_atomic(world: World, git: GitClient) -> None:
    """All refs or none."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    git("commit", "-q", "--allow-empty", "-m", "one")
    url = _url(world, project)
    said = git.fails("push", "--atomic", url, "main", "HEAD:refs/landings/1")
    assert "the forge's own" in said
    assert _clone_of(git, url) == {}
    assert _landings(world, project) == 0
    git("push", "-q", "--atomic", url, "main", "HEAD:refs/heads/other")
    assert set(_clone_of(git, url)) == {"refs/heads/main", "refs/heads/other"}


def test_from_a_shallow_clone(world: World, git: GitClient) -> None:
    """What it lacks is here."""
    project = world.project()
    for number in range(4):
        world.land(world.rita, project, {b"%d" % number: b"x\n"})
    git("clone", "-q", "--depth", "1", _url(world, project), ".")
    git("commit", "-q", "--allow-empty", "-m", "shallow")
    git("push", "-q")
    assert _clone_of(git, _url(world, project)) == {"refs/heads/main": git("rev-parse", "HEAD")}


def test_dulwich(world: World, tmp_path: Path, git: GitClient) -> None:
    """A client in Python makes the first commit of a project."""
    project = world.project()
    with Repo.init(str(tmp_path / "d"), mkdir=True, default_branch=b"main") as repo:
        (tmp_path / "d" / "file").write_text("by dulwich\n")
        tree = repo.get_worktree()
        tree.stage(["file"])
        made = tree.commit(b"by dulwich", committer=b"D <d@example.com>", author=b"D <d@example.com>")
        client = HttpGitClient(world.forge.base_url, username="x", password=world.forge.token("max"))
        path = f"/{project.organization}/{project.handle}"
        client.send_pack(path, lambda _: {b"refs/heads/main": made}, repo.generate_pack_data)
    assert _clone_of(git, _url(world, project)) == {"refs/heads/main": made.decode()}


def test_libgit2(world: World, tmp_path: Path, git: GitClient) -> None:
    """libgit2 pushes upon what landed by mic."""
    project = world.project()
    world.land(world.rita, project, {b"a.txt": b"1\n"})
    git.folder.parent.mkdir(exist_ok=True)
    repo = pygit2.clone_repository(_url(world, project), str(tmp_path / "l"))
    who = pygit2.Signature("L", "l@example.com", 1_700_000_000)
    tree = repo[repo.head.target].peel(pygit2.Tree).id
    made = repo.create_commit("refs/heads/main", who, who, "by libgit2", tree, [repo.head.target])
    repo.remotes["origin"].push(["refs/heads/main"])
    assert _clone_of(git, _url(world, project)) == {"refs/heads/main": str(made)}
