"""The tree of every epoch, and of every landing."""

from __future__ import annotations

from collections.abc import Iterator

from mic.core.errors import Corrupt
from mic.core.tree import EMPTY_TREE, Entry, Inner, Node, apply, build
from mic.ledger.effects import Protocol
from mic.ledger.nodes import fetch_nodes, with_nodes
from mic.ledger.trees import Overlay
from mic.ledger.verify.check import Check
from mic.ledger.verify.finding import Finding, finding


def trees(check: Check) -> Iterator[Finding]:
    """The tree of every epoch is complete; each landing's is what its record makes of the one before."""
    seen: set[bytes] = {EMPTY_TREE}
    if not check.links:
        return
    root = EMPTY_TREE if check.links[0].epoch.prev.position == 0 else check.links[0].epoch.prev.tree
    files: dict[bytes, Entry] | None = {} if root == EMPTY_TREE else None
    for number, (_, epoch) in enumerate(check.links):
        yield from _walk(check, epoch.new.tree, epoch.new.position, seen)
        fresh: dict[bytes, Node] = {}
        for record in epoch.records:
            edits = {change.path: change.entry for change in record.changes}
            if files is not None:
                files.update({path: entry for path, entry in edits.items() if entry is not None})
                for path in [path for path, entry in edits.items() if entry is None]:
                    files.pop(path, None)
            try:
                root = check.run(_apply(check, root, edits, fresh))
            except Corrupt as error:
                yield finding(error, f"landing @{record.position}")
                root = record.root_after  # what could not be read tells nothing of the record
            if root != record.root_after:
                yield Finding("wrong", f"landing @{record.position}", "its changes do not make its tree")
            root = record.root_after
        check.told("trees", number + 1, len(check.links))
    if files is not None and build(sorted(files.values()), {}) != root:
        yield Finding("wrong", check.line.head_key, "its tree is not what all landings together make")


def _walk(check: Check, root: bytes, position: int, seen: set[bytes]) -> Iterator[Finding]:
    """Nodes that no tree before had."""
    todo = [root]
    while todo:
        node_hash = todo.pop()
        if node_hash in seen:
            continue
        seen.add(node_hash)
        try:
            node = check.run(fetch_nodes(check.objects, check.line.cache, [node_hash]))[node_hash]
        except Corrupt as error:
            yield finding(error, f"tree @{position}")
            continue
        if isinstance(node, Inner):
            todo += node.children()


def _apply(check: Check, root: bytes, edits: dict[bytes, Entry | None], fresh: dict[bytes, Node]) -> Protocol[bytes]:
    overlay = Overlay(fresh, check.line.cache)
    return with_nodes(check.objects, check.line.cache, apply(overlay, root, edits, fresh))
