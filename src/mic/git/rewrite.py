"""A project's Git objects without what was erased: what stands in the place of contents and words, from there on anew.

A Git id covers every byte below it, so a tree that names other words is another tree, and every commit from there on
another commit. What comes out is a function of what goes in: whoever does it gets the same ids. Signatures covered the
old bytes, and are taken out. Ids that are no more are kept with those that took their place.

    git/rewritten/{sha256}   'MICN' u8 version=1 u8[3]=0 | u32 bytes | zstd(msgpack)     create-only
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

import msgspec

from mic.core.errors import Corrupt
from mic.core.stand_in import SIGNED
from mic.core.tombstone import Tombstone
from mic.git.boxed import box, unbox
from mic.git.graph import Graph
from mic.git.objects import EMPTY_TREE_OID, commit_line, tag_target
from mic.git.packentry import BLOB, COMMIT, TAG, TREE, object_id
from mic.git.packindex import FAR_BASE
from mic.git.packs import Found, Pack, Packs
from mic.git.packwrite import PackWriter, WrittenPack
from mic.git.send import copy_entries
from mic.git.tree_entries import parse_tree

MAGIC = b"MICN" + bytes((1, 0, 0, 0))
_TAG_SIGNATURE = re.compile(rb"^-----BEGIN (?:PGP|SSH) [A-Z ]*SIGNATURE-----$", re.M)
_LINK = b"120000"
# Makes other bytes of those of a commit or a tag, with as many parents as before.
Edit = Callable[[bytes], bytes]
# Tags of tags are followed so far.
_NESTED = 64


class Rewritten(msgspec.Struct, frozen=True):
    """Ids of objects that are no more, and of those that took their place; of commits and tags."""

    ids: dict[bytes, bytes]


_decoder = msgspec.msgpack.Decoder(Rewritten)


def encode_rewritten(ids: Mapping[bytes, bytes]) -> bytes:
    """The bytes of such a list."""
    return box(MAGIC, Rewritten(dict(sorted(ids.items()))))


def decode_rewritten(raw: bytes, name: str) -> Rewritten:
    """A list from its bytes. Raises Corrupt."""
    found = unbox(MAGIC, _decoder, raw, name)
    if any(len(old) != 20 or len(new) != 20 for old, new in found.ids.items()):
        raise Corrupt(f"{name} is damaged: an id that has not 20 bytes", object=name)
    return found


def rewrite_commit(raw: bytes, tree: bytes, parents: Sequence[bytes]) -> bytes:
    """A commit of another tree and other parents, as many as before: without what was signed over the old ones."""
    head, blank, message = raw.partition(b"\n\n")
    lines = (head + b"\n").split(b"\n", 1 + len(parents))
    assert lines[0].startswith(b"tree ")
    assert all(line.startswith(b"parent ") for line in lines[1 : 1 + len(parents)])
    links = [b"tree %s\n" % tree.hex().encode(), *(b"parent %s\n" % parent.hex().encode() for parent in parents)]
    rest = SIGNED.sub(b"", lines[-1])
    return b"".join(links) + rest.removesuffix(b"\n") + blank + message


def rewrite_tag(raw: bytes, target: bytes) -> bytes:
    """A tag of another object, without its signature."""
    raw = b"object %s\n" % target.hex().encode() + raw.split(b"\n", 1)[1]
    signed = _TAG_SIGNATURE.search(raw)
    return raw[: signed.start()] if signed else raw


def rewrite_tree(raw: bytes, oid: bytes, ids: Mapping[bytes, bytes]) -> bytes:
    """A tree with other ids. A link whose target was erased becomes a file: words are no target."""
    return b"".join(
        b"%s %s\x00%s" % (b"100644" if entry.digits == _LINK and entry.oid in ids else entry.digits, entry.name,
                          ids.get(entry.oid, entry.oid))
        for entry in parse_tree(raw, oid)
    )  # fmt: skip


class Rewrite:
    """What becomes of all objects of some packs, when these contents are erased.

    `said` makes the bytes of some commits, by their ids, anew; `named` those of every commit and tag, or leaves them.
    """

    def __init__(
        self,
        packs: Packs,
        graph: Graph,
        erased: Mapping[bytes, Tombstone],
        said: Mapping[bytes, Edit] | None = None,
        named: Edit | None = None,
    ) -> None:
        self._packs, self._graph = packs, graph
        self.ids: dict[bytes, bytes] = {}  # of every object that is no more
        self._made: list[tuple[int, bytes, bytes]] = []
        self._said, self._named = said or {}, named
        self._blobs(erased)
        if self.ids:
            self._trees()
        if self.ids or said or named:
            self._commits()
            self._tags()

    def _take(self, kind: int, old: bytes, raw: bytes) -> None:
        oid = object_id(kind, raw)
        self.ids[old] = oid
        self._made.append((kind, oid, raw))

    def _all(self, kind: int) -> Iterator[bytes]:
        for pack in self._packs.packs:
            for item in pack.index.objects():
                if item.kind == kind:
                    yield item.oid

    def _blobs(self, erased: Mapping[bytes, Tombstone]) -> None:
        sizes = {tombstone.size for tombstone in erased.values()}
        for pack in self._packs.packs:
            for item in pack.index.objects():
                if item.kind != BLOB or item.size not in sizes:
                    continue
                name = item.other or hashlib.sha256(self._packs.read(item.oid)[1]).digest()
                if name in erased:
                    self._take(BLOB, item.oid, erased[name].text.encode())

    def _trees(self) -> None:
        """From below: a tree is another one when something that it names is."""
        done: set[bytes] = set()
        for root in self._all(TREE):
            todo = [root]
            while todo:
                oid = todo[-1]
                if oid in done or oid in self.ids:
                    todo.pop()
                    continue
                raw = self._packs.tree(oid)
                entries = parse_tree(raw, oid)
                below = [
                    entry.oid
                    for entry in entries
                    if entry.is_tree
                    and entry.oid not in done
                    and entry.oid not in self.ids
                    and self._packs.has(entry.oid)
                ]
                if below:
                    todo += below
                    continue
                todo.pop()
                if any(entry.oid in self.ids for entry in entries):
                    self._take(TREE, oid, rewrite_tree(raw, oid, self.ids))
                else:
                    done.add(oid)

    def _commits(self) -> None:
        lines = self._graph.lines
        for oid in reversed(self._graph.newest_first(set(lines))):
            line = lines[oid]
            moved = line.tree in self.ids or any(parent in self.ids for parent in line.parents)
            if not moved and oid not in self._said and self._named is None:
                continue
            before = self._packs.read(oid, COMMIT)[1]
            raw = self._edited(oid, before)
            if moved or raw != before:
                parents = [self.ids.get(parent, parent) for parent in line.parents]
                self._take(COMMIT, oid, rewrite_commit(raw, self.ids.get(line.tree, line.tree), parents))

    def _edited(self, oid: bytes, raw: bytes) -> bytes:
        """The bytes of a commit or tag without what was said in it, and without whoever was named."""
        if (said := self._said.get(oid)) is not None:
            raw = said(raw)
        return self._named(raw) if self._named is not None else raw

    def _tags(self) -> None:
        tags = {oid: self._packs.read(oid, TAG)[1] for oid in self._all(TAG)}
        for oid, raw in tags.items():
            if (made := self._edited(oid, raw)) != raw:
                target = tag_target(oid, made)[0]
                self._take(TAG, oid, rewrite_tag(made, self.ids.get(target, target)))
        for _ in range(_NESTED):
            found = [
                (oid, raw, target)
                for oid, raw in tags.items()
                if oid not in self.ids and (target := tag_target(oid, raw)[0]) in self.ids
            ]
            for oid, raw, target in found:
                self._take(TAG, oid, rewrite_tag(raw, self.ids[target]))
            if not found:
                return

    def kept_ids(self) -> dict[bytes, bytes]:
        """The ids that people know: of commits and tags."""
        kinds = {oid: kind for kind, oid, _ in self._made}
        return {old: new for old, new in self.ids.items() if kinds[new] in (COMMIT, TAG)}

    def is_touched(self, pack: Pack) -> bool:
        """Whether a pack holds something that is no more, or leans on it."""
        for number, oid in enumerate(pack.index.oids()):
            if oid in self.ids:
                return True
            kind, _, _, base, size = pack.index.place(number)
            if base == FAR_BASE and self._packs.base_of(Found(pack, number, kind, size, False)) in self.ids:
                return True
        return False

    def without(self, pack: Pack, before: Sequence[Pack], out: BinaryIO) -> WrittenPack | None:
        """A pack of what stays of another, behind the packs `before`; None when nothing does."""
        oids = [oid for oid in pack.index.oids() if oid not in self.ids]
        if not oids:
            return None
        writer = PackWriter(out)
        copy_entries(self._packs, oids, before, writer)
        for line in pack.index.commits():
            if line.oid not in self.ids:
                writer.commit(line)
        return writer.finish()

    def new(self, has: Callable[[bytes], bool], out: BinaryIO) -> WrittenPack | None:
        """A pack of what took the place of something, but for what there is already."""
        writer = PackWriter(out)
        for kind, oid, raw in self._made:
            if writer.holds(oid) or has(oid) or (kind == TREE and oid == EMPTY_TREE_OID):
                continue
            writer.add(kind, oid, raw)
            if kind == COMMIT:
                writer.commit(commit_line(oid, raw))
        return writer.finish() if writer.objects else None
