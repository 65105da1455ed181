"""Node bytes and the splitter: golden values, bounds, damage."""

from __future__ import annotations

import hashlib
import struct

import pytest

from mic.core.errors import Corrupt
from mic.core.tree import EMPTY_TREE, Entry, Leaf, Node, apply, build, decode_node, has_under, lookup, scan
from mic.core.tree.split import MAX_ENTRIES, THRESHOLDS, mark
from trees import drive, file


def test_threshold_table_is_pinned() -> None:
    """The table is part of the format: another one would cut every existing tree differently."""
    packed = struct.pack(f">{len(THRESHOLDS)}Q", *THRESHOLDS)
    assert hashlib.sha256(packed).hexdigest() == "a3ed50676d2d5e604ff0d12870dc676a62dcd79cb42b17ce846019e6b62cf4c9"


def test_marks_are_xxh3() -> None:
    """Independent values of XXH3-64 (seed = level), upper 32 bits."""
    assert mark(b"", 0) == 0x2D06800538D394C2 >> 32  # the XXH3-64 of no input with seed 0, from its specification
    assert mark(b"README.md", 0) != mark(b"README.md", 1)


def test_empty_tree_is_pinned() -> None:
    """The root of no files: SHA-256 of an empty leaf."""
    assert EMPTY_TREE.hex() == "90969de4f645cd55fcbb8f1559c35f6b458ce7baf5754364064df1da68deec1f"
    assert hashlib.sha256(b"MICT" + bytes([1, 0]) + bytes(2) + bytes(4)).digest() == EMPTY_TREE


def test_leaf_bytes_are_pinned() -> None:
    """One leaf with an ordinary, an executable, a symlink and an odd mode, byte for byte."""
    entries = [
        Entry(b"a", 0o100644, 0, 1, bytes([1]) * 32),
        Entry(b"b/c", 0o100755, 1, 300, bytes([2]) * 32),
        Entry(b"d", 0o120000, 0, 0, bytes([3]) * 32),
        Entry(b"e", 0o100664, 0, 5, bytes([4]) * 32),
    ]
    nodes: dict[bytes, Node] = {}
    root = build(entries, nodes)
    expected = (
        b"MICT\x01\x00\x00\x04" + (6).to_bytes(4, "big") + bytes([0, 1, 0, 3, 0, 1, 0, 1]) + b"ab/cde"
        + bytes([0, 1, 2, 4]) + bytes([0, 1, 0, 0]) + b"\x01\xac\x02\x00\x05"
        + bytes([1]) * 32 + bytes([2]) * 32 + bytes([3]) * 32 + bytes([4]) * 32 + (0o100664).to_bytes(2, "big")
    )  # fmt: skip
    assert nodes[root].raw == expected
    decoded = decode_node(expected, "leaf")
    assert isinstance(decoded, Leaf)
    assert [decoded.entry(at) for at in range(4)] == entries


def test_odd_mode_survives_edits_around_it() -> None:
    """The side column of raw modes follows its entries through splices and replacements."""
    nodes: dict[bytes, Node] = {}
    root = build([file(b"a", 1), file(b"m", 2, 0o100664), file(b"z", 3)], nodes)
    root = drive(apply(nodes, root, {b"b": file(b"b", 4), b"z": None}, nodes), nodes)
    root = drive(apply(nodes, root, {b"a": file(b"a", 9)}, nodes), nodes)
    assert [e.mode for e in drive(scan(nodes, root), nodes)] == [0o100644, 0o100644, 0o100664]
    root = drive(apply(nodes, root, {b"m": file(b"m", 2)}, nodes), nodes)
    assert root == build([file(b"a", 9), file(b"b", 4), file(b"m", 2)], {})


def test_node_sizes_cluster_and_never_pass_the_bound() -> None:
    """Mean about 256, 99th percentile within 1.7 times the mean, no node beyond 700 entries."""
    nodes: dict[bytes, Node] = {}
    build([file(b"src/module%03d/file%05d.py" % (n // 97, n), n) for n in range(100_000)], nodes)
    sizes = sorted(node.count for node in nodes.values() if node.level == 0)
    mean = sum(sizes) / len(sizes)
    assert 240 < mean < 272
    assert sizes[int(len(sizes) * 0.99)] <= 1.7 * mean
    assert sizes[-1] <= MAX_ENTRIES


def test_a_file_behind_a_root_that_ends_in_a_natural_boundary() -> None:
    """The old root is one leaf whose last key is a cut; it must become the left of two, not vanish."""
    names = [b"g%05d" % number for number in range(405)]
    assert [at for at in range(1, 406) if mark(names[at - 1], 0) < THRESHOLDS[at]] == [405]
    nodes: dict[bytes, Node] = {}
    files = [file(name, 1) for name in names]
    root = build(files, nodes)
    root = drive(apply(nodes, root, {b"z": file(b"z", 2)}, nodes), nodes)
    assert drive(scan(nodes, root), nodes) == [*files, file(b"z", 2)]
    assert root == build([*files, file(b"z", 2)], {})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda raw: raw[:-1], "63 are left"),
        (lambda raw: raw + b"x", "too many"),
        (lambda raw: b"MICX" + raw[4:], "begin with"),
        (lambda raw: raw[:4] + b"\x09" + raw[5:], "version 9"),
        (lambda raw: raw[:6] + b"\xff\xff" + raw[8:], "65535 entries"),
        (lambda raw: raw[:8] + b"\x00\x00\x00\x09" + raw[12:], "add up"),
        (lambda raw: raw.replace(b"ab", b"ba"), "sorted"),
    ],
)
def test_damage_is_named(change, why: str) -> None:
    """A damaged node is an error that names the object, never a wrong tree."""
    nodes: dict[bytes, Node] = {}
    raw = nodes[build([file(b"a", 1), file(b"b", 2)], nodes)].raw
    with pytest.raises(Corrupt, match=why) as caught:
        decode_node(change(raw), "tree node 1234")
    assert "tree node 1234" in caught.value.message


def test_lookup_reads_one_node_a_level() -> None:
    """100,000 files: a look-up of twenty paths asks level by level, never for the whole tree."""
    nodes: dict[bytes, Node] = {}
    root = build([file(b"f%06d" % n, n) for n in range(100_000)], nodes)
    rounds = []
    algorithm = lookup({}, root, [b"f%06d" % (n * 4999) for n in range(20)])
    try:
        need = next(algorithm)
        while True:
            rounds.append(len(need))
            need = algorithm.send({h: nodes[h] for h in need})
    except StopIteration as stop:
        found = stop.value
    assert len(found) == 20
    assert len(rounds) == 3
    assert sum(rounds) <= 1 + 2 + 20


def test_has_under_sees_only_real_children() -> None:
    """`a.b` and `a0` sort around `a/` and are not below it."""
    nodes: dict[bytes, Node] = {}
    root = build([file(b"a.b", 1), file(b"a/x", 2), file(b"a0", 3)], nodes)
    assert drive(has_under(nodes, root, b"a"), nodes) == [b"a/x"]
    assert drive(has_under(nodes, root, b"a.b"), nodes) == []
