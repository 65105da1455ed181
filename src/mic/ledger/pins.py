"""Trees that are stored nowhere: positions inside an epoch, kept in memory with the nodes that only they need."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from mic.core.tree import Node


class Pins:
    """Groups of roots with the nodes below them that are in no container; the oldest groups are forgotten.

    A group is complete: with what is stored, it has every node of its roots. Any number of threads may read while
    one adds.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._lock = threading.Lock()
        # Replaced as a whole, so that readers never see a change half done.
        self._groups: tuple[Mapping[bytes, Node], ...] = ()  # newest first
        self._roots: dict[bytes, Mapping[bytes, Node]] = {}

    def __contains__(self, root: bytes) -> bool:
        return root in self._roots

    def of(self, root: bytes) -> Mapping[bytes, Node]:
        """The group that a root belongs to; empty when it is not pinned."""
        return self._roots.get(root, {})

    def node(self, node_hash: bytes) -> Node | None:
        """A node of any pinned tree."""
        for nodes in self._groups:
            if (node := nodes.get(node_hash)) is not None:
                return node
        return None

    def pin(self, roots: Iterable[bytes], nodes: Mapping[bytes, Node]) -> None:
        """Keep trees that share a group of nodes."""
        with self._lock:
            kept = self._groups[: self._most - 1]
            known = {id(group) for group in kept}
            held = {root: group for root, group in self._roots.items() if id(group) in known}
            self._roots = held | dict.fromkeys(roots, nodes)
            self._groups = (nodes, *kept)
