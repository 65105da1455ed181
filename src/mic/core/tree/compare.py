"""Paths looked for in two trees in one walk: what both share below a node is looked for once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Sequence

from mic.core.tree.edit import Found, Need, NodeSource
from mic.core.tree.node import EMPTY_LEAF, EMPTY_TREE, Entry, Inner, Leaf, Node

# From one path for every so many keys of a node on, and from so many on, making objects of all keys is faster than
# halving.
_DENSE = 8

# Where an entry stands: a leaf and a number in it. `leaf.entry(at)` makes an object of it.
Place = tuple[Leaf, int]
_Stretch = tuple[bytes, bytes, list[bytes]]


def compare(
    nodes: NodeSource, old: bytes, new: bytes, paths: Sequence[bytes]
) -> Generator[Need, Found, tuple[dict[bytes, Place], dict[bytes, Entry | None]]]:
    """Where those of the paths that are files stand in the old tree, and what has become of those that the new changes.

    The second have another mode or content there, or are no files any more: None. Where a node is the same in both
    trees nothing below it can differ, and it is looked at once. All nodes of a step are asked for at once.
    """
    before: dict[bytes, Place] = {}
    moved: dict[bytes, Entry | None] = {}
    todo: list[_Stretch] = [(old, new, sorted(set(paths)))]
    while todo:
        at_hand: dict[bytes, Node | None] = {EMPTY_TREE: EMPTY_LEAF}
        for left_hash, right_hash, _ in todo:
            if left_hash not in at_hand:
                at_hand[left_hash] = nodes.get(left_hash)
            if right_hash not in at_hand:
                at_hand[right_hash] = nodes.get(right_hash)
        missing = tuple(node_hash for node_hash, node in at_hand.items() if node is None)
        if missing:
            at_hand.update((yield missing))
        below: list[_Stretch] = []
        for left_hash, right_hash, wanted in todo:
            left, right = at_hand[left_hash], at_hand[right_hash]
            assert left is not None
            assert right is not None
            if isinstance(left, Leaf) and isinstance(right, Leaf):
                _compare_leaves(left, right, wanted, before, moved)
            else:
                _descend(left, right, wanted, below)
        todo = below
    return before, moved


def _descend(left: Node, right: Node, wanted: list[bytes], below: list[_Stretch]) -> None:
    """Cut the paths into stretches that lie below one child of each; a lower node waits for the higher one."""
    level = max(left.level, right.level)
    stretches = _stretches(left, level, wanted)
    if left.same_keys(right):
        below += [(_child(left, at), _child(right, at), part) for at, part in stretches]
        return
    for at, part in stretches:
        child = _child(left, at)
        below += [(child, _child(right, other), piece) for other, piece in _stretches(right, level, part)]


def _stretches(node: Node, level: int, wanted: list[bytes]) -> list[tuple[int, list[bytes]]]:
    """Sorted paths by the number of the child below which they would lie; -1 where the node lies below `level`."""
    if node.level < level:
        return [(-1, wanted)]
    assert isinstance(node, Inner)
    keys, end = node.all_keys if _is_dense(node, wanted) else None, len(wanted)
    out = []
    at = start = 0
    while start < end:
        at = bisect_left(keys, wanted[start], at) if keys is not None else node.find(wanted[start], at)
        stop = start + 1
        if at == node.count:
            stop = end
        elif stop < end:
            last = keys[at] if keys is not None else node.key(at)
            if wanted[stop] <= last:
                stop = bisect_right(wanted, last, stop)
        out.append((at, wanted[start:stop]))
        start = stop
    return out


def _is_dense(node: Node, wanted: list[bytes]) -> bool:
    return len(wanted) > _DENSE and len(wanted) * _DENSE > node.count


def _child(node: Node, at: int) -> bytes:
    """The name of a child, of the node itself for -1, of nothing behind the last."""
    if at < 0 or isinstance(node, Leaf):
        return node.hash
    return node.child(at) if at < node.count else EMPTY_TREE


def _compare_leaves(
    left: Leaf, right: Leaf, wanted: list[bytes], before: dict[bytes, Place], moved: dict[bytes, Entry | None]
) -> None:
    same, raw, keys, count = left is right, left.raw, left.offsets, left.count
    all_keys = left.keys() if _is_dense(left, wanted) else None
    at = shift = 0
    for path in wanted:
        at = left.find(path, at) if all_keys is None else bisect_left(all_keys, path, at)
        there = at < count and raw[keys[at] : keys[at + 1]] == path
        if there:
            before[path] = left, at
        if same:
            continue
        # Most often as many were added in front of it as removed: none. It stands as far on as the one before.
        other = at + shift
        beside = 0 <= other < right.count and right.key(other) == path
        if not beside:
            other = right.find(path)
            shift = other - at
            beside = other < right.count and right.key(other) == path
        if beside and not (there and left.alike(at, right, other)):
            moved[path] = right.entry(other)
        elif there and not beside:
            moved[path] = None


def occupied(nodes: NodeSource, root: bytes, directories: Sequence[bytes]) -> Generator[Need, Found, set[bytes]]:
    """Those of the directories below which the tree has files. One walk for all."""
    found: set[bytes] = set()
    todo = [(root, sorted({directory + b"/" for directory in directories}))] if root != EMPTY_TREE else []
    while todo:
        at_hand: dict[bytes, Node | None] = {node_hash: nodes.get(node_hash) for node_hash, _ in todo}
        missing = tuple(node_hash for node_hash, node in at_hand.items() if node is None)
        if missing:
            at_hand.update((yield missing))
        below: list[tuple[bytes, list[bytes]]] = []
        for node_hash, wanted in todo:
            node = at_hand[node_hash]
            if isinstance(node, Inner):
                parts = _stretches(node, node.level, wanted)
                below += [(node.child(at), part) for at, part in parts if at < node.count]
                continue
            assert node is not None
            at = 0
            for prefix in wanted:
                at = node.find(prefix, at)
                if at < node.count and node.key(at).startswith(prefix):
                    found.add(prefix[:-1])
        todo = below
    return found
