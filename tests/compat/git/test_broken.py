"""Repositories that cannot be imported: each way has its own error, which names the thing and the way out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.git.builder import ENVIRONMENT, Repository
from mic.core.errors import Corrupt, InvalidInput, InvalidPath, MicError, NotFound, TooLarge, Unavailable
from mic.git.history import open_history
from mic.git.trees import EMPTY_TREE, TreeReader


def three_commits(path: Path) -> tuple[Repository, list[str]]:
    """A repository of three commits that each change one file."""
    repo = Repository(path)
    oids: list[str] = []
    for number in range(3):
        oids.append(repo.commit(repo.file_tree(b"f", b"content %d\n" % number), *oids[-1:]))
    return repo, oids


def loose(repo: Repository, oid: str) -> Path:
    """The file of a loose object."""
    return repo.path / "objects" / oid[:2] / oid[2:]


def refusal(path: Path, kind: type[MicError], branch: str | None = None) -> MicError:
    """The error that reading the whole history raises."""
    with pytest.raises(kind) as caught:
        list(open_history(path, branch))
    assert caught.value.hint
    return caught.value


def test_no_such_path(tmp_path: Path) -> None:
    """The path is named."""
    assert str(tmp_path / "none") in refusal(tmp_path / "none", NotFound).message


def test_not_a_repository(tmp_path: Path) -> None:
    """A folder, a folder inside a repository, and a file are refused."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    subprocess.run(["git", "init", "-q", str(tmp_path / "outer")], check=True, env=ENVIRONMENT)
    (tmp_path / "outer" / "inner").mkdir()
    for name in ("folder", "file", "outer/inner"):
        error = refusal(tmp_path / name, NotFound)
        assert str(tmp_path / name) in error.message
        assert "not a Git repository" in error.message


def test_empty_repository(tmp_path: Path) -> None:
    """No commit at all, or none on the default branch: then the others are named."""
    repo = Repository(tmp_path / "r.git")
    assert "no commit" in refusal(repo.path, InvalidInput).message
    repo.commit(repo.file_tree())
    repo.git("update-ref", "refs/heads/other", "main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    assert "main, other" in refusal(repo.path, InvalidInput).hint


def test_no_such_branch(tmp_path: Path) -> None:
    """The wanted branch and those there are, are named; names that no ref can have are refused alike."""
    repo, _ = three_commits(tmp_path / "r.git")
    for branch in ("nope", "a..b", "../../etc", "", "-x", "sp ace"):
        error = refusal(repo.path, NotFound, branch)
        assert repr(branch) in error.message
        assert "main" in error.hint


def test_shallow_repository(tmp_path: Path) -> None:
    """Where the history ends is named, also from a linked work tree."""
    repo, _ = three_commits(tmp_path / "r.git")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "2", repo.path.as_uri(), str(clone)], check=True, env=ENVIRONMENT)
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "linked")], cwd=clone, check=True, env=ENVIRONMENT)
    for path in (clone, tmp_path / "linked"):
        error = refusal(path, InvalidInput)
        assert "after 2 commits" in error.message
        assert "git fetch --unshallow" in error.hint


def test_sha256_repository(tmp_path: Path) -> None:
    """The object format is named."""
    repo = Repository(tmp_path / "r.git", "--object-format=sha256")
    assert "SHA-256" in refusal(repo.path, InvalidInput).message


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_missing_object(tmp_path: Path, kind: str) -> None:
    """The object is named, and the commit it belongs to."""
    repo, oids = three_commits(tmp_path / "r.git")
    names = {"commit": oids[1], "tree": oids[1] + "^{tree}", "blob": oids[1] + ":f"}
    oid = repo.git("rev-parse", names[kind]).decode().strip()
    loose(repo, oid).unlink()
    error = refusal(repo.path, Corrupt)
    assert oid in error.message
    assert "missing" in error.message
    assert (oids[2] if kind == "commit" else oids[1]) in error.message


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [zeroed, cut, emptied])
@pytest.mark.parametrize("kind", ["commit", "tree"])
def test_damaged_object(tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]) -> None:
    """A garbled object is named, never read as something else."""
    repo, oids = three_commits(tmp_path / "r.git")
    oid = oids[1] if kind == "commit" else repo.git("rev-parse", oids[1] + "^{tree}").decode().strip()
    path = loose(repo, oid)
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(damage(data))
    assert oid in refusal(repo.path, Corrupt).message


def test_bytes_that_do_not_match_their_name(tmp_path: Path) -> None:
    """A well-formed blob under another blob's name is caught by its hash."""
    repo, oids = three_commits(tmp_path / "r.git")
    right, wrong = (repo.git("rev-parse", f"{oid}:f").decode().strip() for oid in oids[:2])
    path = loose(repo, right)
    path.chmod(0o644)
    path.write_bytes(loose(repo, wrong).read_bytes())
    with pytest.raises(Corrupt, match=right):
        open_history(repo.path).blob(bytes.fromhex(right))


def test_damaged_pack(tmp_path: Path) -> None:
    """Garbage inside a pack is an error that names an object."""
    repo, _ = three_commits(tmp_path / "r.git")
    repo.git("repack", "-adq")
    (pack,) = (repo.path / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    data = bytearray(pack.read_bytes())
    data[12:-20] = bytes(len(data) - 32)
    pack.write_bytes(data)
    assert refusal(repo.path, Corrupt).message.startswith("Git ")


def test_repository_that_disappears(tmp_path: Path) -> None:
    """A repository deleted in the middle of its history is unavailable, not empty and not shorter."""
    repo, _ = three_commits(tmp_path / "r.git")
    commits = iter(open_history(repo.path))
    next(commits)
    shutil.rmtree(repo.path)
    with pytest.raises(Unavailable, match="disappeared"):
        list(commits)


def test_partial_clone(tmp_path: Path) -> None:
    """Missing blobs are explained by the filter."""
    repo, _ = three_commits(tmp_path / "r.git")
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone.git"
    subprocess.run(
        ["git", "clone", "-q", "--bare", "--filter=blob:none", repo.path.as_uri(), str(clone)],
        check=True,
        env=ENVIRONMENT,
    )
    error = refusal(clone, Corrupt)
    assert "partial clone" in error.message
    assert "--filter" in error.hint


@pytest.mark.parametrize("name", [b"..", b".", b"a/b", b"/etc"])
def test_names_that_no_path_can_hold(tmp_path: Path, name: bytes) -> None:
    """The commit and the name are named."""
    repo, oids = three_commits(tmp_path / "r.git")
    bad = repo.commit(repo.raw_tree(("100644", name, repo.blob(b"x"))), oids[-1])
    error = refusal(repo.path, InvalidPath)
    assert bad in error.message
    assert repr(name) in error.message


def test_a_folder_named_dot_dot(tmp_path: Path) -> None:
    """Folders are held to the same rule."""
    repo = Repository(tmp_path / "r.git")
    repo.commit(repo.tree(("40000", b"..", repo.file_tree())))
    refusal(repo.path, InvalidPath)


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    """Sixteen folders of 1,100 bytes pass the limit of 16,384 together; the commit is named."""
    repo = Repository(tmp_path / "r.git")
    tree = repo.file_tree()
    for _ in range(16):
        tree = repo.tree(("40000", b"n" * 1100, tree))
    oid = repo.commit(tree)
    error = refusal(repo.path, InvalidPath)
    assert oid in error.message
    assert "16,384" in error.message


def test_malformed_trees(tmp_path: Path) -> None:
    """Garbage, a mode that is no number or too large, no name, and the same name twice are damage."""
    repo = Repository(tmp_path / "r.git")
    blob = repo.blob(b"x")
    entry = b"100644 a\0" + bytes.fromhex(blob)
    for number, raw in enumerate(
        [b"garbage", entry + b"100644 b\0short", entry + b"x" + entry, entry + entry, b"100644 \0" + entry[-20:]]
    ):
        oid = repo.object("tree", raw)
        commit = repo.commit(oid, message=b"%d" % number)
        error = refusal(repo.path, Corrupt)
        assert oid in error.message
        assert commit in error.message
    repo.commit(repo.raw_tree(("7777777", b"a", blob)))
    refusal(repo.path, Corrupt)


@pytest.mark.parametrize("raw", [b"", b"garbage\n", b"tree 12\n", b"tree " + b"0" * 40 + b"\nparent 12\n\nm"])
def test_malformed_commits(tmp_path: Path, raw: bytes) -> None:
    """A commit without its tree or with half a parent is named."""
    repo = Repository(tmp_path / "r.git")
    oid = repo.object("commit", raw)
    (repo.path / "refs" / "heads" / "main").write_text(oid + "\n")
    assert oid in refusal(repo.path, Corrupt).message


def test_objects_of_the_wrong_kind(tmp_path: Path) -> None:
    """A blob where a tree belongs, and a tree where a blob belongs."""
    repo = Repository(tmp_path / "r.git")
    blob, tree = repo.blob(b"x"), repo.file_tree()
    repo.commit(blob)
    assert blob in refusal(repo.path, Corrupt).message
    repo.commit(repo.tree(("100644", b"f", tree)))
    assert tree in refusal(repo.path, Corrupt).message


def test_a_tree_that_unfolds_without_end(tmp_path: Path) -> None:
    """Twelve levels of ten equal folders would be 10**12 files: the limit ends it."""
    repo = Repository(tmp_path / "r.git")
    tree = repo.file_tree()
    for _ in range(12):
        tree = repo.tree(*(("40000", b"%d" % n, tree) for n in range(10)))

    def read(oid: bytes) -> bytes:
        return repo.git("cat-file", "tree", oid.hex())

    with pytest.raises(TooLarge, match="20,000"):
        TreeReader(read).difference(EMPTY_TREE, bytes.fromhex(tree), limit=20_000)


def test_branches_tags_and_detached_heads(tmp_path: Path) -> None:
    """HEAD, a branch, a full ref, an annotated tag, and a HEAD that names a commit."""
    repo, oids = three_commits(tmp_path / "r.git")
    repo.git("update-ref", "refs/heads/feature/x", oids[1])
    config = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    repo.git(*config, "tag", "-a", "-m", "m", "v1", oids[0])
    for branch, expected in (
        (None, oids[2]),
        ("feature/x", oids[1]),
        ("refs/heads/main", oids[2]),
        ("refs/tags/v1", oids[0]),
    ):
        history = open_history(repo.path, branch)
        assert history.tip.hex() == expected
        assert history.branch == (branch or "main")
    repo.git("update-ref", "--no-deref", "HEAD", oids[1])
    detached = open_history(repo.path)
    assert (detached.branch, detached.tip.hex(), detached.count) == ("detached", oids[1], 2)


def test_every_shape_of_repository_opens(tmp_path: Path) -> None:
    """Work tree, its .git, a linked work tree, a mirror, borrowed objects, a non-UTF-8 branch, and a path object."""
    repo, oids = three_commits(tmp_path / "r.git")
    work, linked, mirror, shared = (tmp_path / name for name in ("work", "linked", "mirror.git", "shared"))
    for command in (
        ["clone", "-q", str(repo.path), str(work)],
        ["-C", str(work), "worktree", "add", "-q", "-b", "linked", str(linked)],
        ["clone", "-q", "--mirror", str(repo.path), str(mirror)],
        ["clone", "-q", "--shared", str(repo.path), str(shared)],
    ):
        subprocess.run(["git", *command], check=True, env=ENVIRONMENT)
    for path in (work, work / ".git", linked, mirror, shared):
        assert open_history(path).tip.hex() == oids[2]
    name = b"refs/heads/caf\xe9"
    (repo.path / "packed-refs").write_bytes(oids[0].encode() + b" " + name + b"\n")
    (repo.path / "HEAD").write_bytes(b"ref: " + name + b"\n")
    assert open_history(repo.path).branch == "caf\ufffd"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_another_user_opens(tmp_path: Path) -> None:
    """Reading runs nothing that its owner could have put there."""
    repo, oids = three_commits(tmp_path / "r.git")
    for folder, folders, files in os.walk(repo.path):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(folder, name), 12345, 12345)
    assert open_history(repo.path).tip.hex() == oids[2]


def test_replace_refs_are_ignored(tmp_path: Path) -> None:
    """A commit keeps the bytes its id promises."""
    repo, oids = three_commits(tmp_path / "r.git")
    repo.git("update-ref", f"refs/replace/{oids[1]}", oids[0])
    assert [commit.oid.hex() for commit in open_history(repo.path)] == oids


def test_nothing_of_the_repository_runs_and_nothing_is_written(tmp_path: Path) -> None:
    """Hooks and commands in its configuration stay untouched, and so does every file."""
    repo, _ = three_commits(tmp_path / "r.git")
    mark = tmp_path / "ran"
    for key in ("core.fsmonitor", "core.sshCommand", "filter.x.smudge", "diff.external", "uploadpack.packObjectsHook"):
        repo.git("config", key, f"touch {mark}")
    before = {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")}
    history = open_history(repo.path)
    for commit in history:
        for change in commit.changes:
            history.content(change)
    assert not mark.exists()
    assert {path: path.stat().st_mtime_ns for path in repo.path.rglob("*")} == before
