"""Names made to do harm: the splitter's hash is known to everybody, so they are searched for here as well."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from mic.core.blob import MAX_NODE_BYTES
from mic.core.tree import MAX_KEY, Node, apply, build, decode_node, lookup
from mic.core.tree.split import MAX_ENTRIES, THRESHOLDS, mark, next_cut
from trees import drive, drive_cold, file


def _names(wanted: Callable[[bytes], bool], ending: bytes = b"") -> Iterator[bytes]:
    """Sorted names for which the attacker's wish holds."""
    return (name for number in itertools.count() if wanted(name := b"%08d" % number + ending))


def _is_never_a_cut(name: bytes) -> bool:
    """On the first three levels: below 700 entries, no threshold is above the mark."""
    return all(mark(name, level) >= THRESHOLDS[MAX_ENTRIES - 1] for level in range(3))


def test_names_that_are_never_a_boundary() -> None:
    """8,000 of them: every node ends at 700, and a look-up stays two reads."""
    names = list(itertools.islice(_names(_is_never_a_cut), 8000))
    nodes: dict[bytes, Node] = {}
    root = build([file(name, 1) for name in names], nodes)
    leaves = [node.count for node in nodes.values() if not node.level]
    assert leaves == [700] * 11 + [300]
    found, asked = drive_cold(lookup({}, root, names[4567:4568]), nodes)
    assert list(found) == names[4567:4568]
    assert asked == [1, 1]
    # An insert in front moves all boundaries: the price of the bound, paid by who crafted the names, once a node.
    fresh: dict[bytes, Node] = {}
    new = drive(apply(nodes, root, {b"0": file(b"0", 1)}, fresh), nodes)
    assert len(fresh) <= len(leaves) + 1
    assert new == build([file(name, 1) for name in [b"0", *names]], {})


def test_keys_that_are_never_a_boundary_above_the_leaves() -> None:
    """The same keys as last keys of nodes on the levels above: there, too, a node ends at 700."""
    names = list(itertools.islice(_names(_is_never_a_cut), 1500))
    for level in range(3):
        ahead = iter(names)
        assert [next_cut(ahead, level), next_cut(ahead, level), next_cut(ahead, level)] == [700, 700, None]


def test_names_that_are_a_boundary_early() -> None:
    """The shortest nodes that some 100,000 hashes can buy: 64 entries; the tree is as high as with honest names."""

    def boundaries() -> Iterator[bytes]:
        return _names(lambda name: mark(name, 0) < THRESHOLDS[64], b"!")

    crafted: list[bytes] = []
    for boundary in itertools.islice(boundaries(), 40):
        crafted += [boundary[:-1] + b" %02d" % number for number in range(63)] + [boundary]
    assert crafted == sorted(crafted)
    nodes: dict[bytes, Node] = {}
    root = build([file(name, 1) for name in crafted], nodes)
    leaves = [node.count for node in nodes.values() if not node.level]
    assert sum(leaves) == 2560
    assert sum(leaves) / len(leaves) < 66
    # The salt is the level: a key that is low at the leaves is as good as random above, so one node holds them all.
    assert nodes[root].level == 1
    assert nodes[root].count == len(leaves)
    _, asked = drive_cold(lookup({}, root, crafted[:1]), nodes)
    assert asked == [1, 1]


def test_no_names_make_nodes_of_one_entry() -> None:
    """The first threshold is 0: whatever it costs the attacker, a level has at most half the nodes of the one below."""
    assert THRESHOLDS[1] == 0
    assert THRESHOLDS[2] > 0
    assert THRESHOLDS[MAX_ENTRIES] == 1 << 32
    assert sorted(THRESHOLDS) == THRESHOLDS


def test_the_longest_names_stay_within_the_bound_of_a_node() -> None:
    """701 paths of 16,384 bytes that are never a boundary: 11 MB in one node, readable, and no byte beyond."""
    filler = b"/" + b"x" * 200
    long = (filler * (MAX_KEY // len(filler) + 1))[: MAX_KEY - 8]
    names = list(itertools.islice(_names(lambda name: mark(name, 0) >= THRESHOLDS[MAX_ENTRIES - 1], long), 701))
    assert {len(name) for name in names} == {MAX_KEY}
    nodes: dict[bytes, Node] = {}
    root = build([file(name, 1) for name in names], nodes)
    largest = max(nodes.values(), key=lambda node: len(node.raw))
    assert largest.count == 700
    assert 700 * MAX_KEY < len(largest.raw) <= MAX_NODE_BYTES
    decoded = decode_node(largest.raw, "node")
    assert decoded.key(699) == names[699]
    assert decoded.find(names[500]) == 500
    _, asked = drive_cold(lookup({}, root, names[700:]), nodes)
    assert asked == [1, 1]
