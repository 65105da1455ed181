"""What each commit changed, judged by `git diff-tree` and `git ls-tree` on the same repository."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.git.builder import Repository, canonical_mode
from mic.core.session import Op
from mic.git.history import FileChange, open_history

LINK = "120000"


def check_against_git(repository: Repository) -> list[list[FileChange]]:
    """Compares chain, changes, sizes and final tree with Git's; the changes of each commit, oldest first."""
    history = open_history(repository.path)
    commits = list(history)
    chain = repository.first_parents()
    assert [commit.oid.hex() for commit in commits] == chain
    assert history.count == len(chain)
    assert history.tip.hex() == chain[-1]
    tree: dict[bytes, tuple[int, str]] = {}
    for parent, commit in zip([None, *chain], commits, strict=False):
        assert commit.raw == repository.git("cat-file", "commit", commit.oid.hex())
        check_commit(repository, parent, commit.oid.hex(), commit.changes, tree)
    assert tree == repository.files()
    return [commit.changes for commit in commits]


def check_commit(
    repository: Repository,
    parent: str | None,
    commit: str,
    changes: list[FileChange],
    tree: dict[bytes, tuple[int, str]],
) -> None:
    """One commit against `git diff-tree`; `tree` is folded forward."""
    assert [change.path for change in changes] == sorted(change.path for change in changes)
    ours = set()
    for change in changes:
        before = tree.pop(change.path, None)
        if change.op == Op.DELETED:
            assert change.oid is None
            assert before is not None
            ours.add(("D", change.path, 0, "0" * 40))
            continue
        assert change.oid is not None
        after = (canonical_mode(change.mode), change.oid.hex())
        tree[change.path] = after
        assert (before is None) == (change.op == Op.ADDED)
        if before != after:  # Git does not see a change from one spelling of a mode to another
            ours.add(("A" if before is None else "M", change.path, *after))
        expected = 40 if after[0] == 0o160000 else int(repository.git("cat-file", "-s", after[1]))
        assert change.size == expected
    theirs = {
        (change.status.replace("T", "M"), change.path, change.new_mode, change.new_oid)
        for change in repository.changes(parent, commit)
    }
    assert ours == theirs


def test_kinds_of_change(tmp_path: Path) -> None:
    """Added, changed, deleted, exec bit only, file to symlink, file to directory and back, and an empty commit."""
    repo = Repository(tmp_path / "r.git")
    one, two = repo.blob(b"one\n"), repo.blob(b"two\n")
    steps = [
        repo.tree(("100644", b"a", one), ("100644", b"b", one)),
        repo.tree(("100644", b"a", two), ("100644", b"b", one)),
        repo.tree(("100755", b"a", two), ("100644", b"b", one)),
        repo.tree((LINK, b"a", two), ("100644", b"b", one)),
        repo.tree((LINK, b"a", two), ("40000", b"b", repo.file_tree(b"inner"))),
        repo.tree((LINK, b"a", two), ("100644", b"b", one)),
        repo.tree((LINK, b"a", two), ("100644", b"b", one)),
        repo.tree(("160000", b"a", "1" * 40), ("100644", b"b", one)),
        repo.raw_tree(),
    ]
    parents: list[str] = []
    for tree in steps:
        parents = [repo.commit(tree, *parents)]
    changes = check_against_git(repo)
    assert [[(change.op, change.path) for change in commit] for commit in changes] == [
        [(Op.ADDED, b"a"), (Op.ADDED, b"b")],
        [(Op.MODIFIED, b"a")],
        [(Op.MODIFIED, b"a")],
        [(Op.MODIFIED, b"a")],
        [(Op.DELETED, b"b"), (Op.ADDED, b"b/inner")],
        [(Op.ADDED, b"b"), (Op.DELETED, b"b/inner")],
        [],
        [(Op.MODIFIED, b"a")],
        [(Op.DELETED, b"a"), (Op.DELETED, b"b")],
    ]


def test_contents_of_blobs_symlinks_and_gitlinks(tmp_path: Path) -> None:
    """A symlink's content is its target, never followed; a gitlink's is the commit id as 40 hex digits."""
    repo = Repository(tmp_path / "r.git")
    binary = bytes(range(256)) * 5000
    repo.commit(
        repo.tree(
            ("100644", b"binary", repo.blob(binary)),
            (LINK, b"out", repo.blob(b"../../../etc/passwd")),
            (LINK, b"absolute", repo.blob(b"/etc/passwd")),
            ("160000", b"module", "ab" * 20),
        )
    )
    check_against_git(repo)
    history = open_history(repo.path)
    (commit,) = history
    contents = {change.path: history.content(change) for change in commit.changes}
    assert contents == {
        b"absolute": b"/etc/passwd",
        b"binary": binary,
        b"module": b"ab" * 20,
        b"out": b"../../../etc/passwd",
    }
    oid = next(change.oid for change in commit.changes if change.path == b"binary")
    assert oid is not None
    pieces = list(history.blob_stream(oid))
    assert b"".join(pieces) == binary
    assert max(map(len, pieces)) == 1 << 20


def test_odd_names_travel_as_bytes(tmp_path: Path) -> None:
    """Newlines, invalid UTF-8, backslashes, reserved names, 4 KB names and 300 levels are read as they are."""
    repo = Repository(tmp_path / "r.git")
    blob = repo.blob(b"x")
    names = [
        b"new\nline",
        b"\xff\xfe",
        b"back\\slash",
        b".GIT",
        b".git",
        b".mic",
        b"x" * 4096,
        b" ",
        b"-rf",
        b"a:b",
        b"...",
    ]
    deep = repo.file_tree(b"bottom")
    for _ in range(300):
        deep = repo.tree(("40000", b"d", deep))
    repo.commit(repo.tree(*(("100644", name, blob) for name in names), ("40000", b"deep", deep)))
    (changes,) = check_against_git(repo)
    assert {change.path for change in changes} == {*names, b"deep/" + b"d/" * 300 + b"bottom"}


def test_odd_modes_are_kept(tmp_path: Path) -> None:
    """Group-writable files, zero-padded directories and modes of no kind keep their number; Git's reading agrees."""
    repo = Repository(tmp_path / "r.git")
    blob = repo.blob(b"x")
    first = repo.commit(
        repo.raw_tree(
            ("100664", b"a", blob),
            ("0100644", b"b", blob),
            ("040000", b"c", repo.file_tree()),
            ("010000", b"d", "1" * 40),
        )
    )
    second = repo.commit(
        repo.raw_tree(("100644", b"a", blob), ("100644", b"b", blob), ("40000", b"c", repo.file_tree())), first
    )
    assert second
    changes = check_against_git(repo)
    assert [(change.path, change.mode) for change in changes[0]] == [
        (b"a", 0o100664),
        (b"b", 0o100644),
        (b"c/file", 0o100644),
        (b"d", 0o010000),
    ]
    assert [(change.path, change.op) for change in changes[1]] == [(b"a", Op.MODIFIED), (b"d", Op.DELETED)]


def octopus(repo: Repository) -> None:
    root = repo.commit(repo.file_tree(b"root"))
    tips = [repo.commit(repo.file_tree(b"side%d" % n), root) for n in range(4)]
    repo.commit(repo.file_tree(b"merged"), *tips)


def several_roots(repo: Repository) -> None:
    first = repo.commit(repo.file_tree(b"one"))
    other = repo.commit(repo.file_tree(b"two"))
    repo.commit(repo.file_tree(b"both"), first, other)


def criss_cross(repo: Repository) -> None:
    root = repo.commit(repo.file_tree(b"f", b"0\n"))
    left, right = (repo.commit(repo.file_tree(b"f", side), root) for side in (b"l\n", b"r\n"))
    merge_left = repo.commit(repo.file_tree(b"f", b"lr\n"), left, right)
    merge_right = repo.commit(repo.file_tree(b"f", b"rl\n"), right, left)
    repo.commit(repo.file_tree(b"f", b"end\n"), merge_left, merge_right)


@pytest.mark.parametrize("build", [octopus, several_roots, criss_cross])
def test_merges_count_against_their_first_parent(tmp_path: Path, build: Callable[[Repository], None]) -> None:
    """Only the first-parent chain is told, whatever was merged."""
    repo = Repository(tmp_path / "r.git")
    build(repo)
    check_against_git(repo)


@pytest.mark.parametrize("packed", [False, True])
def test_random_histories(tmp_path: Path, packed: bool) -> None:
    """Sixty commits of random edits in nested folders, loose and packed, fold to Git's own tree."""
    source = random.Random(11)
    repo = Repository(tmp_path / "r.git")
    names = [b"a", b"b", b"a-b", b"a.c", b"a0", b"d/a", b"d/e/f", b"d/e/g", b"d.x/y", b"z/z/z/z"]
    stream = bytearray()
    for number in range(60):
        stream += b"commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 1\nm\n" % (number + 1)
        for name in source.sample(names, 3):
            if source.random() < 0.3:
                stream += b"D " + name + b"\n"
            else:
                mode = source.choice([b"100644", b"100755", b"120000"])
                content = b"%d\n" % source.randrange(5)
                stream += b"M " + mode + b" inline " + name + b"\ndata %d\n" % len(content) + content + b"\n"
    repo.git("fast-import", "--quiet", data=bytes(stream))
    if packed:
        repo.git("repack", "-adq")
        repo.git("pack-refs", "--all")
    assert len(check_against_git(repo)) == 60


def test_an_import_can_go_on_in_the_middle(tmp_path: Path) -> None:
    """`commits(start)` gives the same commits as the whole walk from there on."""
    repo = Repository(tmp_path / "r.git")
    parents: list[str] = []
    for number in range(5):
        parents = [repo.commit(repo.file_tree(b"%d" % (number % 2), b"%d" % number), *parents)]
    history = open_history(repo.path)
    assert list(history.commits(3)) == list(history)[3:]
