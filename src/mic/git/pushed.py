"""The commits of a push as landings: which there are, and what each changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from mic.core.session import Op
from mic.git.commits import CommitText, parse_text
from mic.git.graph import Graph
from mic.git.objects import EMPTY_TREE_OID
from mic.git.packentry import BLOB, COMMIT
from mic.git.packs import Packs
from mic.git.tree_entries import parse_tree
from mic.git.trees import TreeReader, has_blob

_ASSISTED = re.compile(r"^Assisted-by:[ \t]*(\S[^\n]{0,200})$", re.M | re.I)
# Contents whose SHA-256 is remembered during one push.
_KNOWN = 100_000
# Blobs of one tree that are listed, some 90 bytes each.
_LISTED = 200_000


class PushedChange(NamedTuple):
    """One path that a commit changed: `oid` is a blob, b"" when `data` is the content itself or the path is gone."""

    path: bytes
    op: int
    mode: int
    oid: bytes
    data: bytes


def first_parents(graph: Graph, old: bytes, new: bytes) -> list[bytes]:
    """The commits that become landings behind `old` (b"" for none), oldest first.

    Where the first parents of `new` do not lead to `old` - a pull that merged the project into the pusher's branch -
    `new` is one landing, and the rest is in Git's graph.
    """
    chain, oid = [], new
    while oid != old:
        chain.append(oid)
        parents = graph.lines[oid].parents
        if not parents:
            return chain[::-1] if not old else [new]
        oid = parents[0]
    return chain[::-1]


def text_of(packs: Packs, oid: bytes) -> tuple[bytes, CommitText, str]:
    """(bytes, what it says, the agent that its trailers name) of a commit."""
    raw = packs.read(oid, COMMIT)[1]
    text = parse_text(raw)
    found = _ASSISTED.search(text.message)
    return raw, text, found[1].strip() if found else ""


class Changes:
    """What commits changed, and their contents by SHA-256."""

    def __init__(self, packs: Packs, *, first_wins: bool = False) -> None:
        """With `first_wins` the first of two entries of one name counts, where a tree holds a name twice."""
        self._packs = packs
        self._trees = TreeReader(packs.tree, first_wins=first_wins)
        self._known: dict[bytes, tuple[bytes, int]] = {}

    def between(self, old: bytes, new: bytes) -> Iterator[PushedChange]:
        """The paths in which two trees differ; `old` may be b"". Raises InvalidPath, Corrupt, TooLarge."""
        for change in self._trees.difference(old or EMPTY_TREE_OID, new):
            if change.op == Op.DELETED:
                yield PushedChange(change.path, int(Op.DELETED), change.mode, b"", b"")
            elif has_blob(change.mode):
                yield PushedChange(change.path, int(change.op), change.mode, change.oid, b"")
            else:
                yield PushedChange(change.path, int(change.op), change.mode, b"", change.oid.hex().encode())

    def known(self, oid: bytes) -> tuple[bytes, int] | None:
        """(SHA-256, size) of a blob that was read before."""
        return self._known.get(oid)

    def content(self, oid: bytes) -> tuple[bytes, bytes]:
        """(SHA-256, bytes) of a blob."""
        data = self._packs.read(oid, BLOB)[1]
        name = hashlib.sha256(data).digest()
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[oid] = name, len(data)
        return name, data


def blobs_of(packs: Packs, tree: bytes) -> set[bytes]:
    """The blobs below a tree, up to a bound: some of them where it has more. Raises Corrupt."""
    found: set[bytes] = set()
    todo, seen = [tree], {EMPTY_TREE_OID}
    while todo and len(found) < _LISTED:
        oid = todo.pop()
        if oid in seen:
            continue
        seen.add(oid)
        for entry in parse_tree(packs.tree(oid), oid):
            if entry.is_tree:
                todo.append(entry.oid)
            elif not entry.is_gitlink:
                found.add(entry.oid)
    return found
