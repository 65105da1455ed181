"""Nodes read in place: the same answers as from lists, and nothing accepted that a writer would not have written."""

from __future__ import annotations

import contextlib
from bisect import bisect_left

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.codec import varint
from mic.core.errors import Corrupt
from mic.core.tree import Child, Entry, Leaf, decode_node, inner, leaf
from mic.core.tree.node import MAX_TOTAL

SIZES = st.one_of(st.integers(0, 300), st.integers(0, 1 << 34), st.integers((1 << 63) - 9, (1 << 64) - 1))
MODES = st.sampled_from([0o100644, 0o100755, 0o120000, 0o160000, 0o100664, 0])
KEYS = st.binary(min_size=1, max_size=6)
HASHES = st.binary(min_size=32, max_size=32)
FILES = st.dictionaries(KEYS, st.tuples(MODES, st.integers(0, 255), SIZES, HASHES), max_size=60)
CHILDREN = st.dictionaries(KEYS, st.tuples(st.integers(0, 1 << 40), SIZES, HASHES), min_size=1, max_size=60)


@given(FILES, KEYS, st.data())
@settings(max_examples=300, deadline=None)
def test_a_leaf_answers_like_the_entries_it_was_made_of(files: dict, key: bytes, data: st.DataObject) -> None:
    """Search, single entries, stretches, sums and columns, of up to 60 entries of any size and mode."""
    entries = [Entry(path, *files[path]) for path in sorted(files)]
    node = decode_node(leaf(entries).raw, "node")
    assert isinstance(node, Leaf)
    names = [entry.path for entry in entries]
    low = data.draw(st.integers(0, len(names)))
    assert node.find(key, low) == bisect_left(names, key, low)
    assert [node.entry(at) for at in range(node.count)] == entries == node.entries()
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(names))] * 2)))
    assert node.entries(start, stop) == entries[start:stop]
    assert node.keys(start, stop) == names[start:stop]
    assert node.size_of(start, stop) == sum(entry.size for entry in entries[start:stop])
    assert node.total == min(sum(entry.size for entry in entries), MAX_TOTAL)
    assert node.last_key == (names[-1] if names else b"")
    sides = (node.columns(0, start), node.columns(start, stop), node.columns(stop, node.count))
    assert tuple(map(b"".join, zip(*sides, strict=True))) == node.columns(0, node.count)


@given(CHILDREN, KEYS, st.data())
@settings(max_examples=200, deadline=None)
def test_an_inner_node_answers_like_its_children(children: dict, key: bytes, data: st.DataObject) -> None:
    """Search, single children, stretches and sums; a sum stops at 64 bits."""
    below = [Child(name, *children[name]) for name in sorted(children)]
    node = decode_node(inner(3, below).raw, "node")
    assert not isinstance(node, Leaf)
    assert node.level == 3
    assert node.find(key) == bisect_left([child.key for child in below], key)
    assert node.entries() == below
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(below))] * 2)))
    assert node.children(start, stop) == [child.hash for child in below[start:stop]]
    assert node.files_of(start, stop) == sum(child.files for child in below[start:stop])
    assert node.size_of(start, stop) == sum(child.size for child in below[start:stop])
    assert node.total == min(sum(child.size for child in below), MAX_TOTAL)


@given(FILES, st.integers(0, 1 << 16), st.binary(max_size=12), st.integers(0, 12))
@settings(max_examples=500, deadline=None)
def test_whatever_is_accepted_is_what_a_writer_writes(files: dict, place: int, put: bytes, cut: int) -> None:
    """A leaf edited anywhere is refused, or it is to the byte the node of the entries that are read from it."""
    raw = leaf([Entry(path, *files[path]) for path in sorted(files)]).raw
    at = place % (len(raw) + 1)
    edited = raw[:at] + put + raw[at + cut :]
    with contextlib.suppress(Corrupt):
        node = decode_node(edited, "node")
        again = leaf(node.entries()) if isinstance(node, Leaf) else inner(node.level, node.entries())
        assert again.raw == edited


@given(st.lists(SIZES, min_size=1, max_size=40), st.integers(0, 400), st.binary(min_size=1, max_size=11))
@settings(max_examples=500, deadline=None)
def test_sizes_are_read_in_their_shortest_form_alone(sizes: list[int], place: int, put: bytes) -> None:
    """Bytes put into the column of sizes: refused, or the same column."""
    entries = [Entry(b"%03d" % at, 0o100644, 0, size, bytes(32)) for at, size in enumerate(sizes)]
    raw = leaf(entries).raw
    column = b"".join(map(varint, sizes))
    start = 12 + 2 * len(sizes) + 3 * len(sizes) + 2 * len(sizes)
    assert raw[start : start + len(column)] == column
    at = start + place % len(column)
    with contextlib.suppress(Corrupt):
        edited = raw[:at] + put + raw[at + len(put) :]
        node = decode_node(edited, "node")
        assert isinstance(node, Leaf)
        assert leaf(node.entries()).raw == edited
