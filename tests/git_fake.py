"""A small Git repository in memory that answers as `mic.git.serving` asks: naive walks over dulwich's objects."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from dulwich.object_format import SHA1
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree
from dulwich.pack import write_pack_objects

from mic.core.errors import InvalidInput, NotFound
from mic.git.serving import ABSENT, FetchRequest, PackStream, Ref, RefResult, Refs, RefUpdate

_DAY = 86_400
FIRST_DATE = 1_700_000_000


class FakeRepository:
    """Refs and objects. `hidden_refs` are served by name only; `asked` keeps what was fetched."""

    def __init__(self) -> None:
        self.store = MemoryObjectStore()
        self.heads: dict[bytes, bytes] = {}
        self.hidden_refs: dict[bytes, bytes] = {}
        self.asked: list[FetchRequest] = []
        self.options: list[bytes] = []

    def add(self, thing: ShaFile) -> bytes:
        """Keep an object; its id in 20 bytes."""
        self.store.add_object(thing)
        return bytes(thing.sha().digest())

    def commit(self, files: dict[bytes, bytes], *parents: bytes, number: int = 0, ref: bytes = b"") -> bytes:
        """A commit of these files, `number` days after the first date; `ref` is moved there."""
        tree = Tree()
        for name, data in files.items():
            blob = Blob.from_string(data)
            self.add(blob)
            tree.add(name, 0o100644, blob.id)
        self.add(tree)
        made = Commit()
        made.tree = tree.id
        made.parents = [parent.hex().encode() for parent in parents]
        made.author = made.committer = b"A U Thor <author@example.com>"
        made.author_time = made.commit_time = FIRST_DATE + number * _DAY
        made.author_timezone = made.commit_timezone = 0
        made.message = b"commit %d\n" % number
        oid = self.add(made)
        if ref:
            self.heads[ref] = oid
        return oid

    def tag(self, name: bytes, target: bytes) -> bytes:
        """An annotated tag, and the ref that is called so."""
        made = Tag()
        made.name = name
        made.object = (type(self[target]), target.hex().encode())
        made.tagger = b"A U Thor <author@example.com>"
        made.tag_time, made.tag_timezone, made.message = FIRST_DATE, 0, b"a tag\n"
        self.heads[b"refs/tags/" + name] = oid = self.add(made)
        return oid

    def __getitem__(self, oid: bytes) -> ShaFile:
        return self.store[oid.hex().encode()]

    def __contains__(self, oid: bytes) -> bool:
        return oid.hex().encode() in self.store

    def refs(self) -> Refs:
        return Refs(b"refs/heads/main", [self._ref(name, oid) for name, oid in sorted(self.heads.items())])

    def hidden(self, names: Sequence[bytes]) -> list[Ref]:
        return [self._ref(name, self.hidden_refs[name]) for name in names if name in self.hidden_refs]

    def common(self, haves: Sequence[bytes]) -> list[bytes]:
        return [oid for oid in haves if oid in self]

    def ready(self, wants: Sequence[bytes], haves: Sequence[bytes]) -> bool:
        return all(self._history([want], ()) & set(haves) for want in wants)

    def sizes(self, oids: Sequence[bytes]) -> list[int | None]:
        return [len(self[oid].as_raw_string()) if oid in self else None for oid in oids]

    def fetch(self, request: FetchRequest) -> PackStream:
        self.asked.append(request)
        for want in request.wants:
            if want not in self:
                raise NotFound(f"There is no object {want.hex()} here.")
        ends = self._ends(request)
        deepens = request.depth or request.deepen_since or request.deepen_not
        closed = ends if deepens else set(request.shallow)
        wanted = self._all(request.wants, closed, request.filter)
        had = self._all(request.haves, set(request.shallow), "")
        if request.include_tag:
            wanted |= {oid for name, oid in self.heads.items() if name.startswith(b"refs/tags/")}
        sent = sorted(wanted - had - set(() if deepens else request.haves))
        data = io.BytesIO()
        write_pack_objects(data.write, [(self[oid], None) for oid in sent], deltify=False, object_format=SHA1)
        fresh = sorted(ends - set(request.shallow))
        grown = sorted(set(request.shallow) - ends) if deepens else []
        return PackStream(len(sent), fresh, grown, iter([data.getvalue()]))

    def receive(
        self, updates: Sequence[RefUpdate], pack: BinaryIO | None, *, atomic: bool, options: Sequence[bytes]
    ) -> list[RefResult]:
        self.options = list(options)
        if pack is not None:
            try:
                self.store.add_thin_pack(pack.read, pack.read)
            except Exception as error:
                raise InvalidInput(f"the pack is damaged: {error}") from error
        results = [RefResult(update.name, self._refusal(update)) for update in updates]
        if atomic and any(result.error for result in results):
            return [result if result.error else RefResult(result.name, "atomic push failed") for result in results]
        for update, result in zip(updates, results, strict=True):
            if not result.error:
                self.heads.pop(update.name, None)
                if update.new != ABSENT:
                    self.heads[update.name] = update.new
        return results

    def _refusal(self, update: RefUpdate) -> str:
        if update.name.startswith(b"refs/refused/"):
            return "not here"
        return "" if self.heads.get(update.name, ABSENT) == update.old else "fetch first"

    def _ref(self, name: bytes, oid: bytes) -> Ref:
        thing, peeled = self[oid], None
        while isinstance(thing, Tag):
            peeled = bytes.fromhex(thing.object[1].decode())
            thing = self[peeled]
        return Ref(name, oid, peeled)

    def _parents(self, oid: bytes) -> list[bytes]:
        thing = self[oid]
        return [bytes.fromhex(parent.decode()) for parent in thing.parents] if isinstance(thing, Commit) else []

    def _history(self, tips: Sequence[bytes], ends: Sequence[bytes] | set[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        pending = list(tips)
        while pending:
            oid = pending.pop()
            if oid in found or oid not in self:
                continue
            found.add(oid)
            thing = self[oid]
            if isinstance(thing, Tag):
                pending.append(bytes.fromhex(thing.object[1].decode()))
            elif oid not in ends:
                pending += self._parents(oid)
        return found

    def _ends(self, request: FetchRequest) -> set[bytes]:
        """The commits that the client's history shall end at; none for a whole history."""
        if request.depth:
            reached, edge = set(request.wants), set(request.wants)
            if request.deepen_relative:
                reached, edge = self._history(request.wants, request.shallow), set(request.shallow)
            for _ in range(request.depth - (not request.deepen_relative)):
                edge = {parent for oid in edge for parent in self._parents(oid)} - reached
                reached |= edge
                if not edge:
                    break
        elif request.deepen_since:
            reached = {oid for oid in self._history(request.wants, ()) if self._date(oid) >= request.deepen_since}
        elif request.deepen_not:
            excluded = self._history([self.heads[name] for name in request.deepen_not], ())
            reached = self._history(request.wants, ()) - excluded
        else:
            return set()
        return {oid for oid in reached if set(self._parents(oid)) - reached}

    def _date(self, oid: bytes) -> int:
        thing = self[oid]
        return int(thing.commit_time) if isinstance(thing, Commit) else 0

    def _all(self, tips: Sequence[bytes], ends: set[bytes], wanted: str) -> set[bytes]:
        found = set()
        for oid in self._history(tips, ends):
            found.add(oid)
            thing = self[oid]
            if isinstance(thing, Commit) and wanted != "tree:0":
                found |= set(self._tree(bytes.fromhex(thing.tree.decode()), wanted))
        return found

    def _tree(self, oid: bytes, wanted: str) -> Iterator[bytes]:
        yield oid
        tree = self[oid]
        assert isinstance(tree, Tree)
        if wanted != "blob:none":
            yield from (bytes.fromhex(entry.sha.decode()) for entry in tree.items())
