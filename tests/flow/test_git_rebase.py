"""`refs/for/main` and `-o rebase`: the forge puts what was pushed behind a main that has moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

STORY = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef, handle: str = "max") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(handle)}@")
    return f"{base}/{project.organization}/{project.handle}"


def _commit(git: GitClient, name: str, text: str, message: str = "") -> str:
    (git.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (git.folder / name).write_text(text)
    git("add", ".")
    git("commit", "-q", "-m", message or f"Write {name}")
    return git("rev-parse", "HEAD")


def _landings(world: World, project: pb.ProjectRef) -> list[str]:
    answer = world.rita("SessionService.ListLandings", pb.ListLandingsRequest(project=project))
    return [landing.goal.strip() for landing in answer.landings]


def _begun(world: World, git: GitClient) -> pb.ProjectRef:
    """A project with one landing, cloned; and a second landing that the clone has not seen."""
    project = world.project()
    world.land(world.rita, project, {b"story": STORY.encode(), b"kept": b"as it is\n"}, goal="Begin")
    git("clone", "-q", _url(world, project), ".")
    other = GitClient(git.folder.parent / "other")
    other("clone", "-q", _url(world, project, "rita"), ".")
    _commit(other, "story", STORY.replace("line 2\n", "line two\n"), "Moved on")
    other("push", "-q")
    return project


def _fsck(git: GitClient, url: str) -> None:
    git("clone", "-q", "--bare", url, "../checked")
    assert git("-C", "../checked", "fsck", "--full", "--strict") == ""


@pytest.mark.parametrize("how", [("HEAD:refs/for/main",), ("-o", "rebase", "+HEAD:main")])
def test_behind_a_main_that_moved(world: World, git: GitClient, how: tuple[str, ...]) -> None:
    """Lines merge, author and message stay, the client is told the new ids, and a pull leaves nothing over."""
    project = _begun(world, git)
    old = _commit(git, "story", STORY.replace("line 19\n", "line nineteen\n"), "Nineteen\n\nReviewed-by: R <r@x.y>")
    other = _commit(git, "new/file", "new\n")
    done = git.run("push", *((how[0], how[1], "origin", how[2]) if len(how) == 3 else ("origin", *how)))
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert "error" not in said
    assert "main had moved: 2 commits rebased here and landed as @3 to @4." in said
    assert "refs/landings/4" in said
    assert git("rev-parse", "origin/main") == git("rev-parse", "HEAD~2")
    git("fetch", "-q")
    new, first = git("rev-parse", "origin/main", "origin/main~1").split()
    assert f"{old[:12]} is now {first[:12]} Nineteen" in said
    assert f"{other[:12]} is now {new[:12]} Write new/file" in said
    assert (
        git("show", "origin/main:story")
        == STORY.replace("line 2\n", "line two\n").replace("line 19\n", "line nineteen\n").strip()
    )
    assert git("log", "-1", "--format=%an %ae %cn%n%B", "origin/main~1") == (
        "A U Thor author@example.com mic\nNineteen\n\nReviewed-by: R <r@x.y>"
    )
    git("pull", "-q", "--rebase")
    assert git("rev-parse", "HEAD") == new
    assert git("status", "--porcelain") == ""
    assert _landings(world, project) == ["Write new/file", "Nineteen\n\nReviewed-by: R <r@x.y>", "Moved on", "Begin"]
    _fsck(git, _url(world, project))


def test_what_did_not_move_lands_as_it_is(world: World, git: GitClient) -> None:
    """The ids stay where main is still behind them, and in an empty project."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    git("remote", "add", "origin", _url(world, project))
    one = _commit(git, "a", "1\n")
    git("push", "-q", "origin", "HEAD:refs/for/main")
    two = _commit(git, "a", "2\n")
    git("push", "-q", "origin", "HEAD:refs/for/main")
    git("fetch", "-q")
    assert git("rev-parse", "origin/main", "origin/main~1").split() == [two, one]


def test_a_clash_is_one_line_that_says_whose(world: World, git: GitClient) -> None:
    """Nothing lands; the paths, and the landing that stands there, are named."""
    project = _begun(world, git)
    _commit(git, "fine", "fine\n")
    late = _commit(git, "story", STORY.replace("line 2\n", "line TWO\n"))
    said = git.fails("push", "origin", "HEAD:refs/for/main")
    assert "! [remote rejected] HEAD -> refs/for/main" in said
    assert f"{late[:12]} clashes with what landed: story (@2 by " in said
    assert "Moved on" in said
    assert _landings(world, project) == ["Moved on", "Begin"]
    git("fetch", "-q")
    assert git("log", "--format=%s", "origin/main") == "Moved on\nBegin"


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [({b"dir": b"a file\n"}, "dir/below"), ({b"dir/below": b"below\n"}, "dir"), ({b"both": b"theirs\n"}, "both")],
)
def test_new_files_that_cannot_stand_side_by_side(
    world: World, git: GitClient, theirs: dict[bytes, bytes], mine: str
) -> None:
    project = world.project()
    world.land(world.rita, project, {b"a": b"1\n"}, goal="Begin")
    git("clone", "-q", _url(world, project), ".")
    world.land(world.rita, project, theirs, goal="Theirs", base_position=1)
    _commit(git, mine, "mine\n")
    assert f"clashes with what landed: {mine}" in git.fails("push", "origin", "HEAD:refs/for/main")
    assert _landings(world, project) == ["Theirs", "Begin"]


def test_what_is_there_already_lands_not_again(world: World, git: GitClient) -> None:
    """A commit whose change somebody made meanwhile is left out; the others land."""
    project = _begun(world, git)
    _commit(git, "story", STORY.replace("line 2\n", "line two\n"), "The same")
    git("commit", "-q", "--allow-empty", "-m", "Empty from the start")
    done = git.run("push", "origin", "HEAD:refs/for/main").stderr.decode()
    assert "changed nothing that is not there already" in done
    assert _landings(world, project) == ["Empty from the start", "Moved on", "Begin"]
    again = git.run("push", "origin", "HEAD~1:refs/for/main").stderr.decode()
    assert "All of it is in main already; nothing landed." in again
    assert len(_landings(world, project)) == 3


def test_a_signature_does_not_survive_new_bytes(world: World, git: GitClient) -> None:
    """Signature and merged tag are left out, unknown headers and the encoding are kept."""
    project = _begun(world, git)
    tree = git("rev-parse", "HEAD^{tree}")
    parent = git("rev-parse", "HEAD")
    raw = (
        f"tree {tree}\nparent {parent}\nauthor A <a@x.y> 1600000000 +0530\ncommitter A <a@x.y> 1600000000 +0530\n"
        "encoding ISO-8859-1\nchange-id zyxw\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n"
        " -----END PGP SIGNATURE-----\n\nSigned\n"
    )
    made = git("hash-object", "-t", "commit", "-w", "--stdin", data=raw.encode())
    git("push", "-q", "origin", f"{made}:refs/for/main")
    git("fetch", "-q")
    lines = git("cat-file", "commit", "origin/main").splitlines()
    assert lines[2] == "author A <a@x.y> 1600000000 +0530"
    assert lines[3].startswith("committer mic <mic@micelio.invalid> ")
    assert lines[4:] == ["encoding ISO-8859-1", "change-id zyxw", "", "Signed"]
    assert len(_landings(world, project)) == 3


def test_other_refs_go_along(world: World, git: GitClient) -> None:
    """A branch in the same push keeps the ids it was pushed with; an atomic push that clashes moves nothing."""
    project = _begun(world, git)
    mine = _commit(git, "mine", "mine\n")
    git("push", "-q", "--atomic", "origin", "HEAD:refs/for/main", "HEAD:refs/heads/mine")
    git("fetch", "-q")
    assert git("rev-parse", "origin/mine") == mine
    assert git("rev-parse", "origin/main") != mine
    git("checkout", "-q", "-b", "clashing")
    _commit(git, "story", "something else\n")
    said = git.fails("push", "--atomic", "origin", "HEAD:refs/for/main", "HEAD:refs/heads/clashing")
    assert "clashes with what landed: story" in said
    assert "clashing" not in git("ls-remote", "origin")
    _fsck(git, _url(world, project))


def test_what_is_not_for_main(world: World, git: GitClient) -> None:
    """Histories with nothing in common, other lines, deletion, and main twice."""
    _begun(world, git)
    git("checkout", "-q", "--orphan", "alone")
    git("commit", "-q", "-m", "Alone")
    assert "no commit in common" in git.fails("push", "origin", "HEAD:refs/for/main")
    assert "only refs/for/main and those of branches" in git.fails("push", "origin", "HEAD:refs/for/other")
    assert "what is pushed to it lands on main" in git.fails("push", "origin", ":refs/for/main")
    assert "the ref is named twice" in git.fails("push", "origin", "+HEAD:main", "HEAD:refs/for/main")


def test_who_may_land_there(world: World, git: GitClient) -> None:
    """A stranger may not, as everywhere."""
    project = _begun(world, git)
    _commit(git, "mine", "mine\n")
    assert "403" in git.fails("push", _url(world, project, "stan"), "HEAD:refs/for/main")
    assert len(_landings(world, project)) == 2


@pytest.mark.parametrize("version", ["0", "1"])
def test_hidden_refs_by_id_in_old_protocols(world: World, git: GitClient, version: str) -> None:
    """They know no ref that is not listed; its commit can be asked for."""
    project = _begun(world, git)
    git("-c", "protocol.version=2", "fetch", "-q", "origin", "refs/landings/2")
    wanted = git("rev-parse", "FETCH_HEAD")
    fresh = GitClient(git.folder.parent / "fresh")
    fresh("init", "-q", ".")
    fresh("config", "protocol.version", version)
    assert "couldn't find remote ref" in fresh.fails("fetch", _url(world, project), "refs/landings/2")
    fresh("fetch", "-q", _url(world, project), wanted)
    assert fresh("log", "-1", "--format=%s", "FETCH_HEAD") == "Moved on"
