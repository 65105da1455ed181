"""Changing a tree: one sorted multi-insert and multi-delete, level by level.

The result depends on the resulting set of files alone, never on the order or grouping of edits: each
level is the sorted sequence of its keys, cut by the splitter from left to right, and an edit re-cuts
from the boundary before it until a new boundary falls on an old one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from mic.core.tree.node import EMPTY_LEAF, EMPTY_TREE, Child, Entry, Inner, Node
from mic.core.tree.runs import Edit, Fresh, Run, absorb, replace_in_place

# A tree algorithm yields the hashes of nodes that it needs and is sent a mapping with all of them.
Need = tuple[bytes, ...]
Found = Mapping[bytes, Node]

# Entries that `build` takes at a time: enough for 32 nodes, little enough to stay in the processor's cache.
_STRIDE = 8192


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
            at = min(node.find(key), node.count - 1)
            self.path.append((node, at))
            node = yield from load(self.nodes, node.child(at))
        return node

    def is_last(self) -> bool:
        return all(at == inner.count - 1 for inner, at in self.path)

    def step(self) -> Generator[Need, Found, Node]:
        """The right sibling; only when not `is_last`."""
        while self.path[-1][1] == self.path[-1][0].count - 1:
            self.path.pop()
        inner, at = self.path.pop()
        self.path.append((inner, at + 1))
        node = yield from load(self.nodes, inner.child(at + 1))
        while node.level > self.level:
            assert isinstance(node, Inner)
            self.path.append((node, 0))
            node = yield from load(self.nodes, node.child(0))
        return node


def _summary(node: Node) -> Child:
    return Child(node.last_key, node.files, node.total, node.hash)


def _edit_level(
    nodes: NodeSource, root: Node, level: int, edits: list[Edit], fresh: dict[bytes, Node]
) -> Generator[Need, Found, list[Edit]]:
    """Apply sorted edits to one level; the edits that follow from it for the level above.

    For the level of the root these are all nodes of that level, for the others those that are not the same as before.
    """
    above: dict[bytes, Child | None] = {}
    cursor = _Cursor(nodes, root, level)
    at = 0
    while at < len(edits):
        node = yield from cursor.seek(edits[at][0])
        run = Run(level)
        old: dict[bytes, bytes] = {}
        first = True
        while True:
            last, last_key, end = cursor.is_last(), node.last_key, at
            if last:
                end = len(edits)
            else:
                while end < len(edits) and edits[end][0] <= last_key:
                    end += 1
            mine, at = edits[at:end], end
            if node.count:
                old[last_key] = node.hash
            if first and (changed := replace_in_place(node, mine)) is not None:
                fresh[changed.hash] = changed
                above[last_key] = _summary(changed)
                break
            absorb(run, node, mine, first)
            first = False
            if last or not run.open:
                run.close()
                above.update(dict.fromkeys(old))
                for made in run.made:
                    fresh[made.hash] = made
                    above[made.last_key] = _summary(made)
                break
            node = yield from cursor.step()
        if level == root.level:
            continue  # nothing above holds them: even a root that stays as it is becomes a child beside a new node
        for key, node_hash in old.items():
            value = above.get(key)
            if value is not None and value.hash == node_hash:
                del above[key]
    return sorted(above.items())


def _stack(tops: Sequence[Child], level: int, fresh: dict[bytes, Node]) -> bytes:
    """Put levels on top of the nodes of one level until a single root is left."""
    while len(tops) > 1:
        level += 1
        run = Run(level)
        run.take(Fresh(level, tops))
        run.close()
        fresh.update((made.hash, made) for made in run.made)
        tops = [_summary(made) for made in run.made]
    return tops[0].hash if tops else EMPTY_TREE


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
    new = _stack([value for _, value in todo if isinstance(value, Child)], top.level, fresh)
    while new != EMPTY_TREE:
        node = fresh.get(new) or (yield from load(nodes, new))
        if not isinstance(node, Inner) or node.count > 1:
            break
        new = node.child(0)
    return new


def build(entries: Iterable[Entry], fresh: dict[bytes, Node]) -> bytes:
    """The root of exactly these files, which must be sorted by path. Every node is added to `fresh`."""
    run = Run(0)
    tops: list[Child] = []
    ahead = iter(entries)
    while True:
        part = list(islice(ahead, _STRIDE))
        if part:
            run.take(Fresh(0, part))
        else:
            run.close()
        fresh.update((made.hash, made) for made in run.made)
        tops += map(_summary, run.made)
        run.made.clear()
        if not part:
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
            todo += node.children()
    return out
