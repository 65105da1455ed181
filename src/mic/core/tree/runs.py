"""Runs: the stretch of one level that an edit cuts again.

A run starts at a boundary, takes stretches of old nodes and new entries in order of their keys, and makes
a node wherever the splitter cuts. Stretches stay where they are until their node is made, by joining
columns: work is per edit and per stretch, not per entry, but for the hashing of keys whose number in
their node has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from mic.core.tree.node import (
    MAX_TOTAL,
    Child,
    Columns,
    Entry,
    Inner,
    Leaf,
    Node,
    inner_columns,
    join_columns,
    leaf_columns,
)
from mic.core.tree.split import next_cut

Value = Entry | Child
Edit = tuple[bytes, Value | None]

_key = itemgetter(0)


class Span(NamedTuple):
    """A stretch of an old node."""

    node: Node
    start: int
    stop: int

    def keys(self) -> list[bytes]:
        return self.node.keys(self.start, self.stop)

    def columns(self) -> Columns:
        return self.node.columns(self.start, self.stop)

    def part(self, start: int, stop: int) -> Span:
        return Span(self.node, self.start + start, self.start + stop)


class Fresh(NamedTuple):
    """New entries of a leaf, or new children of an inner node."""

    level: int
    values: Sequence[Value]

    def keys(self) -> list[bytes]:
        return list(map(_key, self.values))

    def columns(self) -> Columns:
        return (inner_columns if self.level else leaf_columns)(self.values)  # type: ignore[arg-type]

    def part(self, start: int, stop: int) -> Fresh:
        return Fresh(self.level, self.values[start:stop])


class Run:
    """Stretches of one level since the last cut (`open` entries), and the nodes that were cut off."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.open = 0
        self.made: list[Node] = []
        self._parts: list[Span | Fresh] = []

    def skip(self, node: Node, stop: int) -> None:
        """Take the first entries of the node that the run starts with: unchanged, they are not cut."""
        assert not self.open
        if stop:
            self._parts.append(Span(node, 0, stop))
            self.open = stop

    def take(self, part: Span | Fresh) -> None:
        """Take a stretch, and cut wherever the splitter says."""
        keys = part.keys()
        ahead, at = iter(keys), 0
        while (length := next_cut(ahead, self.level, self.open)) is not None:
            self._parts.append(part.part(at, at + length) if length < len(keys) else part)
            at += length
            self.open += length
            self.close()
        if at < len(keys):
            self._parts.append(part.part(at, len(keys)) if at else part)
            self.open += len(keys) - at

    def close(self) -> None:
        """Make a node of what is open, if anything is."""
        if not self.open:
            return
        raw = join_columns(self.level, self.open, [part.columns() for part in self._parts])
        if self.level:
            self.made.append(Inner(raw))
        else:
            total = None
            if len(self._parts) == 1 and isinstance(only := self._parts[0], Fresh):
                total = min(sum(map(itemgetter(3), only.values)), MAX_TOTAL)
            self.made.append(Leaf(raw, size=total))
        self._parts, self.open = [], 0


# From this many edits on, walking a node costs less than a stretch for each edit.
_MANY = 24


def absorb(run: Run, node: Node, edits: Sequence[Edit], first: bool) -> None:
    """Take a node with sorted edits applied: a value sets its key, None removes it.

    `first` says that the run starts with this node.
    """
    if len(edits) >= _MANY or not node.count:
        _merge(run, node, edits)
        return
    at = 0
    for key, value in edits:
        found = node.find(key, at)
        if first:
            # The last key of a node may be a cut, or the end of the level; no key before it is one.
            at, first = min(found, node.count - 1), False
            run.skip(node, at)
        if at < found:
            run.take(Span(node, at, found))
        at = found + (found < node.count and node.key(found) == key)
        if value is not None:
            run.take(Fresh(run.level, (value,)))
    if at < node.count:
        run.take(Span(node, at, node.count))


def _merge(run: Run, node: Node, edits: Sequence[Edit]) -> None:
    merged: dict[bytes, Value | None] = {value[0]: value for value in node.entries()}
    merged.update(edits)
    run.take(Fresh(run.level, [merged[key] for key in sorted(merged) if merged[key] is not None]))  # type: ignore[misc]


def replace_in_place(node: Node, edits: Sequence[Edit]) -> Node | None:
    """The node with the edits applied when all of them hit existing keys, so that no boundary moves; else None."""
    hits = []
    at = 0
    for key, value in edits:
        if value is None:
            return None
        at = node.find(key, at)
        if at == node.count or node.key(at) != key:
            return None
        hits.append((at, value))
    return node.replaced(hits)  # type: ignore[arg-type]  # entries in leaves, children in inner nodes
