"""Packs that are ready for those who clone: what the refs of a project reach, where that is not all that is kept.

    git/ready/{request:32 hex}       'MICY' u8 version=1 u8[3]=0 | u32 bytes | zstd(msgpack)     create-only
    git/ready/{name}.pack, .idx      what it holds, as kept packs and their indexes (mic.git.packindex)

A whole repository is its kept packs one behind the other. Where something of them is to be left out - a ref that clones
do not take, a branch that is gone, a filter, a depth - choosing the objects costs a walk through every tree. It is done
once for a set of tips, kept beside the packs, and extended by what landed since. All of it can be removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple, cast

import msgspec

from mic.core.errors import AlreadyExists, NotFound
from mic.git.boxed import box, unbox
from mic.git.packfolder import PackFolder
from mic.git.packs import Pack, Packs
from mic.git.packwrite import PackWriter
from mic.git.select import select
from mic.git.send import Trailers, copy_entries, send_parts
from mic.git.serving import FetchRequest, PackStream
from mic.git.snapshot import Snapshot
from mic.ledger import single
from mic.ledger.project import Project

MAGIC = b"MICY" + bytes((1, 0, 0, 0))
# So few objects are chosen and copied for each client anew.
FEW = 2_000
# Parts that one is made of before it is made anew, and how many a project keeps.
_PARTS = 8
_KEPT = 8
# A clone on a slow line may still be reading one that is removed.
_READ_MS = 6 * 3600 * 1000
_SPOOLED = 8 << 20
_FILTERS = frozenset({"", "blob:none", "tree:0"})


class Listing(msgspec.Struct, frozen=True):
    """What one that is kept says of itself: for which request, the commits and tags it was made for, its packs."""

    shape: str
    made_ms: int
    commits: tuple[bytes, ...]
    others: tuple[bytes, ...]
    parts: tuple[str, ...]
    shallow: tuple[bytes, ...] = ()


_decoder = msgspec.msgpack.Decoder(Listing)


class Asked(NamedTuple):
    """A clone: its request, the commits behind what it wants, what else it gets by name, and the tags there are."""

    request: FetchRequest
    commits: frozenset[bytes]
    others: frozenset[bytes]
    tags: Mapping[bytes, bytes]

    @property
    def shape(self) -> str:
        request = self.request
        return f"{request.depth} {request.filter} {int(request.include_tag)}"

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.shape.encode())
        for oids in (self.commits, self.others):
            digest.update(b"".join(sorted(oids)) + b"|")
        return digest.hexdigest()[:32]


def may_be_kept(request: FetchRequest) -> bool:
    """Whether it is a clone in a form that many ask for."""
    return (
        request.depth in (0, 1) and not request.deepen_since and not request.deepen_not and request.filter in _FILTERS
    )


class ReadyPacks:
    """Those of one project, shared by the threads of a process; clones that ask at once share one build."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._prefix = f"projects/{project.line.project}/git/ready/"
        self._folder = PackFolder(project, self._prefix)
        self._lock = threading.Lock()
        self._known: dict[str, Listing] = {}
        self._open: dict[str, Pack] = {}
        self._trailers = Trailers()

    def stream(self, snapshot: Snapshot, packs: Packs, asked: Asked) -> PackStream | None:
        """What a clone is sent; None where that is so little that nothing is kept of it."""
        with self._lock:
            found = self._known.get(asked.name)
            if found is None:
                self._look()
                found = self._known.get(asked.name)
            if found is not None and (parts := self._parts(asked.name, found)) is not None:
                count, data = send_parts(packs, parts, (), self._trailers)
                return PackStream(count, found.shallow, (), data)
            base, parts = self._base(snapshot, asked)
            haves = base.commits if base is not None else ()
            wanted = msgspec.structs.replace(asked.request, haves=haves)
            chosen = select(packs, snapshot.graph, wanted, asked.tags)
            # A tag that came later may name a commit that is there already.
            late = _tags_behind(snapshot, asked) if base is not None else []
            oids = [
                oid
                for oid in dict.fromkeys([*chosen.oids, *late])
                if all(part.index.find(oid) is None for part in parts)
            ]
            shallow = tuple(chosen.boundary.shallow) if chosen.boundary is not None else ()
            if len(oids) > FEW:
                made = self._keep(packs, asked, oids, base, parts, shallow)
                if made is not None:
                    parts, oids = (*parts, made), []
            elif base is None:
                return None
            count, data = send_parts(packs, parts, oids, self._trailers)
            return PackStream(count, shallow, (), data)

    def _base(self, snapshot: Snapshot, asked: Asked) -> tuple[Listing | None, tuple[Pack, ...]]:
        """The newest that holds nothing but what this clone is to be sent too, with its packs."""
        if asked.request.depth or asked.request.filter:
            return None, ()
        for name, item in sorted(self._known.items(), key=lambda known: known[1].made_ms, reverse=True):
            if item.shape != asked.shape or len(item.parts) >= _PARTS or not asked.others.issuperset(item.others):
                continue
            if snapshot.graph.closure(asked.commits).issuperset(item.commits):
                parts = self._parts(name, item)
                if parts is not None:
                    return item, parts
        return None, ()

    # ------------------------------------------------------------ the store

    def _look(self) -> None:
        """Learn what is there; what is gone is forgotten."""
        listed = {item.key.removeprefix(self._prefix) for item in self._project.run(single.listed(self._prefix))}
        names = {name for name in listed if "." not in name}
        for name in self._known.keys() - names:
            del self._known[name]
        for name in names - self._known.keys():
            with contextlib.suppress(NotFound):
                self._known[name] = decode_listing(
                    self._project.run(single.get(self._prefix + name)), self._prefix + name
                )
        used = {part for item in self._known.values() for part in item.parts}
        for part in self._open.keys() - used:
            del self._open[part]

    def _parts(self, name: str, listing: Listing) -> tuple[Pack, ...] | None:
        """The packs of one; None when it was removed meanwhile, by another front end."""
        try:
            return tuple(self._opened(part) for part in listing.parts)
        except NotFound:
            del self._known[name]
            return None

    def _opened(self, name: str) -> Pack:
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = self._folder.opened(name)
        return found

    def _keep(
        self,
        packs: Packs,
        asked: Asked,
        oids: Sequence[bytes],
        base: Listing | None,
        before: Sequence[Pack],
        shallow: tuple[bytes, ...],
    ) -> Pack | None:
        """Keep these objects behind the packs of `base`; None while as many are kept as a project may have."""
        now = self._project.run(single.now())
        parts = base.parts if base is not None else ()
        if not self._room(now, parts):
            return None
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED)) as out:
            writer = PackWriter(out)
            copy_entries(packs, oids, before, writer)
            written = writer.finish()
            self._folder.keep(written, out)
        made = Listing(
            asked.shape, now, tuple(sorted(asked.commits)), tuple(sorted(asked.others)), (*parts, written.name), shallow
        )
        # A listing says what is as good as this one.
        with contextlib.suppress(AlreadyExists):
            self._project.run(single.put_new(self._prefix + asked.name, encode_listing(made)))
        self._known[asked.name] = made
        return self._opened(written.name)

    def _room(self, now: int, needed: Sequence[str]) -> bool:
        """Make room for one more, by removing the oldest if nobody can be reading it. The packs `needed` stay."""
        if len(self._known) < _KEPT:
            return True
        name, oldest = min(self._known.items(), key=lambda item: item[1].made_ms)
        if now - oldest.made_ms < _READ_MS:
            return False
        del self._known[name]
        self._project.run(single.delete(self._prefix + name))
        used = {part for item in self._known.values() for part in item.parts}
        for part in set(oldest.parts) - used - set(needed):
            self._open.pop(part, None)
            self._folder.remove(part)
        return True

    def clear(self) -> None:
        """Remove all of it: it is made anew when it is asked for."""
        with self._lock:
            self._known.clear()
            self._open.clear()
            for item in self._project.run(single.listed(self._prefix)):
                self._project.run(single.delete(item.key))


def _tags_behind(snapshot: Snapshot, asked: Asked) -> list[bytes]:
    if not asked.request.include_tag:
        return []
    reach = snapshot.graph.closure(asked.commits)
    return [tag for target, tag in asked.tags.items() if target in reach]


def encode_listing(listing: Listing) -> bytes:
    """The bytes of a listing."""
    return box(MAGIC, listing)


def decode_listing(raw: bytes, name: str) -> Listing:
    """A listing from its bytes. Raises Corrupt."""
    return unbox(MAGIC, _decoder, raw, name)
