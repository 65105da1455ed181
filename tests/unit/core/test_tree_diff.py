"""The difference of two trees, in steps: what a dictionary would say, whatever the paths."""

from __future__ import annotations

import random

import pytest

from mic.core.tree import EMPTY_TREE, Entry, Node, build, diff
from trees import drive

Files = dict[bytes, Entry]


def _entry(path: bytes, version: int) -> Entry:
    return Entry(path, 0o100644, 0, version, bytes([version]) * 32)


def _tree(files: Files, nodes: dict[bytes, Node]) -> bytes:
    return build([files[path] for path in sorted(files)], nodes)


@pytest.mark.parametrize("seed", range(4))
def test_in_steps_it_is_what_it_is_in_one(seed: int) -> None:
    """Of 3,000 files some are changed, added and taken away; steps begin behind paths that are and that are not."""
    rnd = random.Random(seed)
    old = {path: _entry(path, 1) for path in (b"d%03d/f%04d" % (n // 40, n) for n in range(3000))}
    new = dict(old)
    for path in rnd.sample(sorted(old), 400):
        if rnd.random() < 0.5:
            new[path] = _entry(path, 2)
        else:
            del new[path]
    new |= {path: _entry(path, 3) for path in (b"d%03d/g%04d" % (rnd.randrange(90), n) for n in range(200))}
    nodes: dict[bytes, Node] = {}
    left, right = _tree(old, nodes), _tree(new, nodes)
    differ = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    for step in (1, 7, len(differ), len(differ) + 1):
        found: list[bytes] = []
        while part := drive(diff(nodes, left, right, found[-1] if found else b"", step), nodes):
            assert len(part) <= step
            assert all((change.old, change.new) == (old.get(change.path), new.get(change.path)) for change in part)
            found += [change.path for change in part]
        assert found == differ
    for after in (b"d", b"d010", b"d040/f1620x", b"d089/g9999", b"e"):
        part = drive(diff(nodes, left, right, after), nodes)
        assert [change.path for change in part] == [path for path in differ if path > after]


def test_beside_a_tree_of_nothing_every_file_differs() -> None:
    nodes: dict[bytes, Node] = {}
    files = {path: _entry(path, 1) for path in (b"a", b"b/c", b"b/d")}
    root = _tree(files, nodes)
    assert [change.path for change in drive(diff(nodes, EMPTY_TREE, root, b"a", 1), nodes)] == [b"b/c"]
    assert [change.path for change in drive(diff(nodes, root, EMPTY_TREE, b"b/c"), nodes)] == [b"b/d"]
    assert drive(diff(nodes, root, root, b"a"), nodes) == []
    assert drive(diff(nodes, EMPTY_TREE, EMPTY_TREE, b"a"), nodes) == []
    assert drive(diff(nodes, EMPTY_TREE, root, b"", 0), nodes) == []
