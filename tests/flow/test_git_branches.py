"""Branches that sessions land on, as stock git sees, fetches and pushes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, landed

VERSIONS = ("0", "2")


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef, handle: str = "max") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(handle)}@")
    return f"{base}/{project.organization}/{project.handle}"


def _on(project: pb.ProjectRef, branch: str) -> pb.ProjectRef:
    return pb.ProjectRef(organization=project.organization, handle=project.handle, branch=branch)


def _begin(world: World, project: pb.ProjectRef, name: str, **fields: int) -> None:
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name=name, **fields))


def _refs(git: GitClient, url: str) -> dict[str, str]:
    lines = git("ls-remote", url).splitlines()
    return {name: oid for oid, name in (line.split("\t") for line in lines)}


def _cloned(git: GitClient, url: str) -> dict[str, str]:
    """Refs of a new mirror clone, in which git finds nothing wrong."""
    folder = f"clone{len(list(git.folder.parent.glob('clone*')))}"
    git("clone", "-q", "--mirror", url, f"../{folder}")
    git("-C", f"../{folder}", "fsck", "--full", "--strict")
    lines = git("-C", f"../{folder}", "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_mic_lands_on_a_branch_is_a_ref(world: World, git: GitClient, version: str) -> None:
    """A ref for each line, whose commits stand on main's where it began; main's are what they would be without."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"a\n"})
    world.land(world.max, project, {b"b.txt": b"b\n"})
    _begin(world, project, "fix/one")
    _begin(world, project, "early", position=1)
    world.land(world.max, _on(project, "fix/one"), {b"c.txt": b"c\n"})
    world.land(world.max, project, {b"d.txt": b"d\n"})
    git("init", "-q", "-b", "main", ".")
    git("config", "protocol.version", version)
    url = _url(world, project)
    refs = _cloned(git, url)
    assert sorted(refs) == ["refs/heads/early", "refs/heads/fix/one", "refs/heads/main"]
    git("fetch", "-q", url, "+refs/*:refs/*", "--update-head-ok")
    assert git("rev-parse", "main~1") == git("rev-parse", "fix/one~1")
    assert git("rev-parse", "main~2") == git("rev-parse", "early")
    assert git("ls-tree", "-r", "--name-only", "fix/one").split() == ["a.txt", "b.txt", "c.txt"]
    # More on it, a branch of it, and one that goes.
    world.land(world.max, _on(project, "fix/one"), {b"e.txt": b"e\n" * 600_000})
    _begin(world, _on(project, "fix/one"), "two")
    world.land(world.max, _on(project, "two"), {b"f.txt": b"f\n"})
    world.max("ProjectService.DeleteBranch", pb.DeleteBranchRequest(project=project, name="early"))
    again = _cloned(git, url)
    assert sorted(again) == ["refs/heads/fix/one", "refs/heads/main", "refs/heads/two"]
    assert again["refs/heads/main"] == refs["refs/heads/main"]
    git("fetch", "-q", url, "+refs/*:refs/*", "--update-head-ok")
    assert git("rev-parse", "two~1") == git("rev-parse", "fix/one")
    assert git("rev-parse", "fix/one~1") == refs["refs/heads/fix/one"]
    assert len(git("show", "two:e.txt")) == 1_199_999


def test_pushing_to_a_branch_lands_on_it(world: World, git: GitClient) -> None:
    """Each commit is a landing of the line, main and its log stay; what comes out has the ids that went in."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"a\n"})
    _begin(world, project, "next")
    url = _url(world, project)
    git("clone", "-q", "-b", "next", url, ".")
    for number in range(2):
        (git.folder / f"file{number}").write_text(f"{number}\n")
        git("add", ".")
        git("commit", "-q", "-m", f"commit {number}")
    git("push", "-q", "origin", "next")
    assert landed(world, project) == 1
    listed = world.nobody("SessionService.ListLandings", pb.ListLandingsRequest(project=_on(project, "next"))).landings
    assert [(item.landed_position, item.goal.strip()) for item in listed[:2]] == [(3, "commit 1"), (2, "commit 0")]
    assert _cloned(git, url)["refs/heads/next"] == git("rev-parse", "HEAD")
    # mic goes on from there, and git from that.
    world.land(world.max, _on(project, "next"), {b"g.txt": b"g\n"})
    (git.folder / "late").write_text("late\n")
    git("add", ".")
    git("commit", "-q", "-m", "late")
    assert "fetch first" in git.fails("push", "origin", "next")
    git("pull", "-q", "--rebase", "origin", "next")
    git("push", "-q", "origin", "next")
    assert landed(world, _on(project, "next")) == 5
    # main, a branch that git alone knows, and the line in one push.
    git("checkout", "-q", "-b", "side", "origin/main")
    git("commit", "-q", "--allow-empty", "-m", "side")
    git("push", "-q", "origin", "side", "side:main", "side~1:refs/heads/old", f"{git('rev-parse', 'next')}:next")
    refs = _refs(git, url)
    assert refs["refs/heads/main"] == refs["refs/heads/side"] == git("rev-parse", "side")
    assert landed(world, project) == 2


@pytest.mark.parametrize("how", ["HEAD:refs/for/fix/one", "+HEAD:fix/one"])
def test_commits_are_put_behind_a_branch_that_moved(world: World, git: GitClient, how: str) -> None:
    """`refs/for/NAME`, or `-o rebase`, does for a branch what it does for main, which stays; a clash lands nothing."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"a\n", b"b.txt": b"b\n"})
    _begin(world, project, "fix/one")
    url = _url(world, project)
    git("clone", "-q", "-b", "fix/one", url, ".")
    world.land(world.max, _on(project, "fix/one"), {b"d.txt": b"moved\n"})
    main = _refs(git, url)["refs/heads/main"]
    (git.folder / "a.txt").write_text("mine\n")
    git("commit", "-qam", "mine")
    assert "fetch first" in git.fails("push", "origin", "HEAD:fix/one")
    followed = git("rev-parse", "origin/fix/one")
    done = git.run("push", *(("-o", "rebase") if how[0] == "+" else ()), "origin", how)
    assert done.returncode == 0, done.stderr
    assert b"error" not in done.stderr
    assert b"refs/for/fix/one" in done.stderr
    # The client does not take what it sent for what landed.
    assert git("rev-parse", "origin/fix/one") == followed
    assert b"fix/one had moved: 1 commit rebased here and landed as @3." in done.stderr
    assert landed(world, _on(project, "fix/one")) == 3
    git("pull", "-q", "--rebase", "origin", "fix/one")
    assert git("log", "--format=%s", "-1") == "mine"
    assert (git.folder / "d.txt").read_text() == "moved\n"
    assert _cloned(git, url)["refs/heads/fix/one"] == git("rev-parse", "HEAD")
    # What the branch can reach lands as it is; the same once more lands nothing.
    (git.folder / "c.txt").write_text("c\n")
    git("add", ".")
    git("commit", "-qm", "more")
    git("push", "-q", "origin", "HEAD:refs/for/fix/one")
    assert _refs(git, url)["refs/heads/fix/one"] == git("rev-parse", "HEAD")
    git("reset", "-q", "--hard", "HEAD~1")
    (git.folder / "c.txt").write_text("other\n")
    git("add", ".")
    git("commit", "-qm", "clash")
    before = _refs(git, url)
    assert "clashes with what landed: c.txt (@4" in git.fails("push", "origin", "HEAD:refs/for/fix/one")
    assert "only refs/for/main and those of branches" in git.fails("push", "origin", "HEAD:refs/for/none")
    assert "the ref is named twice" in git.fails("push", "origin", "HEAD:refs/for/fix/one", "+HEAD:fix/one")
    assert _refs(git, url) == before
    assert before["refs/heads/main"] == main
    rules = [pb.LineRule(lines="fix/one", who=["role:admin"])]
    world.rita(
        "ProjectService.ProtectProject",
        pb.ProtectProjectRequest(project=project, protection=pb.Protection(lines=rules)),
    )
    assert "The line fix/one of" in git.fails("push", "origin", "HEAD~1:refs/for/fix/one")


def test_what_a_push_may_not_do_to_a_branch(world: World, git: GitClient) -> None:
    """It only grows; a name beside it is taken; an atomic push moves it alone; the rule for its name counts."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"a\n"})
    _begin(world, project, "next")
    world.land(world.max, _on(project, "next"), {b"b.txt": b"b\n"})
    url = _url(world, project)
    git("clone", "-q", url, ".")
    before = _refs(git, url)
    git("commit", "-q", "--allow-empty", "-m", "elsewhere")
    assert "only grows" in git.fails("push", "-f", "origin", "HEAD:next")
    assert "one name would be below the other" in git.fails("push", "origin", "HEAD:refs/heads/next/more")
    rules = [pb.LineRule(lines="next", who=["role:admin"])]
    world.rita(
        "ProjectService.ProtectProject",
        pb.ProtectProjectRequest(project=project, protection=pb.Protection(lines=rules)),
    )
    git("checkout", "-q", "-b", "next", "origin/next")
    git("commit", "-q", "--allow-empty", "-m", "more")
    assert "moves alone" in git.fails("push", "--atomic", "origin", "next", "main:other")
    assert "The line next of" in git.fails("push", "origin", "next")
    assert "The line next of" in git.fails("push", "origin", ":next")
    assert _refs(git, url) == before
    assert landed(world, _on(project, "next")) == 2
    git("push", "-q", _url(world, project, "rita"), "next")
    assert landed(world, _on(project, "next")) == 3
    git("push", "-q", _url(world, project, "rita"), ":next")
    assert sorted(_refs(git, url)) == ["HEAD", "refs/heads/main"]
    found = world.nobody("ProjectService.ListBranches", pb.ListBranchesRequest(project=project)).branches
    assert [item.name for item in found] == []


def test_a_branch_that_git_knows_keeps_its_name(world: World, git: GitClient) -> None:
    """`mic branch create` is told of it; gone there, the name is free."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"a\n"})
    git("clone", "-q", _url(world, project), ".")
    git("push", "-q", "origin", "HEAD:side")
    for name, words in (("side", "Git has pushed a branch side"), ("side/x", "is in the way")):
        refused = world.max.refused("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name=name))
        assert refused.code == "already_exists"
        assert words in refused.message
    git("push", "-q", "origin", ":side")
    _begin(world, project, "side")
    assert sorted(_refs(git, _url(world, project))) == ["HEAD", "refs/heads/main", "refs/heads/side"]
