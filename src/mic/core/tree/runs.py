"""Runs: the stretch of one level that an edit re-cuts, as columns that grow by slices.

A run starts at a boundary, absorbs whole nodes together with the edits that fall into them, and is cut
into new nodes. Work is per edit and per slice, not per entry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from mic.core.tree.node import MODE_CODES, OTHER_MODE, Entry, Inner, Leaf, Node
from mic.core.tree.split import marks


class Child(NamedTuple):
    """What an inner node knows of a node below it."""

    files: int
    size: int
    hash: bytes


Value = Entry | Child
Edit = tuple[bytes, Value | None]


def node_marks(node: Node) -> list[int]:
    """The splitter's marks of a node's keys, computed once per node object."""
    if node._marks is None:
        node._marks = marks(node.keys, node.level)
    return node._marks


class LeafRun:
    """Columns of files."""

    level = 0

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.marks: list[int] = []
        self.modes = bytearray()
        self.kinds = bytearray()
        self.sizes: list[int] = []
        self.hashes = bytearray()
        self.others: dict[bytes, int] = {}

    def slice(self, node: Leaf, start: int, stop: int) -> None:
        """Append entries start..stop of a node."""
        if start >= stop:
            return
        self.keys += node.keys[start:stop]
        self.marks += node_marks(node)[start:stop]
        self.modes += node.modes[start:stop]
        self.kinds += node.kinds[start:stop]
        self.sizes += node.sizes[start:stop]
        self.hashes += node.hashes[start * 32 : stop * 32]
        if node.others:
            self.others.update(node.others)

    def append(self, key: bytes, entry: Entry) -> None:
        """Append one new entry."""
        code = MODE_CODES.get(entry.mode, OTHER_MODE)
        self.keys.append(key)
        self.marks += marks([key], 0)
        self.modes.append(code)
        self.kinds.append(entry.kind)
        self.sizes.append(entry.size)
        self.hashes += entry.hash
        if code == OTHER_MODE:
            self.others[key] = entry.mode

    def node(self, start: int, stop: int) -> Leaf:
        """A leaf of entries start..stop."""
        modes = bytes(self.modes[start:stop])
        keys = self.keys[start:stop]
        others = {}
        if OTHER_MODE in modes:
            others = {key: self.others[key] for key, code in zip(keys, modes, strict=True) if code == OTHER_MODE}
        leaf = Leaf(
            keys,
            modes,
            bytes(self.kinds[start:stop]),
            self.sizes[start:stop],
            bytes(self.hashes[start * 32 : stop * 32]),
            others,
        )
        leaf._marks = self.marks[start:stop]
        return leaf

    @staticmethod
    def replaced(node: Leaf, hits: list[tuple[int, Entry]]) -> Leaf:
        """The node with new values under the same keys: no boundary can move."""
        modes, kinds, hashes = bytearray(node.modes), bytearray(node.kinds), bytearray(node.hashes)
        sizes = list(node.sizes)
        others = node.others
        for at, entry in hits:
            code = MODE_CODES.get(entry.mode, OTHER_MODE)
            if code == OTHER_MODE:
                others = {**others, node.keys[at]: entry.mode}
            modes[at], kinds[at], sizes[at] = code, entry.kind, entry.size
            hashes[at * 32 : at * 32 + 32] = entry.hash
        if others:
            others = {k: others[k] for k, code in zip(node.keys, modes, strict=True) if code == OTHER_MODE}
        leaf = Leaf(node.keys, bytes(modes), bytes(kinds), sizes, bytes(hashes), others)
        leaf._marks = node._marks
        return leaf


class InnerRun:
    """Columns of nodes of the level below."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.keys: list[bytes] = []
        self.marks: list[int] = []
        self.counts: list[int] = []
        self.sizes: list[int] = []
        self.children: list[bytes] = []

    def slice(self, node: Inner, start: int, stop: int) -> None:
        """Append children start..stop of a node."""
        if start >= stop:
            return
        self.keys += node.keys[start:stop]
        self.marks += node_marks(node)[start:stop]
        self.counts += node.counts[start:stop]
        self.sizes += node.sizes[start:stop]
        self.children += node.children[start:stop]

    def append(self, key: bytes, child: Child) -> None:
        """Append one new child."""
        self.keys.append(key)
        self.marks += marks([key], self.level)
        self.counts.append(child.files)
        self.sizes.append(child.size)
        self.children.append(child.hash)

    def node(self, start: int, stop: int) -> Inner:
        """An inner node of children start..stop."""
        inner = Inner(
            self.level,
            self.keys[start:stop],
            self.counts[start:stop],
            self.sizes[start:stop],
            self.children[start:stop],
        )
        inner._marks = self.marks[start:stop]
        return inner

    @staticmethod
    def replaced(node: Inner, hits: list[tuple[int, Child]]) -> Inner:
        """The node with new children under the same keys."""
        counts, sizes, children = list(node.counts), list(node.sizes), list(node.children)
        for at, child in hits:
            counts[at], sizes[at], children[at] = child
        inner = Inner(node.level, node.keys, counts, sizes, children)
        inner._marks = node._marks
        return inner


def absorb(run: LeafRun | InnerRun, node: Node, edits: Sequence[Edit]) -> None:
    """Append a node's entries with sorted edits applied: a value sets its key, None removes it."""
    at, keys = 0, node.keys
    for key, value in edits:
        found = bisect_left(keys, key, at)
        run.slice(node, at, found)  # type: ignore[arg-type]  # a run only ever meets nodes of its own level
        at = found + (found < len(keys) and keys[found] == key)
        if value is not None:
            run.append(key, value)  # type: ignore[arg-type]
    run.slice(node, at, len(keys))  # type: ignore[arg-type]


def replace_in_place(node: Node, edits: Sequence[Edit]) -> Node | None:
    """The node with the edits applied when all of them hit existing keys, else None."""
    keys = node.keys
    hits = []
    for key, value in edits:
        at = bisect_left(keys, key)
        if value is None or at == len(keys) or keys[at] != key:
            return None
        hits.append((at, value))
    run = LeafRun if isinstance(node, Leaf) else InnerRun
    return run.replaced(node, hits)  # type: ignore[arg-type]
