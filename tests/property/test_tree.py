"""The tree against a dictionary, under random edits."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.tree import EMPTY_TREE, Entry, Node, TreeChange, apply, build, diff, list_directory, lookup, scan, totals
from trees import drive, file

# Few distinct names, so that edits hit, and names around the slash, where directory order is easily got wrong.
PARTS = st.sampled_from([b"a", b"b", b"a.b", b"a-b", b"a0", b"ab", b"\xff", b"\xc3\xa9", b"Z"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(b"/".join)
EDITS = st.dictionaries(PATHS, st.one_of(st.none(), st.integers(0, 1 << 40)), max_size=40)


def _edits(edits: dict[bytes, int | None]) -> dict[bytes, Entry | None]:
    return {path: None if seed is None else file(path, seed) for path, seed in edits.items()}


@given(st.lists(EDITS, min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_order_and_grouping_of_edits_gives_one_root(batches: list[dict], shuffle: random.Random) -> None:
    """The root depends on the resulting set of files alone."""
    nodes: dict[bytes, Node] = {}
    root, model = EMPTY_TREE, {}
    for batch in batches:
        before, old = dict(model), root
        root = drive(apply(nodes, root, _edits(batch), nodes), nodes)
        for path, seed in batch.items():
            if seed is None:
                model.pop(path, None)
            else:
                model[path] = file(path, seed)
        expected = [
            TreeChange(path, before.get(path), model.get(path))
            for path in sorted(before | model)
            if before.get(path) != model.get(path)
        ]
        assert drive(diff(nodes, old, root), nodes) == expected
    assert build([model[path] for path in sorted(model)], {}) == root
    one_by_one = EMPTY_TREE
    paths = list(model)
    shuffle.shuffle(paths)
    for path in paths:
        one_by_one = drive(apply(nodes, one_by_one, {path: model[path]}, nodes), nodes)
    assert one_by_one == root
    assert drive(scan(nodes, root), nodes) == [model[path] for path in sorted(model)]
    assert drive(lookup(nodes, root, [*model, b"absent"]), nodes) == model


def test_large_trees_agree_with_a_bulk_build_and_a_dictionary() -> None:
    """Several levels: inserts, deletes and replacements of up to 3,000 paths at once."""
    rnd = random.Random(20261120)
    nodes: dict[bytes, Node] = {}
    root, model = EMPTY_TREE, {}
    for step in range(30):
        edits: dict[bytes, Entry | None] = {}
        for _ in range(rnd.choice([1, 5, 300, 3000])):
            path = b"d%02d/e%d/f%04d" % (rnd.randrange(40), rnd.randrange(5), rnd.randrange(400))
            edits[path] = None if rnd.random() < (0.6 if step % 7 == 6 else 0.2) else file(path, rnd.randrange(9999))
        root = drive(apply(nodes, root, edits, nodes), nodes)
        for path, entry in edits.items():
            if entry is None:
                model.pop(path, None)
            else:
                model[path] = entry
        assert build([model[path] for path in sorted(model)], {}) == root
    assert drive(totals(nodes, root), nodes) == (len(model), sum(entry.size for entry in model.values()))
    under = [entry for path, entry in model.items() if path.startswith(b"d07/")]
    assert drive(totals(nodes, root, b"d07"), nodes) == (len(under), sum(entry.size for entry in under))


@given(st.dictionaries(PATHS, st.integers(0, 1000), max_size=40), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_listing_a_directory_page_by_page(files: dict[bytes, int], page: int) -> None:
    """Every child once, in order, directories with the bytes below them, whatever the page size."""
    # A path cannot be file and directory at once.
    model = {p: s for p, s in files.items() if not any(q.startswith(p + b"/") for q in files)}
    nodes: dict[bytes, Node] = {}
    root = build([file(path, model[path]) for path in sorted(model)], nodes)
    for directory in {b""} | {p.rsplit(b"/", 1)[0] for p in model if b"/" in p}:
        prefix = directory + b"/" if directory else b""
        sizes: dict[bytes, int] = {}
        for path, size in model.items():
            if path.startswith(prefix):
                child = path[len(prefix) :].split(b"/")[0]
                sizes[child] = sizes.get(child, 0) + size
        seen, after = [], b""
        while found := drive(list_directory(nodes, root, directory, after, page), nodes):
            seen += found
            after = found[-1].path
        assert {entry.path[len(prefix) :]: entry.size for entry in seen} == sizes
        assert len(seen) == len(sizes)
