"""Reading a tree: look-up, range scan, directory listing, totals, difference. Nothing reads it whole.

All are generators that yield hashes of nodes they need (see `edit`). Directories are not stored: they
are the prefixes of paths, and a listing seeks past each of them, so its cost is per child shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Sequence
from typing import NamedTuple

from mic.core.tree.edit import Found, Need, NodeSource, load
from mic.core.tree.node import DIRECTORY, EMPTY_LEAF, EMPTY_TREE, Entry, Inner, Leaf, Node


class TreeChange(NamedTuple):
    """One path that differs between two trees; None where it is absent."""

    path: bytes
    old: Entry | None
    new: Entry | None


def lookup(nodes: NodeSource, root: bytes, paths: Sequence[bytes]) -> Generator[Need, Found, dict[bytes, Entry]]:
    """The entries of those paths that exist. All nodes of a level are asked for at once."""
    found: dict[bytes, Entry] = {}
    todo: dict[bytes, list[bytes]] = {root: sorted(set(paths))}
    while todo:
        missing = tuple(h for h in todo if nodes.get(h) is None)
        got: Found = {}
        if missing:
            got = yield from _load_many(nodes, missing)
        below: dict[bytes, list[bytes]] = {}
        for node_hash, wanted in todo.items():
            node = got.get(node_hash) or nodes.get(node_hash) or (yield from load(nodes, node_hash))
            keys = node.keys
            for path in wanted:
                at = bisect_left(keys, path)
                if at == len(keys):
                    continue
                if isinstance(node, Inner):
                    below.setdefault(node.children[at], []).append(path)
                elif keys[at] == path:
                    found[path] = node.entry(at)
        todo = below
    return found


def _load_many(nodes: NodeSource, hashes: tuple[bytes, ...]) -> Generator[Need, Found, Found]:
    if EMPTY_TREE in hashes:
        return {EMPTY_TREE: EMPTY_LEAF}
    return (yield hashes)


def scan(
    nodes: NodeSource, root: bytes, start: bytes = b"", end: bytes | None = None, limit: int = 1 << 62
) -> Generator[Need, Found, list[Entry]]:
    """Entries with start <= path < end, sorted, at most `limit`."""
    out: list[Entry] = []
    stack = [root]
    while stack and len(out) < limit:
        node = yield from load(nodes, stack.pop())
        first = bisect_left(node.keys, start)
        if isinstance(node, Inner):
            # A child may reach past `end`; the one whose last key is the first >= end is still wanted.
            last = len(node.keys) if end is None else min(bisect_left(node.keys, end) + 1, len(node.keys))
            stack += reversed(node.children[first:last])
        else:
            last = len(node.keys) if end is None else bisect_left(node.keys, end)
            out += [node.entry(at) for at in range(first, min(last, first + limit - len(out)))]
    return out


def after_prefix(prefix: bytes) -> bytes:
    """The smallest key beyond everything under directory `prefix` (given with its slash)."""
    assert prefix.endswith(b"/")
    return prefix[:-1] + b"0"  # "0" follows "/" in ASCII


def list_directory(
    nodes: NodeSource, root: bytes, directory: bytes = b"", after: bytes = b"", limit: int = 1000
) -> Generator[Need, Found, list[Entry]]:
    """The children of a directory (no slashes around its name), directories as kind DIRECTORY.

    `after` is the full path of the last child already seen. A directory's size is its files' bytes, its
    mode 0o040000, its hash empty.
    """
    prefix = directory + b"/" if directory else b""
    end = after_prefix(prefix) if prefix else None
    out: list[Entry] = []
    seek = prefix
    if after:
        leaf, at = yield from _seek(nodes, root, after)
        is_file = leaf is not None and leaf.keys[at] == after
        # Behind a directory is behind everything in it; names such as `a-b` sort before `a/` and were seen.
        seek = after + b"\x00" if is_file else after + b"0"
    while len(out) < limit:
        leaf, at = yield from _seek(nodes, root, seek)
        if leaf is None:
            break
        advanced = False
        while at < len(leaf.keys) and len(out) < limit:
            key = leaf.keys[at]
            if end is not None and key >= end:
                return out
            slash = key.find(b"/", len(prefix))
            if slash < 0:
                out.append(leaf.entry(at))
                at += 1
                continue
            child = key[:slash]
            beyond = child + b"0"
            _, size = yield from totals(nodes, root, child)
            out.append(Entry(child, 0o040000, DIRECTORY, size, b""))
            at = bisect_left(leaf.keys, beyond, at)
            if at == len(leaf.keys):
                seek, advanced = beyond, True
        if not advanced:
            if at < len(leaf.keys):
                break
            seek = leaf.keys[-1] + b"\x00"
    return out


def _seek(nodes: NodeSource, root: bytes, key: bytes) -> Generator[Need, Found, tuple[Leaf | None, int]]:
    """The leaf and index of the first entry >= key; (None, 0) beyond the end."""
    node: Node = yield from load(nodes, root)
    while isinstance(node, Inner):
        at = bisect_left(node.keys, key)
        if at == len(node.keys):
            return None, 0
        node = yield from load(nodes, node.children[at])
    at = bisect_left(node.keys, key)
    return (node, at) if at < len(node.keys) else (None, 0)


def totals(nodes: NodeSource, root: bytes, directory: bytes = b"") -> Generator[Need, Found, tuple[int, int]]:
    """Number of files and their bytes below a directory (whole tree for b""), from inner nodes' sums."""
    start = directory + b"/" if directory else b""
    end = after_prefix(start) if start else None
    files = size = 0
    stack = [(root, False)]
    while stack:
        node_hash, whole = stack.pop()
        node = yield from load(nodes, node_hash)
        if isinstance(node, Leaf):
            first = 0 if whole else bisect_left(node.keys, start)
            last = len(node.keys) if whole or end is None else bisect_left(node.keys, end)
            files += max(last - first, 0)
            size += sum(node.sizes[first:last])
            continue
        # Child i covers (keys[i-1], keys[i]]. It lies wholly inside when both neighbours' ends do.
        first = bisect_left(node.keys, start)
        last = len(node.keys) if end is None else min(bisect_left(node.keys, end) + 1, len(node.keys))
        for at in range(first, last):
            inside = (at > first or not start) and (end is None or node.keys[at] < end)
            if inside or whole:
                files += node.counts[at]
                size += node.sizes[at]
            else:
                stack.append((node.children[at], False))
    return files, size


def diff(nodes: NodeSource, old: bytes, new: bytes) -> Generator[Need, Found, list[TreeChange]]:
    """Every path that differs, sorted. Subtrees with equal hashes are skipped unread."""
    left, right = _Walk(nodes, old), _Walk(nodes, new)
    out: list[TreeChange] = []
    while True:
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
            if a != b:
                out.append(TreeChange(a.path, a, b))
            left.advance()
            right.advance()


def _skip_equal(left: _Walk, right: _Walk) -> Generator[Need, Found, None]:
    """Drop subtrees that both walks stand before and share; then descend to entries on both sides."""
    while True:
        a, b = left.subtree(), right.subtree()
        if a is not None and b is not None:
            if a[1] == b[1]:
                left.advance()
                right.advance()
            elif left.height() >= right.height():
                yield from left.descend()
            else:
                yield from right.descend()
        elif a is not None:
            yield from left.descend()
        elif b is not None:
            yield from right.descend()
        else:
            return


class _Walk:
    """A left-to-right walk over a tree that can stand before a whole subtree or at an entry."""

    def __init__(self, nodes: NodeSource, root: bytes) -> None:
        self.nodes = nodes
        self.stack: list[tuple[Node | None, int]] = []
        self.root: bytes | None = root
        self.root_height = 1 << 16  # unknown until loaded; taller than any

    def subtree(self) -> tuple[int, bytes] | None:
        """(height, hash) of the subtree that is next, or None when an entry or the end is next."""
        if self.root is not None:
            return self.root_height, self.root
        self._settle()
        if self.stack:
            node, at = self.stack[-1]
            if isinstance(node, Inner):
                return node.level - 1, node.children[at]
        return None

    def height(self) -> int:
        found = self.subtree()
        return found[0] if found else -1

    def _settle(self) -> None:
        while self.stack and self.stack[-1][1] >= len(self.stack[-1][0].keys):  # type: ignore[union-attr]
            self.stack.pop()
            if self.stack:
                node, at = self.stack[-1]
                self.stack[-1] = (node, at + 1)

    def entry(self) -> Entry | None:
        self._settle()
        if not self.stack:
            return None
        node, at = self.stack[-1]
        assert isinstance(node, Leaf)
        return node.entry(at)

    def advance(self) -> None:
        """Past the subtree or entry that is next."""
        if self.root is not None:
            self.root = None
            return
        node, at = self.stack[-1]
        self.stack[-1] = (node, at + 1)

    def descend(self) -> Generator[Need, Found, None]:
        """Into the subtree that is next."""
        found = self.subtree()
        assert found is not None
        self.root = None
        node = yield from load(self.nodes, found[1])
        self.stack.append((node, 0))


def has_under(nodes: NodeSource, root: bytes, directory: bytes) -> Generator[Need, Found, list[bytes]]:
    """Up to 64 paths below a directory: what a file of that name would shadow."""
    prefix = directory + b"/"
    return [entry.path for entry in (yield from scan(nodes, root, prefix, after_prefix(prefix), 64))]
