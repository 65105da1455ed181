"""A rule of the forge on one landing, judged against the very tree that it lands on.

Some rules are files of the tree: who may land what may have changed with the landing before. So the rule is asked where
conflicts are found, for each head anew, and its answer counts only when the swap for that head was won.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol as Shape

from mic.core.blob import decode_blob
from mic.core.tree import EMPTY_TREE, Entry, NodeSource, lookup
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects


class Gate(Shape):
    """What a forge makes of a rule. Pure, but for what it remembers."""

    @property
    def path(self) -> bytes:
        """The file that the rule is in."""

    @property
    def limit(self) -> int:
        """The most bytes of it that are read."""

    def knows(self, content: bytes) -> bool:
        """Whether the rule with this hash need not be read."""

    def judge(self, entry: Entry | None, content: bytes | None, paths: Collection[bytes]) -> None:
        """Raises MicError unless these paths may change where the rule is `entry`.

        `content` is None when there is no such file, when it is known, and when it is not to be read: it is no regular
        file, or too large.
        """


_REGULAR = 0o100000 >> 12


def ask(
    gate: Gate,
    line: Line,
    sent: Objects,
    nodes: NodeSource,
    tree: bytes,
    contents: Mapping[bytes, bytes],
    edits: Mapping[bytes, Entry | None],
) -> Protocol[None]:
    """Ask the gate of a landing about its edits to a tree; `contents` and `sent` as in `mic.ledger.conflict.judge`."""
    entry = None
    if tree != EMPTY_TREE:
        found = yield from with_nodes(line.objects, line.cache, lookup(nodes, tree, [gate.path]))
        entry = found.get(gate.path)
    content = None
    if entry is not None and may_be_read(gate, entry) and not gate.knows(entry.hash):
        raw = contents.get(entry.hash)
        if raw is not None:
            content = decode_blob(raw, entry.hash, "the rule of a landing")
        else:
            content = yield from read_blob(sent, entry.hash, gate.limit)
    gate.judge(entry, content, edits.keys())


def may_be_read(gate: Gate, entry: Entry) -> bool:
    """Whether the file that the rule is in is one to be read."""
    return entry.mode >> 12 == _REGULAR and entry.size <= gate.limit
