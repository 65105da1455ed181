"""The difference of two trees. What both share is skipped: subtrees unread, entries unmade."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from mic.core.tree.edit import Found, Need, NodeSource, load
from mic.core.tree.node import Entry, Inner, Leaf, Node

_UNKNOWN = 1 << 16  # the height of a root that is not loaded yet: above any


class TreeChange(NamedTuple):
    """One path that differs between two trees; None where it is absent."""

    path: bytes
    old: Entry | None
    new: Entry | None


def diff(
    nodes: NodeSource, old: bytes, new: bytes, after: bytes = b"", limit: int = 1 << 62
) -> Generator[Need, Found, list[TreeChange]]:
    """Every path that differs, sorted: at most `limit` behind the path `after`. Equal subtrees are skipped unread."""
    left, right = _Walk(nodes, old), _Walk(nodes, new)
    if after:
        yield from left.seek(after + b"\x00")
        yield from right.seek(after + b"\x00")
    out: list[TreeChange] = []
    while len(out) < limit:
        yield from _skip_equal(left, right)
        a, b = left.entry(), right.entry()
        if a is None and b is None:
            return out
        if b is None or (a is not None and a.path < b.path):
            out.append(TreeChange(a.path, a, None))  # type: ignore[union-attr]
            left.advance()
        elif a is None or b.path < a.path:
            out.append(TreeChange(b.path, None, b))
            right.advance()
        else:
            out.append(TreeChange(a.path, a, b))
            left.advance()
            right.advance()
    return out


def _skip_equal(left: _Walk, right: _Walk) -> Generator[Need, Found, None]:
    """Past everything that both walks have next and share, until both stand at entries that differ, or an end."""
    while True:
        a, b = left.height(), right.height()
        if a == b and a >= 0 and left.skip_shared(right):
            continue
        if max(a, b) <= 0:
            return
        yield from (left if a >= b else right).descend()


class _Walk:
    """A left-to-right walk over a tree that can stand before a whole subtree or at an entry."""

    def __init__(self, nodes: NodeSource, root: bytes) -> None:
        self.nodes = nodes
        self.root: bytes | None = root
        # From the root down; the last node is the one walked over, at `at`; `above` are the indexes in the others.
        self.path: list[Node] = []
        self.above: list[int] = []
        self.at = 0

    def seek(self, start: bytes) -> Generator[Need, Found, None]:
        """From the beginning to the first entry that is not before `start`."""
        assert self.root is not None
        node, self.root = (yield from load(self.nodes, self.root)), None
        while True:
            self.path.append(node)
            self.at = node.find(start)
            if self.at == node.count or isinstance(node, Leaf):
                break
            self.above.append(self.at)
            node = yield from load(self.nodes, node.child(self.at))
        self.advance(0)  # all that is here may be before it

    def height(self) -> int:
        """What is next: 0 an entry, more a subtree (the level of the node that it is a child of), -1 nothing."""
        if self.root is not None:
            return _UNKNOWN
        return self.path[-1].level if self.path else -1

    def entry(self) -> Entry | None:
        """The entry that is next; None at the end. Only where no subtree is next."""
        if not self.path:
            return None
        node = self.path[-1]
        assert isinstance(node, Leaf)
        return node.entry(self.at)

    def advance(self, count: int = 1) -> None:
        """Past the next subtrees or entries of the node walked over, and out of it behind the last."""
        self.at += count
        while self.at >= self.path[-1].count:
            self.path.pop()
            if not self.path:
                return
            self.at = self.above.pop() + 1

    def descend(self) -> Generator[Need, Found, None]:
        """Into the subtree that is next."""
        if self.root is not None:
            node, self.root = (yield from load(self.nodes, self.root)), None
        else:
            inner = self.path[-1]
            assert isinstance(inner, Inner)
            node = yield from load(self.nodes, inner.child(self.at))
            self.above.append(self.at)
        self.path.append(node)
        self.at = 0
        self.advance(0)  # the root of an empty tree has nothing to stand at

    def skip_shared(self, other: _Walk) -> bool:
        """Both walks past what is next in both and equal; False when there is no such thing. At one height."""
        if self.root is not None:
            if self.root != other.root:
                return False
            self.root = other.root = None
            return True
        count = _shared(self.path[-1], self.at, other.path[-1], other.at)
        if count:
            self.advance(count)
            other.advance(count)
        return count > 0


def _shared(left: Node, at: int, right: Node, other_at: int) -> int:
    """How many children or entries are equal in both nodes, from these indexes on."""
    most = min(left.count - at, right.count - other_at)
    if isinstance(left, Leaf) and isinstance(right, Leaf):
        same = _shared_hashes(left.raw, left.hashes_at + 32 * at, right.raw, right.hashes_at + 32 * other_at, most)
        # Contents that are equal do not make entries equal: paths, modes and sizes must be, too.
        while same and left.columns(at, at + same) != right.columns(other_at, other_at + same):
            same = 0 if left.entry(at) != right.entry(other_at) else same // 2
        return same
    assert isinstance(left, Inner)
    assert isinstance(right, Inner)
    return _shared_hashes(left.raw, left.child_at(at), right.raw, right.child_at(other_at), most)


def _shared_hashes(left: bytes, at: int, right: bytes, other_at: int, most: int) -> int:
    """How many of at most `most` hashes are equal, from these offsets on: halving, as comparing is cheap."""
    if left[at : at + 32] != right[other_at : other_at + 32]:
        return 0
    same, differ = 1, most + 1
    probe = most
    while same < probe:
        if left[at + 32 * same : at + 32 * probe] == right[other_at + 32 * same : other_at + 32 * probe]:
            same = probe
        else:
            differ = probe
        probe = (same + differ) // 2
    return same
