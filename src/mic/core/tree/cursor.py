"""A position among the files of a tree that moves to the right and knows what it passes."""

from __future__ import annotations

from collections.abc import Generator

from mic.core.tree.edit import Found, Need, NodeSource, load
from mic.core.tree.node import Inner, Leaf, Node


class Cursor:
    """Stands at entry `at` of `leaf`; `leaf` is None beyond the last file."""

    def __init__(self, nodes: NodeSource) -> None:
        self.nodes = nodes
        self.leaf: Leaf | None = None
        self.at = 0
        self._path: list[tuple[Inner, int]] = []  # from the root down: each inner node and the child taken

    def seek(self, root: bytes, key: bytes) -> Generator[Need, Found, None]:
        """To the first entry >= `key`."""
        self._path = []
        yield from self._down(root, key)

    def skip_to(self, key: bytes) -> Generator[Need, Found, int]:
        """To the first entry >= `key` from here on; the bytes of the files in between.

        Reads one node a level below the first common ancestor at most, whatever lies in between.
        """
        leaf = self.leaf
        assert leaf is not None
        start, self.at = self.at, leaf.find(key, self.at)
        passed = leaf.size_of(start, self.at)
        if self.at < leaf.count:
            return passed
        while self._path:
            inner, at = self._path.pop()
            found = inner.find(key, at + 1)
            if found > at + 1:
                passed += inner.size_of(at + 1, found)
            if found < inner.count:
                self._path.append((inner, found))
                passed += yield from self._down(inner.child(found), key)
                return passed
        self.leaf = None
        return passed

    def step(self) -> Generator[Need, Found, None]:
        """To the next entry."""
        assert self.leaf is not None
        if self.at + 1 < self.leaf.count:
            self.at += 1
        else:
            yield from self.skip_to(self.leaf.last_key + b"\x00")

    def _down(self, node_hash: bytes, key: bytes) -> Generator[Need, Found, int]:
        """To the first entry >= `key` below a node; the bytes of the files before it there."""
        passed = 0
        node: Node = yield from load(self.nodes, node_hash)
        while isinstance(node, Inner):
            at = node.find(key)
            if at == node.count:
                self.leaf = None
                return passed
            if at:
                passed += node.size_of(0, at)
            self._path.append((node, at))
            node = yield from load(self.nodes, node.child(at))
        self.at = node.find(key)
        self.leaf = node if self.at < node.count else None
        return passed + node.size_of(0, self.at)
