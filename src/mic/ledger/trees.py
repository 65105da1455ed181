"""The tree at any position. Stored roots are used as they are; others are made again from the records."""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.errors import Corrupt, NotFound
from mic.core.record import Record
from mic.core.tree import EMPTY_TREE, Node, NodeSource, apply
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import with_nodes

# An epoch holds at most 1,024 landings and stores its last tree, so a stored root is never further away.
_MAX_REPLAY = 1024


class Overlay:
    """Nodes made just now in front of a cache."""

    def __init__(self, fresh: dict[bytes, Node], cache: NodeSource) -> None:
        self.fresh, self.cache = fresh, cache

    def get(self, key: bytes, /) -> Node | None:
        return self.fresh.get(key) or self.cache.get(key)


def tree_at(line: Line, position: int) -> Protocol[bytes]:
    """Root of the tree after landing `position`; NotFound beyond the head of the last refresh."""
    assert line.head is not None
    if not 0 <= position <= line.head.position:
        raise NotFound(
            f"position {position} does not exist; the newest is {line.head.position}",
            hint="`mic log` lists the landings",
        )
    if position == 0:
        return EMPTY_TREE
    if position == line.head.position:
        return line.head.tree
    wanted = (yield from records(line, position, position))[0].root_after
    if _present(line, wanted):
        return wanted
    pending: list[Record] = []
    at = position
    root = None
    while root is None and at > 0 and len(pending) <= _MAX_REPLAY:
        first = max(1, at - 63)
        for record in reversed((yield from records(line, first, at))):
            if _present(line, record.root_after):
                root = record.root_after
                break
            pending.append(record)
        at = first - 1
    if root is None:
        if at > 0:
            raise Corrupt(f"no stored tree of project {line.project} is within {_MAX_REPLAY} landings of @{position}")
        root = EMPTY_TREE
    yield from _replay(line, root, pending[::-1], wanted)
    return wanted


def _present(line: Line, root: bytes) -> bool:
    return root == EMPTY_TREE or root in line.objects.pins or line.objects.find(root) is not None


def _replay(line: Line, root: bytes, pending: Sequence[Record], wanted: bytes) -> Protocol[None]:
    # A tree to begin from that is pinned itself lends its nodes: it may be forgotten before what is built on it.
    fresh: dict[bytes, Node] = dict(line.objects.pins.of(root))
    overlay = Overlay(fresh, line.cache)
    for record in pending:
        edits = {change.path: change.entry for change in record.changes}
        root = yield from with_nodes(line.objects, line.cache, apply(overlay, root, edits, fresh))
        if root != record.root_after:
            raise Corrupt(
                f"landing @{record.position} of project {line.project} does not make the tree that it names",
                hint="restore the project's objects from a backup",
            )
    line.objects.pins.pin([wanted], fresh)
