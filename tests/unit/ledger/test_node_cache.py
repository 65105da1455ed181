"""The cache of decoded nodes: what it counts is what it takes, and it stays within its budget."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from mic.core.tree import Entry, Leaf, Node, build, decode_node
from mic.ledger.nodes import NodeCache
from trees import file


def _stored(names: str, count: int) -> list[tuple[bytes, bytes]]:
    """Bytes and name of every node of a tree of `count` files."""
    nodes: dict[bytes, Node] = {}
    build([file((names % number).encode(), number * 7919 % 3_000_000) for number in range(count)], nodes)
    return [(node.raw, node.hash) for node in nodes.values()]


@pytest.mark.parametrize(
    ("names", "count"),
    [("%06d", 30_000), ("src/module/file-%06d.py", 30_000), ("a/directory/of/some/depth/" * 12 + "%06d", 10_000)],
)
def test_a_cached_node_weighs_what_it_takes(names: str, count: int) -> None:
    """The sum of the weights is within 5 % of what Python allocated, whatever the length of the paths."""
    stored = _stored(names, count)
    cache = NodeCache(1 << 40)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for raw, name in stored:
            node = decode_node(bytes(bytearray(raw)), "node", bytes(bytearray(name)))
            cache.put(node)
            node.find(b"m")
            if isinstance(node, Leaf):
                assert node.entry(0).size >= 0
                assert node.total > 0
        del node
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.95 * taken < cache._bytes < 1.05 * taken


def test_the_oldest_nodes_go_when_the_budget_is_spent() -> None:
    """A cache of a tenth of a tree holds a tenth of it, the newest; what was asked for lately stays."""
    nodes = [decode_node(raw, "node", name) for raw, name in _stored("%06d", 60_000)]
    all_of_them = sum(node.weight for node in nodes)
    cache = NodeCache(all_of_them // 10)
    for node in nodes:
        cache.put(node)
        assert cache.get(nodes[0].hash) is nodes[0]
    held = [node for node in nodes if cache.get(node.hash) is not None]
    assert held[0] is nodes[0]
    assert held[1:] == nodes[-len(held) + 1 :]
    assert 0.8 * all_of_them / 10 < sum(node.weight for node in held) <= all_of_them / 10


def test_one_node_beyond_the_budget_is_still_kept() -> None:
    """A node larger than the whole cache is held until the next one comes, or nothing could be read."""
    cache = NodeCache(10)
    nodes: dict[bytes, Node] = {}
    root = build([Entry(b"a", 0o100644, 0, 1, bytes(32))], nodes)
    cache.put(nodes[root])
    assert cache.get(root) is nodes[root]
