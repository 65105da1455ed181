"""Tree nodes: a cache of decoded ones within a byte budget, and fetching what a tree algorithm asks for.

Every node read is verified against the hash it was asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Sequence
from typing import TypeVar

from mic.core import epoch as stored
from mic.core.blob import MAX_NODE_BYTES, inflate_node
from mic.core.errors import Corrupt, NotFound
from mic.core.indexrun import Place
from mic.core.tree import Node, decode_node
from mic.core.tree.edit import Found, Need
from mic.ledger.contents import read_blob
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.objects import Objects, check_length, read_place

T = TypeVar("T")

# What one more key costs the ordered dictionary, measured with tracemalloc.
_SLOT_BYTES = 160


class NodeCache:
    """Decoded tree nodes, least recently used first out. Shared by all projects of a process."""

    def __init__(self, max_bytes: int = 128 << 20) -> None:
        self.max_bytes = max_bytes
        self._nodes: OrderedDict[bytes, Node] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: bytes, /) -> Node | None:
        node = self._nodes.get(key)
        if node is not None:
            with self._lock:
                if key in self._nodes:
                    self._nodes.move_to_end(key)
        return node

    def put(self, node: Node) -> None:
        """Keep a node, and let go of the oldest ones beyond the budget; the newest stays, however large."""
        with self._lock:
            if node.hash in self._nodes:
                return
            self._nodes[node.hash] = node
            self._bytes += node.weight + _SLOT_BYTES
            while self._bytes > self.max_bytes and len(self._nodes) > 1:
                _, old = self._nodes.popitem(last=False)
                self._bytes -= old.weight + _SLOT_BYTES


def fetch_nodes(objects: Objects, cache: NodeCache, hashes: Sequence[bytes]) -> Protocol[dict[bytes, Node]]:
    """Nodes by hash, from the cache, the pinned trees, or the store (all reads of one call at once)."""
    found: dict[bytes, Node] = {}
    wanted: list[tuple[bytes, Place]] = []
    files: list[bytes] = []  # nodes whose bytes are those of a file, and are stored as one
    for node_hash in hashes:
        node = cache.get(node_hash)
        if node is None and (node := objects.pins.node(node_hash)) is not None:
            cache.put(node)  # looking through the pins costs more than finding it there the next time
        if node is not None:
            found[node_hash] = node
        else:
            place = objects.require(node_hash, "tree node")
            if place.kind == stored.NODE:
                wanted.append((node_hash, place))
            else:
                files.append(node_hash)
    if len(wanted) == 1:
        raws = [(yield from read_place(objects, wanted[0][1], "a tree node"))]
    elif wanted:
        objects.reads += len(wanted)
        try:
            raws = yield tuple(GetRange(place.key, place.offset, place.length) for _, place in wanted)
        except NotFound as error:
            raise Corrupt(f"tree nodes of project {objects.name} are missing: {error.message}") from error
    for (node_hash, place), raw in zip(wanted, raws if wanted else [], strict=True):
        name = f"tree node {node_hash.hex()} in {place.key}"
        check_length(place, raw, name)
        node = decode_node(inflate_node(raw, node_hash, name), name, node_hash)
        cache.put(node)
        found[node_hash] = node
    for node_hash in files:
        plain = yield from read_blob(objects, node_hash, MAX_NODE_BYTES)
        found[node_hash] = node = decode_node(plain, f"tree node {node_hash.hex()} of {objects.name}", node_hash)
        cache.put(node)
    return found


def with_nodes(objects: Objects, cache: NodeCache, algorithm: Generator[Need, Found, T]) -> Protocol[T]:
    """Run a tree algorithm, fetching the nodes that it asks for."""
    try:
        need = next(algorithm)
        while True:
            need = algorithm.send((yield from fetch_nodes(objects, cache, need)))
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
