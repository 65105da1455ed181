"""Commits put behind others: what each changed is merged path by path, as a landing by mic is.

A commit keeps its author, date, message and unknown headers, and loses its signature, which was one of other bytes.
The rules are those of `mic.ledger.conflict`: a path that only one side changed is taken, text that both changed is
merged by lines, and everything else clashes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from mic.core.errors import TooLarge
from mic.core.merge3 import MAX_MERGE_BYTES, merge3
from mic.core.session import Op
from mic.git.graph import Graph
from mic.git.objects import EMPTY_TREE_OID, EditedTree, commit_line, edit_trees
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.packindex import CommitLine
from mic.git.packs import Packs
from mic.git.packwrite import PackWriter, WrittenPack
from mic.git.tree_entries import parse_tree
from mic.git.trees import TreeReader, has_blob

# Each is merged while the client waits, and what comes out waits in memory.
MOST_COMMITS = 1_000
_LARGEST = 256 << 20
# Trees that are kept parsed, to look entries up in.
_PARSED = 64
_FILE, _DIRECTORY = 0o100000 >> 12, 0o040000 >> 12
_SIGNED = re.compile(rb"^(?:gpgsig|gpgsig-sha256|mergetag) [^\n]*\n(?: [^\n]*\n)*", re.M)
_COMMITTER = re.compile(rb"^committer [^\n]*\n", re.M)
_PARENTS = re.compile(rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*")


class Clashed(Exception):
    """The paths that a commit and the history behind which it was to be put disagree about."""

    def __init__(self, commit: bytes, paths: Sequence[bytes]) -> None:
        super().__init__(commit, paths)
        self.commit, self.paths = commit, list(paths)


class Picked(NamedTuple):
    """A commit and what it became; b"" when all that it changed was there already."""

    old: bytes
    new: bytes


def to_rebase(graph: Graph, onto: bytes, new: bytes) -> list[bytes] | None:
    """The first parents of `new` that `onto` cannot reach, oldest first; None when the two share no commit.

    Raises TooLarge.
    """
    known = graph.reach([onto], set())
    chain, oid = [], new
    while oid not in known:
        chain.append(oid)
        parents = graph.lines[oid].parents
        if not parents:
            return None
        oid = parents[0]
    if len(chain) > MOST_COMMITS:
        raise TooLarge(
            f"{len(chain):,} commits are more than are rebased here; the limit is {MOST_COMMITS:,}.",
            hint="Rebase them with git, then push to main.",
        )
    return chain[::-1]


class Rebase:
    """Puts commits behind `onto`, one after the other. `seconds` (Unix) is the date of the new ones' `committer`.

    `packs` and `graph` have what was sent too, `here` only what is kept already.
    """

    def __init__(self, packs: Packs, here: Packs, graph: Graph, onto: bytes, committer: bytes, seconds: int) -> None:
        self._packs, self._here, self._graph = packs, here, graph
        self._stamp = b"committer %b %d +0000\n" % (committer, seconds)
        self._trees: dict[bytes, bytes] = {}
        self._objects: dict[bytes, tuple[int, bytes | None]] = {}  # None: as it was sent
        self._parsed: dict[bytes, dict[bytes, tuple[int, bytes]]] = {}
        self._size = 0
        self._lines: list[CommitLine] = []
        self._differences = TreeReader(packs.tree)
        self.tip, self._root = onto, graph.lines[onto].tree

    def pick(self, oid: bytes) -> Picked:
        """Put one more commit behind the others. Raises Clashed, TooLarge, InvalidPath."""
        line = self._graph.lines[oid]
        before = self._graph.lines[line.parents[0]].tree
        root = self._merged(oid, before, line.tree)
        if root == self._root and line.tree != before:
            return Picked(oid, b"")
        raw = self._rewritten(self._packs.read(oid, COMMIT)[1], root)
        new = object_id(COMMIT, raw)
        self._add(new, COMMIT, raw)
        self._lines.append(commit_line(new, raw))
        self.tip, self._root = new, root
        return Picked(oid, new)

    def _merged(self, commit: bytes, before: bytes, after: bytes) -> bytes:
        """The tree that has what lies between two others too."""
        wanted: dict[bytes, tuple[int, bytes] | None] = {}
        clashes = []
        changes = self._differences.difference(before, after)
        gone = {change.path for change in changes if change.op == Op.DELETED}
        for change in changes:
            path = change.path
            mine = None if change.op == Op.DELETED else (change.mode, change.oid)
            old, now = self._entry(before, path), self._entry(self._root, path)
            if now == mine:
                continue
            if now != old:
                merged = self._merge(old, mine, now)
                if merged is None:
                    clashes.append(path)
                    continue
                mine = merged
            elif mine is not None and now is None and self._shadowed(path, gone):
                clashes.append(path)
                continue
            wanted[path] = mine
        if clashes:
            raise Clashed(commit, clashes)
        if not wanted:
            return self._root
        made: list[EditedTree] = []
        root = edit_trees(self._tree, self._root if self._root != EMPTY_TREE_OID else None, wanted, made)
        for item in made:
            self._trees[item.oid] = item.raw
            self._add(item.oid, TREE, item.raw)
        if root is None:
            root = EMPTY_TREE_OID
            self._add(root, TREE, b"")
        for value in wanted.values():
            if value is not None and has_blob(value[0]) and value[1] not in self._objects:
                self._add(value[1], BLOB, None)
        return root

    def _merge(
        self, old: tuple[int, bytes] | None, mine: tuple[int, bytes] | None, now: tuple[int, bytes] | None
    ) -> tuple[int, bytes] | None:
        """Mode and content of a file that both sides changed, each merged on its own, or None."""
        if old is None or mine is None or now is None:
            return None
        if {side[0] >> 12 for side in (old, mine, now)} != {_FILE} or any(not has_blob(side[0]) for side in (old, now)):
            return None
        mode = mine[0] if now[0] == old[0] else now[0] if mine[0] in (old[0], now[0]) else None
        if mode is None:
            return None
        if mine[1] == now[1] or now[1] == old[1]:
            return mode, mine[1]
        if mine[1] == old[1]:
            return mode, now[1]
        if any(self._size_of(side[1]) > MAX_MERGE_BYTES for side in (old, mine, now)):
            return None
        result = merge3(self._blob(old[1]), self._blob(now[1]), self._blob(mine[1]))
        if not result.clean:
            return None
        oid = object_id(BLOB, result.merged)
        self._add(oid, BLOB, result.merged)
        return mode, oid

    def _shadowed(self, path: bytes, gone: set[bytes]) -> bool:
        """Whether a new file lies below a file that stays, or would hide files that stay."""
        root = self._root
        at = path.find(b"/")
        while at >= 0:
            above = self._entry(root, path[:at])
            if above is not None and above[0] >> 12 != _DIRECTORY and path[:at] not in gone:
                return True
            at = path.find(b"/", at + 1)
        below = self._entry(root, path, directories=True)
        return below is not None and any(name not in gone for name in self._files(path, below[1]))

    def _files(self, path: bytes, tree: bytes) -> list[bytes]:
        names, todo = [], [(path, tree)]
        while todo:
            prefix, oid = todo.pop()
            for entry in parse_tree(self._tree(oid), oid):
                name = prefix + b"/" + entry.name
                if entry.is_tree:
                    todo.append((name, entry.oid))
                else:
                    names.append(name)
        return names

    def _entry(self, root: bytes, path: bytes, directories: bool = False) -> tuple[int, bytes] | None:
        """(mode, id) of what is at a path of a tree; a directory is None unless they are asked for."""
        oid = root
        *above, last = path.split(b"/")
        for name in above:
            found = self._child(oid, name)
            if found is None or found[0] >> 12 != _DIRECTORY:
                return None
            oid = found[1]
        found = self._child(oid, last)
        return None if found is None or (found[0] >> 12 == _DIRECTORY) != directories else found

    def _child(self, tree: bytes, name: bytes) -> tuple[int, bytes] | None:
        known = self._parsed.get(tree)
        if known is None:
            if len(self._parsed) >= _PARSED:
                self._parsed.clear()
            entries = parse_tree(self._tree(tree), tree)
            known = self._parsed[tree] = {entry.name: (int(entry.digits, 8), entry.oid) for entry in entries}
        return known.get(name)

    def _tree(self, oid: bytes) -> bytes:
        if oid == EMPTY_TREE_OID:
            return b""
        raw = self._trees.get(oid)
        return self._packs.tree(oid) if raw is None else raw

    def _blob(self, oid: bytes) -> bytes:
        made = self._objects.get(oid, (BLOB, None))[1]
        return self._packs.read(oid, BLOB)[1] if made is None else made

    def _size_of(self, oid: bytes) -> int:
        made = self._objects.get(oid, (BLOB, None))[1]
        return self._packs.require(oid).size if made is None else len(made)

    def _rewritten(self, raw: bytes, tree: bytes) -> bytes:
        """The commit with another tree, parent and committer; what signed the old bytes is left out."""
        head, gap, message = raw.partition(b"\n\n")
        head = _SIGNED.sub(b"", head + b"\n")
        lead = b"tree %b\nparent %b\n" % (tree.hex().encode(), self.tip.hex().encode())
        head = lead + _COMMITTER.sub(lambda _: self._stamp, _PARENTS.sub(b"", head, count=1), count=1)
        return head.removesuffix(b"\n") + gap + message

    # ------------------------------------------------------------ what is kept

    def _add(self, oid: bytes, kind: int, data: bytes | None) -> None:
        if oid in self._objects:
            return
        self._objects[oid] = kind, data
        self._size += len(data or b"")
        if self._size > _LARGEST:
            raise TooLarge(
                f"What the rebased commits hold is more than {_LARGEST >> 20} MiB.",
                hint="Rebase them with git, then push to main.",
            )

    @property
    def empty(self) -> bool:
        """Whether nothing was made that is not here."""
        return all(self._here.has(oid) for oid in self._objects)

    def rebase(self, here: Packs) -> None:
        """What is here has grown: the next `write` leaves that out too."""
        self._here = here

    def write(self, out: BinaryIO) -> WrittenPack:
        """A pack of all that the new commits need and that is not here."""
        writer = PackWriter(out)
        for oid, (kind, data) in self._objects.items():
            if not self._here.has(oid):
                writer.add(kind, oid, self._packs.read(oid, kind)[1] if data is None else data)
        for line in self._lines:
            if writer.holds(line.oid):
                writer.commit(line)
        return writer.finish()
