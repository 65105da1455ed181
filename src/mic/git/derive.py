"""Git objects of landings: contents, trees and a commit for each, as far as they are not here yet.

What mic landed has a commit that is a function of the landing (`native`); what came from Git has its own, byte for
byte. Trees are made from the parent's by editing what the landing changed, and a commit that came from Git must name
exactly the tree that comes out: identity is checked, not hoped for.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from mic.core.errors import Corrupt
from mic.core.paths import display
from mic.core.record import PathChange, Record
from mic.core.session import Change, Session
from mic.core.stand_in import MARK
from mic.core.tombstone import Tombstone
from mic.core.tree import Entry
from mic.git.deltas import DeltaWriter
from mic.git.native import native_commit
from mic.git.objects import EMPTY_TREE_OID, EditedTree, commit_line, edit_trees
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.packs import Packs
from mic.git.packwrite import PackWriter
from mic.git.rewrite import rewrite_commit
from mic.git.tree_entries import GITLINK

# Contents above this are not put into packs a second time: they are sent from where the project keeps them.
ELSEWHERE_BYTES = 1 << 20
_KNOWN = 200_000


class Landings(Protocol):
    """What is asked of a project's data plane; `mic.ledger.project.Project` is one."""

    def session_of(self, record: Record) -> Session: ...
    def blob(self, object_hash: bytes) -> bytes: ...
    def pieces(self, object_hash: bytes) -> Iterator[bytes]: ...


class Unservable(Exception):
    """The history cannot be given to Git with the ids that it promises; the message says why."""


class Tip(NamedTuple):
    """The commit of the newest landing that was derived, and its tree; b"" and the empty tree before the first."""

    commit: bytes
    tree: bytes


class Derivation:
    """Derives one landing after the other. `packs` is what is here, `writer` takes what is new."""

    def __init__(
        self,
        landings: Landings,
        packs: Packs,
        writer: PackWriter,
        known: OrderedDict[bytes, bytes],
        erased: Mapping[bytes, Tombstone] | None = None,
        rewritten: Mapping[bytes, bytes] | None = None,
        silent: bool = False,
    ) -> None:
        self._landings, self._packs, self._writer = landings, packs, writer
        # What was erased, in whose place words stand; and ids of commits that are no more for it, with the new ones.
        self._erased = erased or {}
        self._changed = bool(erased) or silent  # something stands in for a content, or for a session
        self.rewritten = dict(rewritten or {})
        self._oids = known  # SHA-256 of a content -> its Git id, of those looked at lately
        self._trees: dict[bytes, bytes] = {}
        self._deltas = DeltaWriter(packs, writer)

    def landing(self, record: Record, tip: Tip) -> Tip:
        """The commit of a landing on the one before. Raises Unservable."""
        session = self._landings.session_of(record)
        git: dict[str, Any] = session.metadata.get("git") or {}
        oid, raw = git.get("commit"), git.get("raw")
        if isinstance(oid, bytes):
            oid = self.rewritten.get(oid, oid)
        if isinstance(oid, bytes) and self._packs.has(oid):
            line = commit_line(oid, self._packs.read(oid, COMMIT)[1])
            return Tip(oid, line.tree)
        tree = self._tree(record, session, tip)
        if isinstance(oid, bytes) and isinstance(raw, bytes):
            oid, raw = self._without(oid, raw, tree, tip, anew=MARK in session.metadata)
            self._check(record, oid, raw, tree, tip)
        else:
            raw = native_commit(record, session, tree, tip.commit)
            oid = object_id(COMMIT, raw)
            if self._packs.has(oid):  # of another line that this one began from
                return Tip(oid, tree)
        self._writer.add(COMMIT, oid, raw)
        self._writer.commit(commit_line(oid, raw))
        return Tip(oid, tree)

    def _without(self, oid: bytes, raw: bytes, tree: bytes, tip: Tip, *, anew: bool) -> tuple[bytes, bytes]:
        """A commit as it is, or where something was erased from it, its tree or before it, the one in its place.

        Of one that was made `anew` without its words, the bytes have not the id that it came with.
        """
        anew = anew and object_id(COMMIT, raw) != oid
        if not anew and (not self._changed or object_id(COMMIT, raw) != oid):
            return oid, raw
        line = commit_line(oid, raw)
        first = (tip.commit,) if tip.commit else ()
        if not anew and line.tree == tree and line.parents[:1] == first:
            return oid, raw
        parents = [*first, *(self.rewritten.get(parent, parent) for parent in line.parents[1:])]
        if len(parents) != len(line.parents):
            return oid, raw
        made = rewrite_commit(raw, tree, parents)
        self.rewritten[oid] = object_id(COMMIT, made)
        return self.rewritten[oid], made

    def _check(self, record: Record, oid: bytes, raw: bytes, tree: bytes, tip: Tip) -> None:
        if len(oid) != 20 or object_id(COMMIT, raw) != oid:
            raise Unservable(f"the commit of landing @{record.position} does not have the id that was kept with it")
        line = commit_line(oid, raw)
        if line.tree != tree:
            raise Unservable(
                f"the tree of commit {oid.hex()[:12]} (landing @{record.position}) is spelled in a way of its own,"
                " which an earlier import did not keep"
            )
        if line.parents[:1] != ((tip.commit,) if tip.commit else ()):
            raise Unservable(f"commit {oid.hex()[:12]} (landing @{record.position}) has another first parent")
        for parent in line.parents[1:]:
            if not self._packs.has(parent):
                raise Unservable(
                    f"commit {oid.hex()[:12]} (landing @{record.position}) merges a side branch,"
                    " which an earlier import did not keep"
                )

    # ------------------------------------------------------------ trees and contents

    def _tree(self, record: Record, session: Session, tip: Tip) -> bytes:
        bases = {change.path: change for change in session.changes}
        wanted: dict[bytes, tuple[int, bytes] | None] = {}
        for change in record.changes:
            wanted[change.path] = self._file(change, bases.get(change.path))
        made: list[EditedTree] = []
        root = tip.tree if tip.commit and tip.tree != EMPTY_TREE_OID else None
        tree = edit_trees(self._read_tree, root, wanted, made) if wanted else root
        for item in made:
            self._trees[item.oid] = item.raw
            if not self._deltas.here(item.oid):
                self._deltas.add(TREE, item.oid, item.raw, item.before, self._read_tree)
        if tree is None:
            tree = EMPTY_TREE_OID
            if not self._deltas.here(tree):
                self._writer.add(TREE, tree, b"")
        return tree

    def _read_tree(self, oid: bytes) -> bytes:
        raw = self._trees.get(oid)
        return self._packs.tree(oid) if raw is None else raw

    def _file(self, change: PathChange, session_change: Change | None) -> tuple[int, bytes] | None:
        entry = change.entry
        if entry is None:
            return None
        if entry.hash in self._erased:
            return self._words(entry, self._erased[entry.hash])
        if entry.mode & 0o170000 == GITLINK:
            named = self._landings.blob(entry.hash)
            try:
                return entry.mode, _twenty(bytes.fromhex(named.decode("ascii")))
            except ValueError:
                raise Unservable(f"{display(entry.path)} is a submodule that names no commit") from None
        known = self._oids.get(entry.hash)
        if known is None or not self._deltas.here(known):
            known = self._content(entry, session_change)
            self._oids[entry.hash] = known
            if len(self._oids) > _KNOWN:
                self._oids.popitem(last=False)
        return entry.mode, known

    def _words(self, entry: Entry, tombstone: Tombstone) -> tuple[int, bytes]:
        """What stands in the place of an erased content. A link becomes a file: words are no target."""
        data = tombstone.text.encode()
        oid = object_id(BLOB, data)
        if not self._deltas.here(oid):
            self._writer.add(BLOB, oid, data)
        return (entry.mode if entry.mode & 0o170000 == 0o100000 else 0o100644), oid

    def _content(self, entry: Entry, change: Change | None) -> bytes:
        if entry.size > ELSEWHERE_BYTES:
            digest = hashlib.sha1(b"blob %d\x00" % entry.size)  # noqa: S324 - Git's own names
            for piece in self._landings.pieces(entry.hash):
                digest.update(piece)
            oid = digest.digest()
            if not self._deltas.here(oid):
                self._writer.elsewhere(BLOB, oid, entry.size, entry.hash)
            return oid
        data = self._landings.blob(entry.hash)
        if len(data) != entry.size:
            raise Corrupt(f"{display(entry.path)} has {len(data)} bytes and not the {entry.size} of its record.")
        oid = object_id(BLOB, data)
        if not self._deltas.here(oid):
            before = self._oids.get(change.base_hash, b"") if change is not None and change.base_hash else b""
            if change is not None and change.base_hash in self._erased:
                before = b""
            base = change.base_hash if change is not None else b""
            self._deltas.add(BLOB, oid, data, before, lambda _: self._landings.blob(base))
        return oid


def _twenty(oid: bytes) -> bytes:
    if len(oid) != 20:
        raise ValueError(oid)
    return oid
