"""What is read of one project: the half of its data plane that changes nothing but what this process knows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mic.core.attribution import Attribution
from mic.core.chunklist import ChunkList, decode_page
from mic.core.epoch import CONTENTS, PackRef
from mic.core.errors import Corrupt, InvalidInput, NotFound, Unavailable
from mic.core.head import Head
from mic.core.indexrun import Place
from mic.core.record import Record
from mic.core.session import Session, decode_session, encode_session
from mic.core.tombstone import Tombstone
from mic.core.tree import BLOB, Entry, TreeChange, diff, list_directory, lookup, scan, totals
from mic.core.tree.edit import Found, Need
from mic.core.tree.read import after_prefix
from mic.ledger import single
from mic.ledger.attribution import attributions
from mic.ledger.blame_cache import BlameCache
from mic.ledger.chunked import read_list
from mic.ledger.contents import read_blob, read_range
from mic.ledger.download import read_frames
from mic.ledger.driver import Driver
from mic.ledger.effects import Protocol
from mic.ledger.follow import refresh
from mic.ledger.frame import MAX_CONTENT, Frame
from mic.ledger.line import Inspect, Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache, with_nodes
from mic.ledger.objects import Objects
from mic.ledger.pushed import drop_pushes, keep_push, newest_push, places
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small
from mic.ledger.tombstones import bury
from mic.ledger.trees import tree_at
from mic.ledger.upload import Upload
from mic.store.tiers import Range

if TYPE_CHECKING:
    from mic.core.redaction import Redaction
    from mic.ledger.blame import Blamed
    from mic.ledger.path_history import PathHistory

T = TypeVar("T")

_log = logging.getLogger("mic.ledger")

MAX_BLOB = 32 << 20
# Of a directory that was opened, files up to this size are read ahead, and so many bytes of them.
_SMALL = 64 << 10
_FORETOLD = 4 << 20


class Landing(NamedTuple):
    """A record of the log and the session that it landed."""

    record: Record
    session: Session


class Push(NamedTuple):
    """What was pushed of an open session: the session with its changes, its packs, and where their contents lie."""

    session: Session
    packs: Sequence[PackRef]
    places: Mapping[bytes, Place]


class ReadableProject:
    """Head, log, sessions, trees and contents of one project, for whoever reads; `Project` lands there as well."""

    def __init__(
        self,
        driver: Driver,
        project: str,
        cache: NodeCache,
        sequenced: bool = False,
        inspect: Inspect | None = None,
        blames: BlameCache | None = None,
    ) -> None:
        self.driver = driver
        self.blames = blames if blames is not None else BlameCache()
        self.line = Line(project, cache, sequenced)
        self.line.far = driver.parallel > 0
        self.line.inspect = inspect
        self._lock = threading.RLock()

    # ------------------------------------------------------------ head and log

    def head(self) -> Head:
        """The newest landing, read from the store now. NotFound when the project has no line."""
        with self._lock:
            head = self.run(refresh(self.line))
            self._report()
            return head

    def _report(self) -> None:
        """A damaged index run changes no answer, so no error tells of it: the log does."""
        while self.line.faults:
            fault = self.line.faults.pop()
            _log.error("project %s goes round a damaged object: %s", self.line.project, fault.message)

    def _known(self, position: int = 0) -> Head:
        head = self.line.head
        return head if head is not None and position <= head.position else self.head()

    def records(self, first: int, last: int) -> list[Record]:
        """Records first..last, cut at the head; empty when there are none."""
        with self._lock:
            last = min(last, self._known(last).position)
            return self.run(records(self.line, max(first, 1), last)) if max(first, 1) <= last else []

    def landing(self, position: int) -> Landing:
        """One landing; NotFound when there is none at that position."""
        found = self.records(position, position) if position > 0 else []
        if not found:
            raise NotFound(f"there is no landing @{position}", hint="`mic log` lists the landings")
        return Landing(found[0], self._session(found[0].session_object))

    def landings(self, before: int | None = None, limit: int = 50) -> list[Landing]:
        """Newest first, those before position `before` when it is given."""
        last = self.head().position if before is None else before - 1
        found = self.records(last - limit + 1, last)
        return [Landing(record, self._session(record.session_object)) for record in reversed(found)]

    def _session(self, object_hash: bytes) -> Session:
        return self._read(lambda: read_session(self.line.objects, object_hash))

    def _read(self, protocol: Callable[[], Protocol[T]]) -> T:
        """What a protocol reads. Where it finds damage, another front end may have erased something a moment ago."""
        try:
            return self.run(protocol())
        except Corrupt:
            if not self._relearn():
                raise
        return self.run(protocol())

    def _relearn(self) -> bool:
        """Look what was erased; whether there is anything new."""
        with self._lock:
            return self.run(bury(self.line))

    def session_of(self, record: Record) -> Session:
        """The session that a record landed."""
        return self._session(record.session_object)

    def find_session(self, session_id: bytes) -> int | None:
        """Where a session landed, None when it has not."""
        with self._lock:
            self.head()
            return self.line.find_session(session_id)

    def path_history(self, path: bytes, before: int = 0, after: int = 0, limit: int = 50) -> PathHistory:
        """Which landings touched a path, or anything below it; as `mic.ledger.path_history.path_history`."""
        from mic.ledger.path_history import path_history, view_of  # brings numpy, which only this needs

        with self._lock:
            self.head()
            view = view_of(self.line)
        try:
            return self.run(path_history(view, path, before, after, limit))
        finally:
            self._report()

    def blame(self, path: bytes, at: int) -> Blamed:
        """Which landing each line of a file came with, as of position `at`; as `mic.ledger.blame.blame`."""
        from mic.ledger.blame import blame  # as for path_history
        from mic.ledger.path_history import view_of

        with self._lock:
            self.head()
            view = view_of(self.line)
        try:
            return self._read(lambda: blame(view, self.blames, path, at))
        finally:
            self._report()

    def attributions(self, positions: Sequence[int]) -> dict[int, Attribution]:
        """What the sessions of some landings say about who wrote their lines, by position; raises Corrupt."""
        found = [record for position in positions for record in self.records(position, position)]
        return self.run(attributions(self.line.objects, found))

    # ------------------------------------------------------------ open sessions

    def put_open_session(self, session: Session) -> None:
        """Keep the current state of a session that has not landed."""
        self.run(single.put(self.line.session_key(session.id), encode_session(session)))

    def put_new_session(self, session: Session) -> None:
        """Keep a session that nobody has opened yet; AlreadyExists when somebody has."""
        self.run(single.put_new(self.line.session_key(session.id), encode_session(session)))

    def open_session(self, session_id: bytes) -> Session:
        """The last kept state of a session; NotFound."""
        key = self.line.session_key(session_id)
        return decode_session(self.run(single.get(key)), key)

    def keep_push(self, session: Session, packs: Sequence[PackRef]) -> None:
        """Keep an open session's work, which has not landed; errors as `mic.ledger.pushed.keep_push`."""
        self.run(keep_push(self.line, session, packs))

    def push_of(self, session_id: bytes) -> Push | None:
        """What was pushed of a session last; None when nothing was."""
        intent = self.run(newest_push(self.line, session_id))
        if intent is None:
            return None
        self.head()
        return Push(intent.session, intent.packs, self.run(places(self.line, intent.packs)))

    def drop_pushes(self, session_id: bytes) -> None:
        """Let what was pushed of a session go."""
        self.run(drop_pushes(self.line, session_id))

    def kept_sessions(self) -> Iterator[Session]:
        """Every session that was kept before it landed, in the order of ids; some have landed since."""
        for listed in self.driver.store.list(f"{self.line.prefix}sessions/"):
            yield decode_session(self.run(single.get(listed.key)), listed.key)

    # ------------------------------------------------------------ trees

    def _drive(self, algorithm: Generator[Need, Found, T]) -> T:
        return self.run(with_nodes(self.line.objects, self.line.cache, algorithm))

    def tree_at(self, position: int) -> bytes:
        """Root of the tree after landing `position` (0: empty); NotFound beyond the head."""
        with self._lock:
            self._known(position)
            return self.run(tree_at(self.line, position))

    def entry(self, root: bytes, path: bytes) -> Entry | None:
        """A file of a tree, None when there is none of that path."""
        return self.entries(root, [path]).get(path)

    def entries(self, root: bytes, paths: Sequence[bytes]) -> dict[bytes, Entry]:
        """Those of the paths that are files of the tree."""
        return self._drive(lookup(self.line.cache, root, paths))

    def list_dir(self, root: bytes, directory: bytes = b"", after: bytes = b"", limit: int = 1000) -> list[Entry]:
        """Children of a directory, with directories as kind DIRECTORY; `after` continues behind a full path."""
        found = self._drive(list_directory(self.line.cache, root, directory, after, limit))
        self._foretell(found)
        return found

    def _foretell(self, entries: Sequence[Entry]) -> None:
        """Small files of a directory that was opened are probably read next: a far store begins to bring them."""
        if self.driver.prefetch is None:
            return
        ranges, size = [], 0
        for entry in entries:
            place = self.line.objects.find(entry.hash) if entry.kind == BLOB and entry.size <= _SMALL else None
            if place is not None:
                ranges.append(Range(place.key, place.offset, place.length))
                size += place.length
                if size > _FORETOLD:
                    break
        self.driver.prefetch(ranges)

    def files(self, root: bytes, prefix: bytes = b"", after: bytes = b"", limit: int = 1000) -> list[Entry]:
        """Files below a directory (all for b""), sorted by path, behind path `after`."""
        start = prefix + b"/" if prefix else b""
        end = after_prefix(start) if start else None
        return self._drive(scan(self.line.cache, root, max(start, after + b"\x00" if after else b""), end, limit))

    def totals(self, root: bytes, directory: bytes = b"") -> tuple[int, int]:
        """Number of files and their bytes."""
        return self._drive(totals(self.line.cache, root, directory))

    def diff(self, old_root: bytes, new_root: bytes, after: bytes = b"", limit: int = 1 << 62) -> list[TreeChange]:
        """Every path that differs, sorted: at most `limit` of those behind the path `after`."""
        return self._drive(diff(self.line.cache, old_root, new_root, after, limit))

    # ------------------------------------------------------------ contents

    @property
    def object_reads(self) -> int:
        """Ranged reads of objects so far, for the cost line of a page."""
        return self.line.objects.reads

    def has_blob(self, object_hash: bytes) -> bool:
        """Whether a content is part of the project, as of the last look at the head."""
        self._known()
        return self.line.objects.holds(object_hash)

    def content_places(self, hashes: Iterable[bytes]) -> dict[bytes, Place]:
        """Where those of the contents lie that are part of the project, as of the last look at the head."""
        self._known()
        find = self.line.objects.find
        return {
            object_hash: place
            for object_hash in hashes
            if (place := find(object_hash)) is not None and place.kind in CONTENTS
        }

    def _follow(self, hashes: Sequence[bytes]) -> None:
        """Another front end may have landed what is asked for here."""
        if any(self.line.objects.find(object_hash) is None for object_hash in hashes):
            self.head()

    def blob(self, object_hash: bytes, limit: int = MAX_BLOB, push: Push | None = None) -> bytes:
        """A content, also of a push, verified. TooLarge above `limit` bytes, Corrupt when damaged or gone, Erased."""
        self._follow([object_hash])
        return self._read(lambda: read_blob(self._with(push), object_hash, limit))

    def _with(self, push: Push | None) -> Objects:
        """The objects of the project, and those of a push."""
        if push is None:
            return self.line.objects
        objects = Objects(self.line.project, below=self.line.objects)
        objects.recent.update(push.places)
        return objects

    def chunk_list(self, object_hash: bytes) -> ChunkList | None:
        """The chunks or list pages of a large content, None when it is stored whole."""
        self._follow([object_hash])
        return self._read(lambda: read_list(self.line.objects, object_hash))

    def pieces(self, object_hash: bytes, start: int = 0, stop: int = MAX_CONTENT) -> Iterator[bytes]:
        """Bytes `start` up to `stop` of a content, or up to its end, in pieces of at most 4 MiB.

        Only the list pages and chunks that hold them are read, each verified by its own hash. Corrupt when one is
        damaged or missing.
        """
        self._follow([object_hash])
        return self._stream(lambda: read_range(self.line.objects, object_hash, start, stop, self.run))

    def _stream(self, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        """As `_read`, of what comes piece by piece: damage behind the first of them is raised."""
        pieces = read()
        try:
            first = next(pieces, None)
        except Corrupt:
            if not self._relearn():
                raise
            pieces = read()
            first = next(pieces, None)
        if first is not None:
            yield first
            yield from pieces

    def read_range(self, object_hash: bytes, start: int, length: int) -> bytes:
        """At most `length` bytes of a content from `start` on, fewer at its end; as `pieces`, in one."""
        return b"".join(self.pieces(object_hash, start, start + length))

    def incomplete_pages(self, hashes: Sequence[bytes]) -> list[bytes]:
        """Those of these list pages that are not here, or name a chunk that is not.

        InvalidInput when one of the hashes is that of another content.
        """
        return [page for page in hashes if not (self.has_blob(page) and all(map(self.has_blob, self._listed(page))))]

    def _listed(self, page: bytes) -> list[bytes]:
        data = self.run(read_small(self.line.objects, [page]))[page]
        try:
            return [chunk.hash for chunk in decode_page(data, f"content {page.hex()}")]
        except Corrupt as error:
            raise InvalidInput(f"content {page.hex()} is no list page") from error

    def frames(
        self, hashes: Sequence[bytes], push: Push | None = None, places: Mapping[bytes, Place] | None = None
    ) -> Iterator[Frame]:
        """Contents as stored frames, also of a push; the receiver verifies. Raises Erased when one of them was.

        With `places` whoever asks has looked for each already (`content_places`): they are not looked for once more,
        unless one of them is no longer there.
        """
        if places is None:
            self._follow(hashes)
        self.line.objects.refuse_erased(hashes)
        given = [places]
        return self._stream(lambda: read_frames(self._with(push), hashes, self.run, given.pop() if given else None))

    def erased(self) -> dict[bytes, Tombstone]:
        """All that was erased, here and in what this reads through, as of the last look at the head."""
        found: dict[bytes, Tombstone] = {}
        at: Objects | None = self.line.objects
        while at is not None:
            found = {**at.erased, **found}
            at = at.below
        return found

    def redactions(self) -> list[Redaction]:
        """All that was erased of sessions, here and in what this reads through, as of the last look at the head."""
        found: list[Redaction] = []
        at: Objects | None = self.line.objects
        while at is not None:
            found += at.redactions
            at = at.below
        return found

    def tombstones(self, hashes: Iterable[bytes]) -> dict[bytes, Tombstone]:
        """Those of the contents that were erased, as of the last look at the head."""
        self._known()
        if not self.line.objects.any_erased():
            return {}
        found = ((object_hash, self.line.objects.tombstone(object_hash)) for object_hash in hashes)
        return {object_hash: tombstone for object_hash, tombstone in found if tombstone is not None}

    def upload(self) -> Upload:
        """Receives contents into packs; drive its protocols with `run`."""
        self.head()  # chunk lists may name what another front end landed
        return Upload(self.line)

    def run(self, protocol: Protocol[T], share: float = 1.0) -> T:
        """Drive a protocol of this project; an error of the store carries its name in `details["project"]`.

        With a `share` of less than 1 it rests, as `Driver.run_gently`.
        """
        try:
            return self.driver.run(protocol) if share == 1.0 else self.driver.run_gently(protocol, share)
        except (Corrupt, NotFound, Unavailable) as error:
            # What a fork reads may lie below its origin's prefix, of which its readers need not know.
            error.details.setdefault("project", self.line.project)
            raise
