"""One project's data plane: the face that every door of the forge uses. Its readers' half is `ReadableProject`.

Thread-safe. One `Project` per project and process; `Ledger.open` hands them out. Reads of immutable things
run side by side; following the head and landing take turns.
"""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from mic.core.epoch import NOBODY
from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, Unavailable
from mic.core.head import Head
from mic.core.record import Record
from mic.core.tombstone import Reason
from mic.core.tree import EMPTY_TREE
from mic.ledger.blame_cache import BlameCache
from mic.ledger.collect import GRACE, KEEP, Round, collect
from mic.ledger.combiner import Combiner, Done
from mic.ledger.compact import compact, due_for_compaction
from mic.ledger.contents import read_range
from mic.ledger.driver import Driver
from mic.ledger.follow import create, refresh
from mic.ledger.forward import forward, note
from mic.ledger.frame import MAX_CONTENT, Frame
from mic.ledger.history import HistoryCommit, HistoryImport
from mic.ledger.land import Landed, Outcome, land_group
from mic.ledger.line import Inspect, Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache
from mic.ledger.objects import Objects
from mic.ledger.outbound import Outbound
from mic.ledger.pipeline import Flight, step
from mic.ledger.readable import Landing, ReadableProject
from mic.ledger.request import LandRequest, check, check_lists
from mic.ledger.route import Elsewhere, Here, Lists, Look, Route, Step, route, take
from mic.ledger.runs import adopt, due_for_merge, merge
from mic.ledger.seal import due, seal
from mic.ledger.tip import due_to_tidy, tidy

if TYPE_CHECKING:
    from mic.core.redaction import Redaction
    from mic.core.stand_in import Edit
    from mic.ledger.erase import Erased as Erasure
    from mic.ledger.erase import Found as Erasable
    from mic.ledger.redact import Redacted

T = TypeVar("T")

_log = logging.getLogger("mic.ledger")

# Of what landed here last, so many landings and changes are kept for whoever asks right after it.
_LATELY = 512
_LATELY_CHANGES = 20_000


class Project(ReadableProject):
    """One project, for whoever reads or lands: what is done to its line, and what keeps that in order."""

    def __init__(
        self,
        driver: Driver,
        project: str,
        cache: NodeCache,
        sequenced: bool = False,
        inspect: Inspect | None = None,
        blames: BlameCache | None = None,
    ) -> None:
        super().__init__(driver, project, cache, sequenced, inspect, blames)
        self._lately: OrderedDict[int, Landing] = OrderedDict()
        self._lately_changes = 0
        self._flight: Flight | None = None
        self._combiner = Combiner(self._step)
        self._outbound = Outbound(self._forward)

    def create(self) -> Head:
        """Make position 0; doing it again changes nothing."""
        with self._lock:
            return self.run(create(self.line))

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
