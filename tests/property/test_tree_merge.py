"""Three-way merge of trees against a merge of dictionaries."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.tree import DIRECTORY, Entry, Node, TreeClash, apply, build, merge
from trees import drive, drive_cold, file, small_nodes

Files = dict[bytes, Entry]

# Few names, so that both sides meet, and files where the other side has directories.
PARTS = st.sampled_from([b"a", b"b", b"a-", b"a0", b"c"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(b"/".join)
EDITS = st.dictionaries(PATHS, st.one_of(st.none(), st.integers(0, 3)), max_size=25)


def _edited(files: Files, edits: dict[bytes, int | None]) -> Files:
    """Files with edits on top; what stands in the way of a new file goes."""
    out = dict(files)
    for path, seed in edits.items():
        out.pop(path, None)
        if seed is not None:
            out = {p: e for p, e in out.items() if not (p.startswith(path + b"/") or path.startswith(p + b"/"))}
            out[path] = file(path, seed)
    return out


def _at(files: Files, path: bytes) -> Entry | None:
    """The file of this name, or the directory, or None."""
    below = [entry.size for name, entry in files.items() if name.startswith(path + b"/")]
    return files.get(path) or (Entry(path, 0o040000, DIRECTORY, sum(below), b"") if below else None)


def _naive(base: Files, ours: Files, theirs: Files) -> tuple[Files, list[TreeClash]]:
    merged, clashes = dict(ours), set()
    for path in base | ours | theirs:
        old, mine, yours = base.get(path), ours.get(path), theirs.get(path)
        if old not in (mine, yours) and mine != yours:
            clashes.add(path)
        elif mine == old:
            merged.pop(path, None)
            if yours is not None:
                merged[path] = yours
    present = set(merged) | {path for path in clashes if path in ours or path in theirs}
    for above in present:
        for below in present:
            if below.startswith(above + b"/"):
                clashes.add(above)
                for path in (above, below):  # ours stays, theirs waits
                    merged.pop(path, None)
                    if path in ours:
                        merged[path] = ours[path]
    return merged, [TreeClash(p, _at(base, p), _at(ours, p), _at(theirs, p)) for p in sorted(clashes)]


def _tree(files: Files, nodes: dict[bytes, Node]) -> bytes:
    return build([files[path] for path in sorted(files)], nodes)


@given(EDITS, EDITS, EDITS)
@settings(max_examples=500, deadline=None)
def test_merge_is_that_of_dictionaries(first: dict, second: dict, third: dict) -> None:
    """The edits make the merged tree, every clash is named once with all three sides, and sides may be swapped."""
    base = _edited({}, first)
    ours, theirs = _edited(base, second), _edited(base, third)
    nodes: dict[bytes, Node] = {}
    with small_nodes():
        roots = [_tree(files, nodes) for files in (base, ours, theirs)]
        got = drive(merge(nodes, *roots), nodes)
        merged, clashes = _naive(base, ours, theirs)
        assert got.clashes == clashes
        assert drive(apply(nodes, roots[1], got.edits, nodes), nodes) == _tree(merged, {})
        swapped = drive(merge(nodes, roots[0], roots[2], roots[1]), nodes)
        assert swapped.clashes == [TreeClash(c.path, c.base, c.theirs, c.ours) for c in clashes]
        if not clashes:
            assert drive(apply(nodes, roots[2], swapped.edits, nodes), nodes) == _tree(merged, {})


def test_a_file_of_one_side_over_a_directory_of_the_other() -> None:
    """One clash at the file's name; nothing of theirs that is in its way is in the edits, the rest is."""
    nodes: dict[bytes, Node] = {}
    one, two = file(b"lib/one", 1), file(b"lib/two", 2)
    base = _tree({b"x": file(b"x", 9)}, nodes)
    ours = _tree({b"lib": file(b"lib", 5), b"x": file(b"x", 9)}, nodes)
    theirs = _tree({b"lib/one": one, b"lib/two": two, b"x": file(b"x", 8)}, nodes)
    folder = Entry(b"lib", 0o040000, DIRECTORY, 3, b"")
    assert drive(merge(nodes, base, ours, theirs), nodes) == (
        {b"x": file(b"x", 8)},
        [TreeClash(b"lib", None, file(b"lib", 5), folder)],
    )
    assert drive(merge(nodes, base, theirs, ours), nodes) == ({}, [TreeClash(b"lib", None, folder, file(b"lib", 5))])


def test_merging_reads_what_differs_alone() -> None:
    """50,000 files, three changes on each side and one clash: at most two nodes a level for each changed path."""
    nodes: dict[bytes, Node] = {}
    base = {b"d%02d/f%05d" % (n % 50, n): file(b"d%02d/f%05d" % (n % 50, n), n) for n in range(50_000)}
    picks = sorted(base)[::9999]
    ours = base | {path: file(path, 1) for path in picks[:3]} | {b"d07/new": file(b"d07/new", 1)}
    theirs = base | {path: file(path, 2) for path in picks[2:]}
    roots = [_tree(files, nodes) for files in (base, ours, theirs)]
    got, asked = drive_cold(merge({}, *roots), nodes)
    assert set(got.edits) == set(picks[3:])
    assert [clash.path for clash in got.clashes] == [picks[2]]
    assert len(nodes) > 195
    assert sum(asked) <= 2 * 3 * 4 + 2 * 3 * 4
