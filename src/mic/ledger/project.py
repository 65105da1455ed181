"""One project's data plane: the face that every door of the forge uses.

Thread-safe. One `Project` per project and process; `Ledger.open` hands them out. Reads of immutable things
run side by side; following the head and landing take turns.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple, TypeVar

from mic.core.chunklist import ChunkList, decode_page
from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, Unavailable
from mic.core.head import Head
from mic.core.record import Record
from mic.core.session import Session, decode_session, encode_session
from mic.core.tree import BLOB, EMPTY_TREE, Entry, TreeChange, diff, list_directory, lookup, scan, totals
from mic.core.tree.edit import Found, Need
from mic.core.tree.read import after_prefix
from mic.ledger.chunked import read_list
from mic.ledger.combiner import Combiner
from mic.ledger.compact import compact, due_for_compaction
from mic.ledger.contents import read_blob, read_range
from mic.ledger.download import read_frames
from mic.ledger.driver import Driver
from mic.ledger.effects import Get, Protocol, Put, PutNew
from mic.ledger.follow import create, refresh
from mic.ledger.fork import DELETED, deleted_key, erase, fork, forks, release
from mic.ledger.frame import MAX_CONTENT, Frame
from mic.ledger.history import HistoryCommit, HistoryImport
from mic.ledger.land import Landed, land_group
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache, with_nodes
from mic.ledger.request import LandRequest, check_lists
from mic.ledger.runs import adopt, due_for_merge, merge
from mic.ledger.seal import due, seal
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small
from mic.ledger.trees import tree_at
from mic.ledger.upload import Upload
from mic.store import ObjectStore
from mic.store.tiers import Range

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


class Project:
    """Head, log, trees and contents of one project."""

    def __init__(self, driver: Driver, project: str, cache: NodeCache) -> None:
        self.driver = driver
        self.line = Line(project, cache)
        self._lock = threading.RLock()
        self._combiner = Combiner(self._land_group)

    # ------------------------------------------------------------ head and log

    def create(self) -> Head:
        """Make position 0; doing it again changes nothing."""
        with self._lock:
            return self.run(create(self.line))

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
            _log.error("project %s goes round an index run: %s", self.line.project, fault.message)

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
        return self.run(read_session(self.line.objects, object_hash))

    def session_of(self, record: Record) -> Session:
        """The session that a record landed."""
        return self._session(record.session_object)

    def find_session(self, session_id: bytes) -> int | None:
        """Where a session landed, None when it has not."""
        with self._lock:
            self.head()
            return self.line.find_session(session_id)

    # ------------------------------------------------------------ open sessions

    def _session_key(self, session_id: bytes) -> str:
        return f"{self.line.prefix}sessions/{session_id.hex()}.bin"

    def put_open_session(self, session: Session) -> None:
        """Keep the current state of a session that has not landed."""
        self.run(_put(self._session_key(session.id), encode_session(session)))

    def put_new_session(self, session: Session) -> None:
        """Keep a session that nobody has opened yet; AlreadyExists when somebody has."""
        self.run(_put_new(self._session_key(session.id), encode_session(session)))

    def open_session(self, session_id: bytes) -> Session:
        """The last kept state of a session; NotFound."""
        key = self._session_key(session_id)
        return decode_session(self.run(_get(key)), key)

    def kept_sessions(self) -> Iterator[Session]:
        """Every session that was kept before it landed, in the order of ids; some have landed since."""
        for listed in self.driver.store.list(f"{self.line.prefix}sessions/"):
            yield decode_session(self.run(_get(listed.key)), listed.key)

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

    def diff(self, old_root: bytes, new_root: bytes) -> list[TreeChange]:
        """Every path that differs, sorted."""
        return self._drive(diff(self.line.cache, old_root, new_root))

    # ------------------------------------------------------------ contents

    @property
    def object_reads(self) -> int:
        """Ranged reads of objects so far, for the cost line of a page."""
        return self.line.objects.reads

    def has_blob(self, object_hash: bytes) -> bool:
        """Whether a content is part of the project, as of the last look at the head."""
        self._known()
        return self.line.objects.holds(object_hash)

    def _follow(self, hashes: Sequence[bytes]) -> None:
        """Another front end may have landed what is asked for here."""
        if any(self.line.objects.find(object_hash) is None for object_hash in hashes):
            self.head()

    def blob(self, object_hash: bytes, limit: int = MAX_BLOB) -> bytes:
        """A content, verified. TooLarge above `limit` bytes, Corrupt when damaged or missing."""
        self._follow([object_hash])
        return self.run(read_blob(self.line.objects, object_hash, limit))

    def chunk_list(self, object_hash: bytes) -> ChunkList | None:
        """The chunks or list pages of a large content, None when it is stored whole."""
        self._follow([object_hash])
        return self.run(read_list(self.line.objects, object_hash))

    def pieces(self, object_hash: bytes, start: int = 0, stop: int = MAX_CONTENT) -> Iterator[bytes]:
        """Bytes `start` up to `stop` of a content, or up to its end, in pieces of at most 4 MiB.

        Only the list pages and chunks that hold them are read, each verified by its own hash. Corrupt when one is
        damaged or missing.
        """
        self._follow([object_hash])
        return read_range(self.line.objects, object_hash, start, stop, self.run)

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

    def frames(self, hashes: Sequence[bytes]) -> Iterator[Frame]:
        """Contents as stored frames; the receiver verifies."""
        self._follow(hashes)
        return read_frames(self.line, hashes, self.run)

    def upload(self) -> Upload:
        """Receives contents into packs; drive its protocols with `run`."""
        self.head()  # chunk lists may name what another front end landed
        return Upload(self.line)

    def run(self, protocol: Protocol[T]) -> T:
        """Drive a protocol of this project; an error of the store carries its name in `details["project"]`."""
        try:
            return self.driver.run(protocol)
        except (Corrupt, NotFound, Unavailable) as error:
            # What a fork reads may lie below its origin's prefix, of which its readers need not know.
            error.details.setdefault("project", self.line.project)
            raise

    # ------------------------------------------------------------ landing

    def land(self, request: LandRequest) -> Landed:
        """Land a session, with others that are landing now; errors as `mic.ledger.land.land`."""
        if request.packs:
            # Before the line is held: a large content may have hundreds of list pages.
            self.head()
            request = request._replace(uploaded=self.run(check_lists(self.line, request.packs)))
        return self._combiner.land(request)

    def _land_group(self, requests: Sequence[LandRequest]) -> list[Landed | MicError]:
        with self._lock:
            return self.run(land_group(self.line, requests))

    def import_history(self, source: str, owner: bytes) -> HistoryImport:
        """Begin to take in a history; drive its protocols with `run`, end with `finish_import`."""
        with self._lock:
            self.head()
        history = HistoryImport(self.line, source, owner)
        with self._lock:
            self.run(history.begin())
        return history

    def finish_import(self, history: HistoryImport) -> Head:
        """Make an imported history visible."""
        with self._lock:
            return self.run(history.finish())

    @property
    def due_to_seal(self) -> bool:
        """Whether `seal` has something to do, as of the last look at the head."""
        return due(self.line)

    def seal(self) -> int:
        """Write segments and index runs that are due; the position up to which all is sealed."""
        with self._lock:
            self.head()
            if due(self.line):
                self.run(seal(self.line))
            sealed = self.line.sealed
        while parts := due_for_merge(self.line.objects.runs):
            # Not under the lock: a large merge takes seconds, and landings go on meanwhile.
            merged = self.run(merge(self.line, parts))
            with self._lock:
                adopt(self.line, merged, parts)
                self._report()
        return sealed

    def compact(self) -> bool:
        """Group the versions of the oldest run of landings that was not compacted; False when there is none.

        May take minutes, while landings and reads go on.
        """
        # A view of its own: the shared one belongs to whoever holds its lock.
        view = Line(self.line.project, self.line.cache)
        self.run(refresh(view))
        run = due_for_compaction(view)
        if run is None:
            return False
        made = self.run(compact(view, run))
        with self._lock:
            adopt(self.line, made, [old for old in self.line.objects.runs if old.name == run.name])
        return True


def _put(key: str, data: bytes) -> Protocol[None]:
    yield Put(key, data)


def _put_new(key: str, data: bytes) -> Protocol[None]:
    yield PutNew(key, data)


def _get(key: str) -> Protocol[bytes]:
    return (yield Get(key)).data  # type: ignore[no-any-return]


class Ledger:
    """All projects of a store, opened on demand; the least recently used are forgotten."""

    def __init__(self, store: ObjectStore, cache_bytes: int = 128 << 20, parallel: int = 0, keep: int = 256) -> None:
        self.driver = Driver(store, parallel)
        self.cache = NodeCache(cache_bytes)
        self._keep = keep
        self._projects: OrderedDict[str, Project] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, project: str) -> Project:
        """The project's data plane; nothing is read yet."""
        with self._lock:
            found = self._projects.get(project)
            if found is None:
                found = self._projects[project] = Project(self.driver, project, self.cache)
                while len(self._projects) > self._keep:
                    self._projects.popitem(last=False)
            self._projects.move_to_end(project)
            return found

    # ------------------------------------------------------------ forks and deletion

    def fork(self, origin: str, project: str) -> Head:
        """Begin a project where another stands now; three small writes. Errors as `mic.ledger.fork.fork`."""
        # A view of its own: the shared one belongs to whoever holds its lock.
        return self.driver.run(fork(Line(origin, self.cache), Line(project, self.cache)))

    def condemn(self, project: str) -> None:
        """Mark a project as going: it cannot be forked any more."""
        self.driver.store.put(deleted_key(project), b"")

    def pardon(self, project: str) -> None:
        """Take the mark away again."""
        self.driver.store.delete(deleted_key(project))

    def condemned(self) -> list[str]:
        """Projects that are marked as going and not gone yet."""
        return [listed.key.removeprefix(DELETED) for listed in self.driver.store.list(DELETED)]

    def release_forks(self, project: str) -> int:
        """Make every fork of a condemned project independent; how many had something to copy. Raises Corrupt."""
        origin = Line(project, self.cache)
        return sum(self.driver.run(release(origin, Line(name, self.cache))) for name in self.driver.run(forks(origin)))

    def erase(self, project: str) -> int:
        """Remove all objects of a condemned project, whose forks have been released; how many there were."""
        removed = self.driver.run(erase(Line(project, self.cache)))
        with self._lock:
            self._projects.pop(project, None)
        return removed


__all__ = ["EMPTY_TREE", "Frame", "HistoryCommit", "LandRequest", "Landed", "Landing", "Ledger", "Project"]
