"""Changing a tree: one sorted multi-insert and multi-delete, level by level.

The result depends on the resulting set of files alone, never on the order or grouping of edits: each
level is the sorted sequence of its keys, cut by the splitter from left to right, and an edit re-cuts
from the boundary before it until a new boundary falls on an old one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterable, Mapping
from typing import Protocol

from mic.core.tree.node import EMPTY_LEAF, EMPTY_TREE, Entry, Inner, Node
from mic.core.tree.runs import Child, Edit, InnerRun, LeafRun, absorb, replace_in_place
from mic.core.tree.split import cuts

# A tree algorithm yields the hashes of nodes that it needs and is sent a mapping with all of them.
Need = tuple[bytes, ...]
Found = Mapping[bytes, Node]


class NodeSource(Protocol):
    """Nodes at hand without waiting: a cache. `get` returns None for what must be asked for."""

    def get(self, key: bytes, /) -> Node | None: ...


def load(nodes: NodeSource, node_hash: bytes) -> Generator[Need, Found, Node]:
    """One node, from the cache or by asking for it."""
    if node_hash == EMPTY_TREE:
        return EMPTY_LEAF
    node = nodes.get(node_hash)
    if node is None:
        node = (yield (node_hash,))[node_hash]
    return node


class _Cursor:
    """A position at one level of a tree, found by key, that can step to the right."""

    def __init__(self, nodes: NodeSource, root: Node, level: int) -> None:
        self.nodes, self.root, self.level = nodes, root, level
        self.path: list[tuple[Inner, int]] = []

    def seek(self, key: bytes) -> Generator[Need, Found, Node]:
        """The node that holds `key` or would; the last one for a key beyond the end."""
        self.path = []
        node = self.root
        while node.level > self.level:
            assert isinstance(node, Inner)
            at = min(bisect_left(node.keys, key), len(node.keys) - 1)
            self.path.append((node, at))
            node = yield from load(self.nodes, node.children[at])
        return node

    def is_last(self) -> bool:
        return all(at == len(inner.keys) - 1 for inner, at in self.path)

    def step(self) -> Generator[Need, Found, Node]:
        """The right sibling; only when not `is_last`."""
        while self.path[-1][1] == len(self.path[-1][0].keys) - 1:
            self.path.pop()
        inner, at = self.path.pop()
        self.path.append((inner, at + 1))
        node = yield from load(self.nodes, inner.children[at + 1])
        while node.level > self.level:
            assert isinstance(node, Inner)
            self.path.append((node, 0))
            node = yield from load(self.nodes, node.children[0])
        return node


def _summary(node: Node) -> Child:
    return Child(node.files, node.bytes, node.hash)


def _edit_level(
    nodes: NodeSource, root: Node, level: int, edits: list[Edit], fresh: dict[bytes, Node]
) -> Generator[Need, Found, list[Edit]]:
    """Apply sorted edits to one level; the edits that follow from it for the level above."""
    above: dict[bytes, Child | None] = {}
    cursor = _Cursor(nodes, root, level)
    at = 0
    while at < len(edits):
        node = yield from cursor.seek(edits[at][0])
        run: LeafRun | InnerRun = InnerRun(level) if level else LeafRun()
        old: dict[bytes, bytes] = {}
        first = True
        while True:
            end = at
            if cursor.is_last():
                end = len(edits)
            else:
                while end < len(edits) and edits[end][0] <= node.keys[-1]:
                    end += 1
            mine, at = edits[at:end], end
            if node.keys:
                old[node.keys[-1]] = node.hash
            if first and (changed := replace_in_place(node, mine)) is not None:
                fresh[changed.hash] = changed
                above[node.keys[-1]] = _summary(changed)
                break
            first = False
            absorb(run, node, mine)
            ends = cuts(run.marks)
            if cursor.is_last() or (ends and ends[-1] == len(run.keys)) or not run.keys:
                if run.keys and (not ends or ends[-1] != len(run.keys)):
                    ends.append(len(run.keys))
                for key in old:
                    above[key] = None
                for start, stop in zip([0, *ends], ends, strict=False):
                    made = run.node(start, stop)
                    fresh[made.hash] = made
                    above[made.keys[-1]] = _summary(made)
                break
            node = yield from cursor.step()
        for key, node_hash in old.items():
            value = above.get(key)
            if value is not None and value.hash == node_hash:
                del above[key]
    return sorted(above.items())


def _stack(tops: list[tuple[bytes, Child]], level: int, fresh: dict[bytes, Node]) -> bytes:
    """Put levels on top of the nodes of one level until a single root is left."""
    while len(tops) > 1:
        level += 1
        run = InnerRun(level)
        for key, child in tops:
            run.append(key, child)
        ends = cuts(run.marks)
        if not ends or ends[-1] != len(run.keys):
            ends.append(len(run.keys))
        tops = []
        for start, stop in zip([0, *ends], ends, strict=False):
            made = run.node(start, stop)
            fresh[made.hash] = made
            tops.append((made.keys[-1], _summary(made)))
    return tops[0][1].hash if tops else EMPTY_TREE


def apply(
    nodes: NodeSource, root: bytes, edits: Mapping[bytes, Entry | None], fresh: dict[bytes, Node]
) -> Generator[Need, Found, bytes]:
    """Set (an entry) or remove (None) paths; the new root. Every node made is added to `fresh`.

    Removing a path that is not there changes nothing.
    """
    top = yield from load(nodes, root)
    todo: list[Edit] = sorted(edits.items())
    if not todo:
        return root
    for level in range(top.level + 1):
        todo = yield from _edit_level(nodes, top, level, todo, fresh)
        if not todo:
            return root
    new = _stack([(key, value) for key, value in todo if isinstance(value, Child)], top.level, fresh)
    while new != EMPTY_TREE:
        node = fresh.get(new) or (yield from load(nodes, new))
        if not isinstance(node, Inner) or len(node.keys) > 1:
            break
        new = node.children[0]
    return new


def build(entries: Iterable[Entry], fresh: dict[bytes, Node]) -> bytes:
    """The root of exactly these files, which must be sorted by path. Every node is added to `fresh`."""
    run = LeafRun()
    tops: list[tuple[bytes, Child]] = []

    def flush(final: bool) -> None:
        nonlocal run
        ends = cuts(run.marks)
        if final and run.keys and (not ends or ends[-1] != len(run.keys)):
            ends.append(len(run.keys))
        for start, stop in zip([0, *ends], ends, strict=False):
            made = run.node(start, stop)
            fresh[made.hash] = made
            tops.append((made.keys[-1], _summary(made)))
        rest, kept = LeafRun(), ends[-1] if ends else 0
        if kept < len(run.keys):
            rest.slice(run.node(kept, len(run.keys)), 0, len(run.keys) - kept)
        run = rest

    for entry in entries:
        run.append(entry.path, entry)
        if len(run.keys) >= 8192:
            flush(False)
    flush(True)
    return _stack(tops, 0, fresh)


def reachable(root: bytes, fresh: Mapping[bytes, Node]) -> list[Node]:
    """The nodes of `fresh` that the root needs: what must be stored when only this root is kept."""
    out: list[Node] = []
    seen = set()
    todo = [root]
    while todo:
        node = fresh.get(todo.pop())
        if node is None or node.hash in seen:
            continue
        seen.add(node.hash)
        out.append(node)
        if isinstance(node, Inner):
            todo += node.children
    return out
