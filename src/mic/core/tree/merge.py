"""Three-way merge of trees. What neither side changed is never read.

Both differences from the base skip equal subtrees, and everything else follows from them: a path that
only one side changed, a path that both changed, and a file of one side where the other has a directory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple

from mic.core.tree.diff import TreeChange, diff
from mic.core.tree.edit import Found, Need, NodeSource
from mic.core.tree.node import DIRECTORY, Entry
from mic.core.tree.read import totals


class TreeClash(NamedTuple):
    """A name on which two trees disagree: what stands there at the base and on each side.

    None where nothing does; an entry of kind DIRECTORY (mode 0o040000, the bytes of all files below) where
    a directory does.
    """

    path: bytes
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None


class TreeMerge(NamedTuple):
    """What makes `ours` the merged tree (for `apply`; theirs alone, without what clashes), and the clashes, sorted."""

    edits: dict[bytes, Entry | None]
    clashes: list[TreeClash]


def merge(nodes: NodeSource, base: bytes, ours: bytes, theirs: bytes) -> Generator[Need, Found, TreeMerge]:
    """Merge the changes from `base` to `ours` with those from `base` to `theirs`, all three given by root.

    A path that only one side changed takes its side; one that both changed alike stays. It is a clash when
    both changed it differently, and when one side has a file where the other has a directory that is not
    going away: then neither what is below nor the file is in the edits. Contents are not looked at.
    Cost is that of the two differences, and a look at each clash.
    """
    mine = {change.path: change for change in (yield from diff(nodes, base, ours))}
    yours = {change.path: change for change in (yield from diff(nodes, base, theirs))}
    edits: dict[bytes, Entry | None] = {}
    names: set[bytes] = set()
    for path, change in yours.items():
        if path not in mine:
            edits[path] = change.new
        elif mine[path].new != change.new:
            names.add(path)
    # A shadow needs a file that one side put there (or keeps, against the other's wish) and one below it
    # that only the other side has: both are among the changes.
    for shadow, below in _shadows(mine, yours):
        names.add(shadow)
        edits.pop(below, None)
    for shadow, _ in _shadows(yours, mine):
        names.add(shadow)
        edits.pop(shadow, None)
    clashes = []
    for path in sorted(names):
        known = mine.get(path) or yours[path]
        sides = []
        for root, changes in ((base, {}), (ours, mine), (theirs, yours)):
            entry = changes[path].new if path in changes else known.old
            sides.append((yield from _directory(nodes, root, path)) if entry is None else entry)
        clashes.append(TreeClash(path, *sides))
    return TreeMerge(edits, clashes)


def _shadows(files: Mapping[bytes, TreeChange], others: Mapping[bytes, TreeChange]) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of a file of one side's changes and a path of the other side's that lies below it."""
    for path, change in others.items():
        if change.new is None:
            continue
        at = path.find(b"/")
        while at >= 0:
            above = files.get(path[:at])
            if above is not None and above.new is not None:
                yield path[:at], path
            at = path.find(b"/", at + 1)


def _directory(nodes: NodeSource, root: bytes, path: bytes) -> Generator[Need, Found, Entry | None]:
    """The directory of this name as a listing shows it; None where no file is below."""
    files, size = yield from totals(nodes, root, path)
    return Entry(path, 0o040000, DIRECTORY, size, b"") if files else None
