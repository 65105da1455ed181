"""A project as a Git repository: its refs, and packs for those who fetch."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import BinaryIO

import msgspec

from mic.core.errors import InvalidInput, NotFound
from mic.core.ids import parse_ulid
from mic.git.graph import Graph
from mic.git.kept import KeptObjects
from mic.git.kept_notes import NotesSnapshot
from mic.git.objects import tag_target
from mic.git.packentry import TAG
from mic.git.packs import Packs
from mic.git.ready import Asked, may_be_kept
from mic.git.select import select
from mic.git.send import send, send_all
from mic.git.serving import FetchRequest, PackStream, Ref, RefResult, Refs, RefUpdate
from mic.git.shown import Shown
from mic.git.snapshot import Snapshot
from mic.git.view import NOTES

_LANDING = re.compile(rb"refs/landings/(\d{1,18})")
_SESSION = re.compile(rb"refs/sessions/(?:ses_)?([0-9A-Za-z]{26})")

# Takes a pushed pack: the snapshot it is judged against, the updates, the pack, and the push options.
Take = Callable[[Snapshot, Sequence[RefUpdate], BinaryIO | None, bool, Sequence[bytes]], list[RefResult]]


class ServedRepository:
    """One request's look at a repository: all of its answers are of one snapshot. `take` takes in what is pushed.

    Raises InvalidInput when the project's history cannot be given to Git with the ids that it promises.
    """

    def __init__(self, kept: KeptObjects, take: Take | None = None) -> None:
        self._kept, self._take = kept, take
        self._snapshot = kept.caught_up()
        if self._snapshot.view.trouble:
            raise InvalidInput(
                f"This project cannot be served to Git: {self._snapshot.view.trouble}.",
                hint="`mic import git SOURCE ORG/PROJECT` into this project brings what is missing.",
            )
        self._packs: Packs = kept.reader(self._snapshot)
        self._noted = False

    @property
    def _graph(self) -> Graph:
        return self._snapshot.graph

    @cached_property
    def _shown(self) -> Shown:
        return self._kept.shown(self._snapshot, self._packs)

    def refs(self) -> Refs:
        """All refs that are shown."""
        return self._shown.refs

    def hidden(self, names: Sequence[bytes]) -> list[Ref]:
        """`refs/landings/N` and `refs/sessions/ID`, the commits of landings; `refs/notes/ai`, who wrote them."""
        found = []
        for name in names:
            if name == NOTES and (tip := self._join(self._kept.notes.caught_up(self._snapshot))):
                found.append(Ref(name, tip))
            position = self._position(name)
            oid = self._kept.commit_at(self._snapshot, position) if position else None
            if oid is not None:
                found.append(Ref(name, oid))
        return found

    def _position(self, name: bytes) -> int | None:
        if landing := _LANDING.fullmatch(name):
            return int(landing[1])
        if session := _SESSION.fullmatch(name):
            try:
                return self._kept.project.find_session(parse_ulid(session[1].decode().upper()))
            except InvalidInput:
                return None
        return None

    def _join(self, notes: NotesSnapshot) -> bytes:
        """Make the objects of the notes part of what is served; the newest commit of them, b"" for none."""
        if not self._noted:
            graph = self._snapshot.graph.with_more(notes.graph.lines.values())
            self._snapshot = self._snapshot._replace(packs=(*self._snapshot.packs, *notes.packs), graph=graph)
            self._packs = self._kept.reader(self._snapshot)
            self._noted = True
        return notes.view.tip

    def common(self, haves: Sequence[bytes]) -> list[bytes]:
        """Those of the objects that are here."""
        if any(oid in self._kept.notes.known.graph for oid in haves):
            self._join(self._kept.notes.known)
        return [oid for oid in haves if oid in self._graph or self._packs.has(oid)]

    def ready(self, wants: Sequence[bytes], haves: Sequence[bytes]) -> bool:
        """Whether every want is one of the haves or has one behind it."""
        graph = self._graph
        held = {oid for oid in haves if oid in graph}
        if not held:
            return False
        commits = [oid for oid in map(self._commit_of, wants) if oid is not None]
        return all(self._meets(oid, held) for oid in commits)

    def _meets(self, tip: bytes, held: set[bytes]) -> bool:
        seen: set[bytes] = set()
        todo = [tip]
        while todo:
            oid = todo.pop()
            if oid in held:
                return True
            if oid not in seen and oid in self._graph:
                seen.add(oid)
                todo += self._graph.lines[oid].parents
        return False

    def _commit_of(self, want: bytes) -> bytes | None:
        for _ in range(64):
            if want in self._graph:
                return want
            found = self._packs.find(want)
            if found is None or found.kind != TAG:
                return None
            want = tag_target(want, self._packs.read(want, TAG)[1])[0]
        return None

    def sizes(self, oids: Sequence[bytes]) -> list[int | None]:
        """Sizes of objects in bytes, None for one that is not here."""
        found = map(self._packs.find, oids)
        return [None if item is None else item.size for item in found]

    def fetch(self, request: FetchRequest) -> PackStream:
        """What the client lacks. NotFound for a want that is not here."""
        resolved = request
        if not self._shown.ids.issuperset(request.wants) and not all(map(self._packs.has, request.wants)):
            self._join(self._kept.notes.newest())
        if request.deepen_not:
            named = tuple(map(self._named, request.deepen_not))
            resolved = msgspec.structs.replace(request, deepen_not=named)
        # Kept packs are copied as they lie, and have distances to bases in them.
        as_kept = request.ofs_delta and not (request.haves or request.shallow or self._noted)
        if as_kept and (whole := self._cloned(resolved)) is not None:
            return whole
        selection = select(self._packs, self._graph, resolved, self._shown.tags)
        count, data = send(self._packs, selection.oids, selection.held, thin=request.thin, ofs_delta=request.ofs_delta)
        boundary = selection.boundary
        if boundary is None:
            return PackStream(count, (), (), data)
        return PackStream(count, boundary.shallow, boundary.unshallow, data)

    def _cloned(self, request: FetchRequest) -> PackStream | None:
        """What is sent to who has nothing, of packs that are kept; None where the objects must be chosen."""
        if not may_be_kept(request):
            return None
        plan = self._shown.plan(self._snapshot, self._packs, request)
        if isinstance(plan, Asked):
            return self._kept.ready.stream(self._snapshot, self._packs, plan)
        if not plan:
            return None
        count, data = send_all(self._packs, self._kept.trailers)
        return PackStream(count, (), (), data)

    def _named(self, name: bytes) -> bytes:
        """The commit that a ref names, as a client asks not to go beyond it."""
        refs = self._shown.names
        for full in (name, b"refs/heads/" + name, b"refs/tags/" + name):
            commit = self._commit_of(refs[full]) if full in refs else None
            if commit is not None:
                return commit
        if len(name) == 40 and (commit := self._commit_of(bytes.fromhex(name.decode("ascii", "replace")))) is not None:
            return commit
        raise NotFound(
            f"There is no ref {name[:80].decode('utf-8', 'replace')} to stop at.", hint="Name a branch or tag."
        )

    def receive(
        self, updates: Sequence[RefUpdate], pack: BinaryIO | None, *, atomic: bool, options: Sequence[bytes]
    ) -> list[RefResult]:
        """Take a pushed pack and move refs."""
        if self._take is None:
            return [RefResult(update.name, "this repository is read-only here") for update in updates]
        return self._take(self._snapshot, updates, pack, atomic, options)
