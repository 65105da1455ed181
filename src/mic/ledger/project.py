"""One project's data plane: the face that every door of the forge uses.

Thread-safe. One `Project` per project and process; `Ledger.open` hands them out. Reads of immutable things
run side by side; following the head and landing take turns.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mic.core.attribution import Attribution
from mic.core.chunklist import ChunkList, decode_page
from mic.core.epoch import NOBODY, PackRef
from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, Unavailable
from mic.core.head import Head
from mic.core.indexrun import Place
from mic.core.record import Record
from mic.core.session import Session, decode_session, encode_session
from mic.core.tombstone import Reason, Tombstone
from mic.core.tree import BLOB, EMPTY_TREE, Entry, TreeChange, diff, list_directory, lookup, scan, totals
from mic.core.tree.edit import Found, Need
from mic.core.tree.read import after_prefix
from mic.ledger import single
from mic.ledger.attribution import attributions
from mic.ledger.blame_cache import BlameCache
from mic.ledger.chunked import read_list
from mic.ledger.collect import GRACE, KEEP, Round, collect
from mic.ledger.combiner import Combiner, Done
from mic.ledger.compact import compact, due_for_compaction
from mic.ledger.contents import read_blob, read_range
from mic.ledger.download import read_frames
from mic.ledger.driver import Driver
from mic.ledger.effects import Protocol
from mic.ledger.follow import create, refresh
from mic.ledger.forward import forward, note
from mic.ledger.frame import MAX_CONTENT, Frame
from mic.ledger.history import HistoryCommit, HistoryImport
from mic.ledger.land import Landed, Outcome, land_group
from mic.ledger.line import Inspect, Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache, with_nodes
from mic.ledger.objects import Objects
from mic.ledger.outbound import Outbound
from mic.ledger.pipeline import Flight, step
from mic.ledger.pushed import drop_pushes, keep_push, newest_push, places
from mic.ledger.request import LandRequest, check, check_lists
from mic.ledger.route import Elsewhere, Here, Lists, Look, Route, Step, route, take
from mic.ledger.runs import adopt, due_for_merge, merge
from mic.ledger.seal import due, seal
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small
from mic.ledger.tip import due_to_tidy, tidy
from mic.ledger.tombstones import bury
from mic.ledger.trees import tree_at
from mic.ledger.upload import Upload
from mic.store.tiers import Range

if TYPE_CHECKING:
    from mic.core.redaction import Redaction
    from mic.core.stand_in import Edit
    from mic.ledger.blame import Blamed
    from mic.ledger.erase import Erased as Erasure
    from mic.ledger.erase import Found as Erasable
    from mic.ledger.path_history import PathHistory
    from mic.ledger.redact import Redacted

T = TypeVar("T")

_log = logging.getLogger("mic.ledger")

MAX_BLOB = 32 << 20
# Of a directory that was opened, files up to this size are read ahead, and so many bytes of them.
_SMALL = 64 << 10
_FORETOLD = 4 << 20
# Of what landed here last, so many landings and changes are kept for whoever asks right after it.
_LATELY = 512
_LATELY_CHANGES = 20_000


class Landing(NamedTuple):
    """A record of the log and the session that it landed."""

    record: Record
    session: Session


class Push(NamedTuple):
    """What was pushed of an open session: the session with its changes, its packs, and where their contents lie."""

    session: Session
    packs: Sequence[PackRef]
    places: Mapping[bytes, Place]


class Project:
    """Head, log, trees and contents of one project."""

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
        self._lately: OrderedDict[int, Landing] = OrderedDict()
        self._lately_changes = 0
        self._flight: Flight | None = None
        self._combiner = Combiner(self._step)
        self._outbound = Outbound(self._forward)

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

    def frames(self, hashes: Sequence[bytes], push: Push | None = None) -> Iterator[Frame]:
        """Contents as stored frames, also of a push; the receiver verifies. Raises Erased when one of them was."""
        self._follow(hashes)
        self.line.objects.refuse_erased(hashes)
        return self._stream(lambda: read_frames(self._with(push), hashes, self.run))

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

    # ------------------------------------------------------------ landing

    def land(self, request: LandRequest) -> Landed:
        """Land a session, with others that are landing now; errors as `mic.ledger.land.land`.

        Where another front end is preferred for the project, it is asked first, unless the request has a gate.
        """
        try:
            return self._land(request)
        except Corrupt:
            if not self._relearn():
                raise
        return self._land(request)  # a text that it is merged with was written anew a moment ago

    def _land(self, request: LandRequest) -> Landed:
        if self.driver.front_ends is None or request.gate is not None:
            return self._combiner.land(self._with_lists(request))
        outcome = self._go(route(request))
        if isinstance(outcome, MicError):
            raise outcome
        return outcome

    def _go(self, landing: Route[T]) -> T:
        """Take the steps of a landing, in this thread."""
        try:
            wanted = next(landing)
            while True:
                try:
                    answer = self._take(wanted)
                except MicError as error:
                    wanted = landing.throw(error)
                else:
                    wanted = landing.send(answer)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def _take(self, wanted: Step) -> LandRequest | list[Outcome] | Outcome | None:
        front_ends = self.driver.front_ends
        match wanted:
            case Lists(request):
                return self._with_lists(request)
            case Here(requests):
                outcomes = self._combiner.land_all(requests)
                if front_ends is not None:
                    note(front_ends, self.line.project, front_ends.front_end, outcomes)
                return outcomes
            case Elsewhere(request):
                if front_ends is None or front_ends.preferred(self.line.project) is None:
                    return None
                return self._outbound.land(request)
            case Look():
                if front_ends is not None and not front_ends.knows_winner(self.line.project):
                    with contextlib.suppress(MicError):
                        self.run(front_ends.look())
                return None

    def _forward(self, requests: Sequence[LandRequest]) -> list[Outcome | None]:
        front_ends = self.driver.front_ends
        if front_ends is None:  # it was told a moment ago that there are no others any more
            return [None] * len(requests)
        return self.run(forward(front_ends, self.line.project, requests))

    def land_forwarded(self, requests: Sequence[LandRequest]) -> list[Outcome]:
        """Land for another front end: here, and nowhere else. What is wrong with one is its own outcome."""
        return self._go(take(requests))

    def _with_lists(self, request: LandRequest) -> LandRequest:
        if not request.packs or request.uploaded is not None:
            return request
        # Before the line is held: a large content may have hundreds of list pages.
        self.head()
        return request._replace(uploaded=self.run(check_lists(self.line, request.packs)))

    def sent_pieces(self, request: LandRequest, object_hash: bytes) -> Iterator[bytes]:
        """A content that a session is to land with, from its packs or from the project, in pieces of at most 4 MiB.

        InvalidInput when it is in neither.
        """
        request = self._with_lists(request)
        objects = Objects(self.line.project, below=self.line.objects)
        objects.recent.update(request.uploaded or {})
        if not objects.holds(object_hash):
            raise InvalidInput(
                f"the content {object_hash.hex()[:12]} was not sent",
                hint="send it with the session, or upload it first",
            )
        return read_range(objects, object_hash, 0, MAX_CONTENT, self.run)

    def with_lists(self, request: LandRequest) -> LandRequest:
        """A request that knows where the contents of its packs lie; errors as `check_lists`."""
        return self._with_lists(request)

    def examine(self, request: LandRequest) -> int | None:
        """Where a session has landed; else None, and all of it was checked that does not hang on what lands meanwhile.

        Errors as `mic.ledger.request.prepare`, and NothingToLand.
        """
        request = self._with_lists(request)
        with self._lock:
            self.head()
            position = self.line.find_session(request.session.id)
            if position is None:
                self.run(check(self.line, request))
            return position

    def _step(self, requests: Sequence[LandRequest]) -> Done:
        """Land a group. Where requests can be under way at once, its swap goes out with the next epoch."""
        front_ends = self.driver.front_ends
        with self._lock:
            self.line.lander = front_ends.lander if front_ends is not None else NOBODY
            if not self.driver.parallel:
                done = Done(None, self.run(land_group(self.line, requests)))
            else:
                flight, self._flight = self._flight, None
                stepped = self.run(step(self.line, flight, requests))
                self._flight = stepped.flight
                done = Done(stepped.before, stepped.given)
            outcomes = (*(done.before or ()), *(done.given or ()))
            self._keep_lately(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Corrupt | NotFound | Unavailable):
                outcome.details.setdefault("project", self.line.project)
        return done

    def _keep_lately(self, outcomes: Sequence[Outcome]) -> None:
        made = {
            landed.position: landed.session
            for landed in outcomes
            if isinstance(landed, Landed) and landed.session is not None
        }
        if not made:
            return
        for record in self.run(records(self.line, min(made), max(made))):
            session = made.get(record.position)
            if session is not None:
                self._lately[record.position] = Landing(record, session)
                self._lately_changes += len(record.changes)
        while len(self._lately) > _LATELY or self._lately_changes > _LATELY_CHANGES:
            _, old = self._lately.popitem(last=False)
            self._lately_changes -= len(old.record.changes)

    def lately(self, first: int, last: int) -> list[Landing]:
        """Landings first..last when all of them were made here just now, else none. Waits for nothing and nobody."""
        if last - first >= _LATELY:
            return []
        found = [self._lately.get(position) for position in range(first, last + 1)]
        made = [landing for landing in found if landing is not None]
        if len(made) < len(found) or any(self._is_silent(landing.record) for landing in made):
            return []
        return made

    def _is_silent(self, record: Record) -> bool:
        """Whether words of a landing's session were erased."""
        return self.line.objects.stand_in(record.session_object) is not None

    def import_history(self, source: str, owner: bytes, onto: int = 0, clock: int | None = None) -> HistoryImport:
        """Begin to take in a history behind position `onto`; drive its protocols with `run`, end with `finish_import`.

        With the `clock` of an attempt that stopped (0 in the first), what that one wrote is written again as it is.
        InvalidInput when the project is not empty; PreconditionFailed when it is not, or no longer, at `onto`.
        """
        with self._lock:
            self.head()
        history = HistoryImport(self.line, source, owner, onto, clock)
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
        return due(self.line) or due_to_tidy(self.line)

    def seal(self) -> int:
        """Write segments and index runs that are due; the position up to which all is sealed."""
        with self._lock:
            self.head()
            if due(self.line):
                self.run(seal(self.line))
            if due_to_tidy(self.line):
                self.run(tidy(self.line))
            sealed = self.line.sealed
        while parts := due_for_merge(self.line.objects.runs):
            # Not under the lock: a large merge takes seconds, and landings go on meanwhile.
            merged = self.run(merge(self.line, parts))
            with self._lock:
                adopt(self.line, merged, parts)
                self._report()
        return sealed

    @property
    def due_to_roll(self) -> bool:
        """Whether `roll` may have something to do, as of the last look at the head."""
        return self.line.sealed > self.line.rolled

    def roll(self) -> int:
        """Write the rollups that are due; how many. Landings and reads go on meanwhile."""
        from mic.ledger.rollups import roll  # brings numpy, which only this needs

        # A view of its own: the shared one belongs to whoever holds its lock.
        view = Line(self.line.project, self.line.cache)
        self.run(refresh(view))
        made = self.run(roll(view))
        self.line.rolled = view.rolled
        self.line.faults += view.faults
        self._report()
        return made

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

    def collect(
        self, keep: int = KEEP, grace: int = GRACE, *, dry: bool = False, newest: int = 1 << 62, share: float = 1.0
    ) -> Round:
        """One round of removing what nothing names; see `mic.ledger.collect`. Landings and reads go on meanwhile.

        Epochs that lost are looked for at the `newest` positions only. With a `share` of less than 1 it rests between
        its steps, and those who land beside it hardly notice.
        """
        self.head()
        with self._lock:
            # A view of its own, with nothing in its cache that a store would not give any more.
            view = self.line.outline(NodeCache(1 << 20))
        return self.run(collect(view, keep, grace, dry=dry, newest=newest), share)

    def look_to_erase(self, content: bytes) -> Erasable:
        """What there is of a content, for whoever is about to erase it; see `mic.ledger.erase.look`."""
        from mic.ledger.erase import look

        return self.run(look(self.line.project, content))

    def erase(self, content: bytes, reason: Reason, by: str, *, with_forks: bool = False) -> Erasure:
        """Erase a content, or go on with it; see `mic.ledger.erase.erase`. Landings and reads go on meanwhile."""
        from mic.ledger.erase import erase

        done = self.run(erase(self.line.project, content, reason, by, with_forks=with_forks))
        self._relearn()
        return done

    def redact(self, wanted: Redaction, sessions: Sequence[bytes], edit: Edit, *, with_forks: bool = False) -> Redacted:
        """Erase words of sessions, or go on with it; see `mic.ledger.redact.redact`. Landings go on meanwhile."""
        from mic.ledger.redact import redact

        done = self.run(redact(self.line.project, wanted, sessions, edit, with_forks=with_forks))
        self._relearn()
        self._lately.clear()
        return done

    def silence(self, session_id: bytes, name: bytes) -> list[str]:
        """Keep nothing of a session that did not land; see `mic.ledger.redact.silence`."""
        from mic.ledger.redact import silence

        return self.run(silence(self.line.project, session_id, name))

    def forks_reading(self, sessions: Sequence[bytes]) -> list[str]:
        """The forks that read one of the sessions through the project; see `mic.ledger.redact.reading_forks`."""
        from mic.ledger.redact import reading_forks

        return self.run(reading_forks(self.line.project, sessions))

    def sweep(self) -> list[str]:
        """Remove late copies of what was erased; see `mic.ledger.erase.sweep`."""
        from mic.ledger.erase import sweep
        from mic.ledger.redact import sweep_words

        return [*self.run(sweep(self.line.project)), *self.run(sweep_words(self.line.project))]


__all__ = ["EMPTY_TREE", "Frame", "HistoryCommit", "LandRequest", "Landed", "Landing", "Project"]
