"""How many nodes a question reads: by the answer and the height of the tree, never by its size."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.tree import DIRECTORY, Entry, Node, apply, build, diff, list_directory, lookup, scan, totals
from trees import drive, drive_cold, file, small_nodes


def _tree(rnd: random.Random, nodes: dict[bytes, Node]) -> tuple[bytes, dict[bytes, Entry], int]:
    """2,000 files in directories of very different sizes; the root, the files, and the number of levels."""
    files: dict[bytes, Entry] = {}
    while len(files) < 2000:
        folder = b"d%d/e%d/" % (int(rnd.random() ** 3 * 12), rnd.randrange(3))
        path = folder + b"f%05d" % rnd.randrange(10**5) if rnd.random() < 0.98 else b"top%d" % rnd.randrange(999)
        files[path] = file(path, rnd.randrange(1 << 20))
    root = build([files[path] for path in sorted(files)], nodes)
    return root, files, nodes[root].level + 1


@given(st.integers(0, 1 << 32))
@settings(max_examples=25, deadline=None)
def test_no_question_reads_the_whole_tree(seed: int) -> None:
    """Some 400 nodes of 5: look-up, page, totals and range read a path or two from the root for each answer."""
    rnd = random.Random(seed)
    nodes: dict[bytes, Node] = {}
    with small_nodes():
        root, files, levels = _tree(rnd, nodes)
        paths = sorted(files)
        wanted = rnd.sample(paths, 3)
        found, asked = drive_cold(lookup({}, root, [*wanted, b"absent"]), nodes)
        assert found == {path: files[path] for path in wanted}
        assert len(asked) <= levels
        assert sum(asked) <= 1 + 4 * (levels - 1)

        for directory in (b"", b"d0", b"d0/e1", b"d11"):
            prefix = directory + b"/" if directory else b""
            below = [path for path in paths if path.startswith(prefix)]
            expected = (len(below), sum(files[path].size for path in below))
            got, asked = drive_cold(totals({}, root, directory), nodes)
            assert got == expected
            assert sum(asked) <= 2 * levels - 1
            page, asked = drive_cold(list_directory({}, root, directory, limit=10), nodes)
            children = {path[: (path + b"/").index(b"/", len(prefix))] for path in below}
            assert {entry.path for entry in page} <= children
            assert len(page) == min(len(children), 10)
            assert sum(asked) <= levels + len(page) * levels
            for entry in page:
                if entry.kind == DIRECTORY:
                    under = [path for path in below if path.startswith(entry.path + b"/")]
                    assert entry.size == sum(files[path].size for path in under)

        start = rnd.choice(paths)
        got, asked = drive_cold(scan({}, root, start, None, 20), nodes)
        assert got == [files[path] for path in paths[paths.index(start) :][:20]]
        # Nodes of less than three entries are cut nowhere but by a rare key: 20 entries lie in a few leaves.
        assert sum(asked) <= levels + 20


@given(st.integers(0, 1 << 32))
@settings(max_examples=25, deadline=None)
def test_a_difference_reads_what_differs(seed: int) -> None:
    """A few changes, in both directions, and between trees of different height: the same answer and few nodes."""
    rnd = random.Random(seed)
    nodes: dict[bytes, Node] = {}
    with small_nodes():
        root, files, levels = _tree(rnd, nodes)
        edits: dict[bytes, Entry | None] = {}
        for path in rnd.sample(sorted(files), 4):
            kind = rnd.randrange(3)
            name = path + b"+" if kind == 2 else path
            edits[name] = None if kind == 1 else file(name, 1 << 30)
        new = drive(apply(nodes, root, edits, nodes), nodes)
        expected = [(path, files.get(path), edits[path]) for path in sorted(edits)]
        for left, right, turned in ((root, new, False), (new, root, True)):
            got, asked = drive_cold(diff({}, left, right), nodes)
            assert got == [(path, new, old) if turned else (path, old, new) for path, old, new in expected]
            # A boundary that moves takes its neighbours with it on every level: three nodes a side and level.
            assert sum(asked) <= 2 * 3 * levels * len(edits)
        few = drive(apply(nodes, root, dict.fromkeys(sorted(files)[7:]), nodes), nodes)
        assert nodes[few].level < nodes[root].level
        for left, right in ((few, root), (root, few)):
            got = drive(diff(nodes, left, right), nodes)
            assert [change.path for change in got] == sorted(files)[7:]


def test_a_directory_beside_a_huge_one_is_listed_without_reading_it() -> None:
    """120,000 files below `big/`: the root directory costs a few nodes, with the real splitter."""
    nodes: dict[bytes, Node] = {}
    names = [b"a", b"big.txt", *(b"big/%03d/%06d" % (n % 400, n) for n in range(120_000)), b"z/1", b"z/2"]
    root = build([file(name, 3) for name in sorted(names)], nodes)
    page, asked = drive_cold(list_directory({}, root), nodes)
    assert [(entry.path, entry.size) for entry in page] == [(b"a", 3), (b"big.txt", 3), (b"big", 360_000), (b"z", 6)]
    assert len(nodes) > 450
    assert sum(asked) <= 5
    page, asked = drive_cold(list_directory({}, root, b"big", limit=400), nodes)
    assert len(page) == 400
    assert sum(asked) <= 400 + 3
