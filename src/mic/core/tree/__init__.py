"""The tree: a history-independent, content-defined B+ tree over full paths.

The same set of files has the same root hash, however it came to be; a one-file change rewrites one node
per level (4 levels for 10**9 files); equal subtrees are recognised without reading them.
"""

from mic.core.tree.columns import entries_of
from mic.core.tree.compare import compare, occupied
from mic.core.tree.decode import decode_node
from mic.core.tree.diff import TreeChange, diff
from mic.core.tree.edit import NodeSource, apply, build, reachable
from mic.core.tree.merge import TreeClash, TreeMerge, merge
from mic.core.tree.node import (
    BLOB,
    CHUNKED,
    CONFLICT,
    DIRECTORY,
    EMPTY_LEAF,
    EMPTY_TREE,
    MAX_KEY,
    Child,
    Entry,
    Inner,
    Leaf,
    Node,
    inner,
    leaf,
)
from mic.core.tree.read import has_under, list_directory, lookup, scan, totals

__all__ = [
    "BLOB",
    "CHUNKED",
    "CONFLICT",
    "DIRECTORY",
    "EMPTY_LEAF",
    "EMPTY_TREE",
    "MAX_KEY",
    "Child",
    "Entry",
    "Inner",
    "Leaf",
    "Node",
    "NodeSource",
    "TreeChange",
    "TreeClash",
    "TreeMerge",
    "apply",
    "build",
    "compare",
    "decode_node",
    "diff",
    "entries_of",
    "has_under",
    "inner",
    "leaf",
    "list_directory",
    "lookup",
    "merge",
    "occupied",
    "reachable",
    "scan",
    "totals",
]
