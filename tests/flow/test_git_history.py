"""What pushes and forks do to a project: merges, races, secrets, and work by mic and git side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

# A key of the form that AWS gives out, made up.
KEY = "AKIA" + "QX7RZT2MNB4WLK5P"


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef, handle: str = "rita") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(handle)}@")
    return f"{base}/{project.organization}/{project.handle}.git"


def _commit(git: GitClient, name: str, text: str, message: str = "") -> None:
    (git.folder / name).write_text(text)
    git("add", ".")
    git("commit", "-q", "-m", message or f"Write {name}")


def _begin(git: GitClient, url: str) -> None:
    git("init", "-q", "-b", "main", ".")
    git("remote", "add", "origin", url)


def _landings(world: World, project: pb.ProjectRef) -> list[pb.Landing]:
    answer = world.rita("SessionService.ListLandings", pb.ListLandingsRequest(project=project))
    return list(answer.landings)


def _refs(git: GitClient, url: str) -> dict[str, str]:
    lines = git("ls-remote", url).splitlines()
    return {name: oid for oid, name in (line.split("\t") for line in lines)}


def test_a_merge_is_one_landing_and_its_side_branch_is_kept(world: World, git: GitClient) -> None:
    """First parents are landings; the rest comes out of the next clone with the same ids."""
    project = world.project()
    url = _url(world, project)
    _begin(git, url)
    _commit(git, "a", "1\n")
    git("checkout", "-q", "-b", "side")
    _commit(git, "b", "2\n")
    _commit(git, "b", "3\n")
    git("checkout", "-q", "main")
    _commit(git, "c", "4\n")
    git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    git("push", "-q", "origin", "main")
    assert [landing.goal.strip() for landing in _landings(world, project)] == ["Merge side", "Write c", "Write a"]
    here = git("rev-list", "--objects", "main")
    git("clone", "-q", "--bare", url, "../clone")
    assert sorted(git("-C", "../clone", "rev-list", "--objects", "main").splitlines()) == sorted(here.splitlines())
    assert git("-C", "../clone", "fsck", "--strict") == ""


def test_a_pull_that_merged_main_into_the_own_branch(world: World, git: GitClient) -> None:
    """Main is the second parent: it is still a fast-forward, and one landing."""
    project = world.project()
    _begin(git, _url(world, project))
    _commit(git, "a", "1\n")
    git("push", "-q", "origin", "main")
    world.land(world.rita, project, {b"by-mic": b"mic\n"}, base_position=1)
    _commit(git, "b", "2\n")
    git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    git("push", "-q", "origin", "main")
    assert len(_landings(world, project)) == 3
    assert git("ls-tree", "--name-only", "main").split() == ["a", "b", "by-mic"]
    git("fetch", "-q", "origin", "refs/landings/2:refs/landings/2", "refs/landings/3:refs/landings/3")
    assert git("rev-parse", "refs/landings/2", "refs/landings/3") == git("rev-parse", "main^2", "main")


def test_a_handle_with_dots(world: World, git: GitClient) -> None:
    """As an address of Git's, with and without `.git` behind it."""
    project = pb.ProjectRef(organization=world.organization, handle="a.b_c-d.js")
    world.rita(
        "ProjectService.CreateProject",
        pb.CreateProjectRequest(organization=project.organization, handle=project.handle, visibility="public"),
    )
    _begin(git, _url(world, project))
    _commit(git, "a", "1\n")
    git("push", "-q", "origin", "main")
    head = git("rev-parse", "main")
    assert _refs(git, _url(world, project).removesuffix(".git"))["HEAD"] == head


def test_mic_and_git_side_by_side(world: World, git: GitClient) -> None:
    """A landing by mic on what git pushed, and a push on what mic landed."""
    project = world.project()
    _begin(git, _url(world, project))
    _commit(git, "a", "1\n", "By git\n\nAssisted-by: claude-code\n")
    git("push", "-q", "origin", "main")
    assert _landings(world, project)[0].agent == "claude-code"
    world.land(world.rita, project, {b"dir/b": b"2\n"}, base_position=1, goal="By mic")
    _commit(git, "c", "3\n")
    said = git.fails("push", "origin", "main")
    assert "[rejected]" in said
    assert "fetch first" in said
    git("pull", "-q", "--rebase", "origin", "main")
    git("push", "-q", "origin", "main")
    assert git("log", "--format=%s", "main") == "Write c\nBy mic\nBy git"
    assert len(_landings(world, project)) == 3


def test_what_is_refused_changes_nothing(world: World, git: GitClient) -> None:
    """A secret, on main or on a branch; a rewound main; one update of an atomic push: refs, log and objects stay."""
    project = world.project()
    url = _url(world, project)
    _begin(git, url)
    _commit(git, "a", "1\n")
    git("push", "-q", "origin", "main")
    before = _refs(git, url)
    _commit(git, "settings", f"aws_access_key_id = {KEY}\n")
    for target in ("main", "main:refs/heads/side", "main:refs/tags/v1"):
        said = git.fails("push", "origin", target)
        assert "secret" in said
        assert KEY not in said
    bad = git("rev-parse", "main")
    git("reset", "-q", "--hard", "HEAD~1")
    git("commit", "-q", "--amend", "-m", "Other")
    assert "non-fast-forward" in git.fails("push", "--force", "origin", "main")
    assert "cannot be deleted" in git.fails("push", "origin", ":main")
    said = git.fails("push", "--atomic", "--force", "origin", "main", "main:refs/heads/fine")
    assert "atomic" in said
    assert _refs(git, url) == before
    assert len(_landings(world, project)) == 1
    git("clone", "-q", "--bare", url, "../clone")
    assert "could not get object info" in git.fails("-C", "../clone", "cat-file", "-t", bad)


def test_an_admin_lets_an_old_history_in(world: World, git: GitClient) -> None:
    """With a reason, by a push option; a member may not, and no other option is known."""
    project = world.project()
    _begin(git, _url(world, project, "max"))
    _commit(git, "settings", f"aws_access_key_id = {KEY}\n")
    said = git.fails("push", "-o", "accept-secrets=revoked", "origin", "main")
    assert "admin" in said
    git("remote", "set-url", "origin", _url(world, project))
    assert "no push option 'reviewer'" in git.fails("push", "-o", "reviewer=me", "origin", "main")
    git("push", "-q", "-o", "accept-secrets=revoked in 2020", "origin", "main")
    assert len(_landings(world, project)) == 1


def test_a_fork_has_the_side_branches_of_its_origin(world: World, git: GitClient) -> None:
    """Up to the fork point it is served with the same ids, and goes its own way from there."""
    project = world.project()
    _begin(git, _url(world, project))
    _commit(git, "a", "1\n")
    git("checkout", "-q", "-b", "side")
    _commit(git, "b", "2\n")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    git("push", "-q", "origin", "main")
    at_fork = git("rev-parse", "main")
    forked = pb.ProjectRef(organization=project.organization, handle=project.handle + "-fork")
    world.rita(
        "ProjectService.CreateProject",
        pb.CreateProjectRequest(
            organization=forked.organization,
            handle=forked.handle,
            fork_from=f"{project.organization}/{project.handle}",
            visibility="public",
        ),
    )
    _commit(git, "later", "3\n")
    git("push", "-q", "origin", "main")
    url = _url(world, forked)
    assert _refs(git, url) == {"HEAD": at_fork, "refs/heads/main": at_fork}
    git("clone", "-q", url, "../fork")
    fork = GitClient(git.folder.parent / "fork")
    assert fork("fsck", "--strict") == ""
    assert fork("rev-list", "--count", "main") == "3"
    _commit(fork, "own", "4\n")
    fork("push", "-q", "origin", "main")
    assert len(_landings(world, forked)) == 3


def test_branches_and_tags_move(world: World, git: GitClient) -> None:
    """Made, moved on, forced back, deleted; names that are not for pushing are refused."""
    project = world.project()
    url = _url(world, project)
    _begin(git, url)
    _commit(git, "a", "1\n")
    first = git("rev-parse", "HEAD")
    git("push", "-q", "origin", "main", "main:refs/heads/side", "main:refs/tags/v1")
    _commit(git, "a", "2\n")
    second = git("rev-parse", "HEAD")
    git("push", "-q", "origin", "main:side")
    assert _refs(git, url)["refs/heads/side"] == second
    git("push", "-q", "--force", "origin", f"{first}:side")
    assert _refs(git, url)["refs/heads/side"] == first
    git("push", "-q", "origin", ":side", ":v1")
    assert sorted(_refs(git, url)) == ["HEAD", "refs/heads/main"]
    git("clone", "-q", "--bare", url, "../clone")
    # What no ref names any more is not sent.
    assert second not in git("-C", "../clone", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    for name in ("refs/landings/9", "refs/sessions/x"):
        assert "the forge's own" in git.fails("push", "origin", f"main:{name}")


def test_protected_branches(world: World, git: GitClient) -> None:
    """A rule for lines covers branches: who it does not name neither makes, moves, forces nor deletes one."""
    project = world.project()
    rule = pb.LineRule(lines="release/*", who=["role:admin"])
    world.rita(
        "ProjectService.ProtectProject",
        pb.ProtectProjectRequest(project=project, protection=pb.Protection(lines=[rule])),
    )
    _begin(git, _url(world, project))
    _commit(git, "a", "1\n")
    git("push", "-q", "origin", "main", "main:refs/heads/release/1")
    before = _refs(git, _url(world, project))
    _commit(git, "a", "2\n")
    git("remote", "set-url", "origin", _url(world, project, "max"))
    for target in ("main:release/1", "main:refs/heads/release/2", "+main:release/1", ":release/1"):
        said = git.fails("push", "origin", target)
        assert f"The line release/{target[-1]} of {project.organization}/{project.handle} is protected" in said
    assert "the atomic push was refused" in git.fails("push", "--atomic", "origin", "main", "main:release/1")
    assert _refs(git, _url(world, project)) == before
    git("push", "-q", "origin", "main:refs/heads/mine", "main")
