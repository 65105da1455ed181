"""Git clients of a project from which something was erased: real git, before and after."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

LETTER = b"Dear Ada,\nthis is nobody's business.\n"


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef) -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token('max')}@")
    return f"{base}/{project.organization}/{project.handle}"


def _purge(world: World, project: pb.ProjectRef, content: bytes, *more: str) -> str:
    done = world.forge.command(
        "admin", "purge", f"{project.organization}/{project.handle}", "--content", hashlib.sha256(content).hexdigest(),
        "--reason", "ticket 7", "--do", *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _holders(world: World, oid: str) -> list[str]:
    """Kept packs whose index lists an object."""
    store = Path(world.forge.environment["MICELIO_DATA_DIR"]) / "store"
    return [str(path) for path in store.glob("projects/*/git/**/*.idx") if bytes.fromhex(oid) in path.read_bytes()]


def _history(git: GitClient, folder: str) -> list[str]:
    return git("-C", folder, "log", "--format=%s", "--topo-order", "main").splitlines()


def test_a_clone_shows_the_words_and_old_clones_go_on(world: World, git: GitClient) -> None:
    """Pushed history: with a merge, a side branch, an annotated tag, and the content in two of them."""
    project = world.project()
    git("init", "-q", "-b", "main", ".")
    git("remote", "add", "origin", _url(world, project))
    (git.folder / "kept").write_text("kept\n")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    first = git("rev-parse", "HEAD").strip()
    (git.folder / "deep").mkdir()
    (git.folder / "deep/letter").write_bytes(LETTER)
    git("add", ".")
    git("commit", "-q", "-m", "two")
    git("branch", "side")
    (git.folder / "deep/letter").write_bytes(LETTER + b"More of it.\n")
    git("commit", "-q", "-a", "-m", "three")
    git("checkout", "-q", "side")
    (git.folder / "beside").write_text("beside\n")
    git("add", ".")
    git("commit", "-q", "-m", "beside")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "merge", "side")
    git("tag", "-a", "-m", "a tag", "v1")
    git("push", "-q", "origin", "main", "side", "v1")
    blob = git("rev-parse", "side~1:deep/letter").strip()
    url = _url(world, project)
    git("clone", "-q", url, "../old")
    assert _holders(world, blob) != []

    assert "\terased\t" in _purge(world, project, LETTER)
    assert _holders(world, blob) == []
    git("clone", "-q", "--mirror", url, "../new")
    git("-C", "../new", "fsck", "--full", "--strict")
    history = _history(git, "../new")
    assert history[:2] == ["Erase a content: a leaked secret", "merge"]
    assert sorted(history[2:]) == ["beside", "one", "three", "two"]
    words = git("-C", "../new", "show", "side~1:deep/letter")
    assert words.startswith("This content was erased (a leaked secret) by ")
    assert git("-C", "../new", "show", "v1:deep/letter") == (LETTER + b"More of it.").decode()
    assert git("-C", "../new", "cat-file", "-t", "v1").strip() == "tag"
    assert first in git("-C", "../new", "rev-list", "main").split()  # what came before it has the ids that it had
    # A clone of before: what is new comes, and the old commits have no way back.
    git("-C", "../old", "fetch", "-q")
    git("-C", "../old", "fsck", "--full", "--strict")
    said = git.fails("-C", "../old", "push", "origin", "origin/side@{1}:refs/heads/back")
    assert "was erased (a leaked secret)" in said
    # Work on the new history lands.
    git("-C", "../old", "reset", "-q", "--hard", "origin/main")
    (git.folder.parent / "old/more").write_text("more\n")
    git("-C", "../old", "add", ".")
    git("-C", "../old", "commit", "-q", "-m", "more")
    git("-C", "../old", "push", "-q", "origin", "HEAD:main")
    git("clone", "-q", "--mirror", url, "../last")
    git("-C", "../last", "fsck", "--full", "--strict")
    assert _history(git, "../last")[0] == "more"


def test_what_was_landed_with_mic(world: World, git: GitClient) -> None:
    """Cloned before and after, and where nobody had cloned before: the same commits come out."""
    ids = []
    for cloned in (True, False):
        project = world.project()
        text = LETTER + b"%d\n" % cloned
        world.land(world.max, project, {b"letter": text, b"other": b"stays\n"})
        world.land(world.max, project, {b"third": b"3\n"}, base_position=1)
        if cloned:
            git("clone", "-q", _url(world, project), "../before")
        _purge(world, project, text)
        folder = f"../after{cloned}"
        git("clone", "-q", _url(world, project), folder)
        git("-C", folder, "fsck", "--full", "--strict")
        assert (git.folder.parent / f"after{cloned}" / "letter").read_text().startswith("This content was erased")
        ids.append(git("-C", folder, "rev-list", "--count", "HEAD").strip())
    assert ids == ["3", "3"]
