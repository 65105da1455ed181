"""Landing sessions: record first, compare-and-swap of the head last.

    1 read the head            2 exact conflict check against the head tree, and of a group against each other
    3 merge what merges        4 one sorted multi-insert a session -> new tree
    5 create the epoch object  6 swap the head  7 done

A crash before 6 leaves an object that nothing names; after 6 the history is complete. A swap whose
answer is lost is settled by reading back: the head only ever moves forward, so either our epoch is in
the chain or it is not.

Whoever won the last swap leaves out the first step: its own head is probably still the newest, and the
swap tells. Until it does, nothing counts but that a session has landed before.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from mic.core.epoch import NOBODY
from mic.core.errors import Busy, Conflicted, MicError, NothingToLand
from mic.core.head import Head
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.core.session import Change, Session
from mic.ledger.batch import Batch
from mic.ledger.conflict import Clash
from mic.ledger.effects import Protocol, Random, Sleep
from mic.ledger.follow import refresh
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.request import LandRequest, Prepared, prepare
from mic.ledger.together import together
from mic.ledger.verdicts import Verdicts

# With jittered back-off up to 0.4 s this is about 20 s of losing every race.
MAX_ATTEMPTS = 64
# Lost swaps after which a group goes to the front end that has landed most of the newest epochs.
HAND_OVER = 1
# As many, where that is this one, or none is known: it will win again.
STAY = 8


class Landed(NamedTuple):
    """Where it landed. `changes` that were merged on the way are in `merged`; `already` = it had landed before."""

    position: int
    tree: bytes
    session: Session | None
    merged: tuple[Change, ...] = ()
    already: bool = False


Outcome = Landed | MicError


def land(line: Line, request: LandRequest) -> Protocol[Landed]:
    """Land; raises Conflicted (details['clashes']), NothingToLand, BaseMismatch, InvalidInput, Unavailable, Busy."""
    outcome = (yield from land_group(line, [request]))[0]
    if isinstance(outcome, MicError):
        raise outcome
    return outcome


def land_group(line: Line, requests: Sequence[LandRequest]) -> Protocol[list[Outcome]]:
    """Land sessions together in one epoch; for each, in the order given, where it landed or why it did not.

    They land in the order of (base position, session id); each is checked exactly against the head and
    against those before it. An error of the store that concerns all of them is raised.
    """
    found = yield from try_group(line, requests, MAX_ATTEMPTS)
    busy = Busy(f"{MAX_ATTEMPTS} other landings were faster", hint="land again; nothing was changed")
    return [busy if outcome is None else outcome for outcome in found]


def try_group(line: Line, requests: Sequence[LandRequest], attempts: int) -> Protocol[list[Outcome | None]]:
    """As `land_group`, but after so many attempts None for what has neither landed nor been refused."""
    group = Group(line, requests)
    known, sure, lost = trusted(line), False, 0
    for attempt in range(attempts):
        if known is None:
            known, sure = (yield from refresh(line)), True
        head = known
        yield from group.prepare(sure)
        batch = yield from group.fill(head)
        if batch.position:
            settled = yield from batch.commit()
        else:
            settled = sure
        if settled:
            group.settle()
        raced = bool(batch.position) and not settled
        lost += raced
        if raced and lost >= (STAY if line.winner in (line.lander, NOBODY) else HAND_OVER):
            group.let_go()
        if group.done:
            break
        # Settling a lost swap has read the head; a won one has made it.
        known, sure = (line.head, not settled) if line.head != head else (None, True)
        if raced:
            pause = int.from_bytes((yield Random(2)), "big") / 65536
            yield Sleep(min(0.4, 0.01 * (attempt + 1)) * pause)
    return group.answers()


def trusted(line: Line) -> Head | None:
    """The head that is probably still the newest: our own, if nobody else's was seen since. None to read it.

    A fork looks each time whether it still reads through its origin, and a line without a tag cannot swap.
    """
    if line.own is None or line.own != (line.head, line.tip) or not any(line.tip) or line.origin is not None:
        return None
    return line.own[0]


class Overtaken(MicError):
    """Other front ends keep winning: better land it where they are. Never leaves the front ends.

    `winner` is how epochs name the one that landed at `position`.
    """

    code = "overtaken"

    def __init__(self, winner: bytes, position: int) -> None:
        super().__init__("other front ends were faster")
        self.winner, self.position = winner, position


class Group:
    """Requests that are landed together: what is ready, what was found in this attempt, what is settled."""

    def __init__(self, line: Line, requests: Sequence[LandRequest]) -> None:
        self.line, self.requests = line, requests
        self._order = sorted(
            range(len(requests)), key=lambda at: (requests[at].session.base_position, requests[at].session.id)
        )
        self._ready: dict[int, Prepared] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._found: dict[int, Outcome] = {}  # counts when the swap was won, or the head had been read
        self._verdicts = Verdicts()

    @property
    def done(self) -> bool:
        """Whether everything is settled."""
        return len(self._outcomes) == len(self.requests)

    def answers(self) -> list[Outcome | None]:
        """For each request, in the order given, what is settled."""
        return [self._outcomes.get(at) for at in range(len(self.requests))]

    def settle(self) -> None:
        """What was found counts."""
        self._outcomes |= self._found
        self._found = {}

    def let_go(self) -> None:
        """What can be landed elsewhere is not landed here."""
        assert self.line.head is not None
        for at, request in enumerate(self.requests):
            if request.may_move and at not in self._outcomes:
                self._outcomes[at] = Overtaken(self.line.winner, self.line.head.position)

    def prepare(self, sure: bool, others: Container[bytes] = ()) -> Protocol[None]:
        """Find out which have landed already, and check the others; what is wrong with one is its own outcome.

        `sure` says that the head was read since they came: only then a refusal is final. `others` are paths that a
        group before this one changes.
        """
        self._found = {}
        todo = [at for at in self._order if at not in self._outcomes]
        contested = self._contested(others) if len(self._ready) < len(todo) else ()
        for at, said in zip(todo, (yield from together([self._prepare(at, contested) for at in todo])), strict=True):
            if isinstance(said, Prepared):
                self._ready[at] = said
            elif isinstance(said, Landed):
                self._outcomes[at] = said
            else:
                (self._outcomes if sure else self._found)[at] = said

    def _contested(self, others: Container[bytes]) -> set[bytes]:
        """The paths on which sessions of the group meet each other, or the group before."""
        seen: set[bytes] = set()
        met: set[bytes] = set()
        for request in self.requests:
            for change in request.session.changes:
                if change.path in seen or change.path in others:
                    met.add(change.path)
                seen.add(change.path)
        return met

    def _prepare(self, at: int, contested: Container[bytes]) -> Protocol[Landed | Prepared]:
        session = self.requests[at].session
        position = self.line.find_session(session.id)
        if position is not None:
            record = (yield from records(self.line, position, position))[0]
            return Landed(position, record.root_after, None, already=True)
        if not session.changes:
            raise NothingToLand("the session changes nothing", hint="change a file first, or abandon the session")
        return self._ready.get(at) or (yield from prepare(self.line, self.requests[at], contested))

    def fill(self, head: Head, after: Batch | None = None) -> Protocol[Batch]:
        """One epoch with whatever can land.

        What is found counts only when its swap was won: a clash may be with a neighbour.
        """
        batch = Batch(self.line, head, after, self._verdicts.encoded)
        self._verdicts.begin(self.line, head, after is None)
        for at in self._order:
            if at in self._outcomes or at in self._found or batch.full:
                self._verdicts.refused(at)
                continue
            wish = self._ready[at]
            if batch.holds(wish.request.session.id):
                continue
            try:
                verdict = self._verdicts.known(at, wish)
                if verdict is None:
                    verdict = yield from batch.judge(wish)
                    if verdict.clashes:
                        raise _conflicted(wish.request.session, verdict.clashes)
                session = yield from batch.add(wish, verdict)
            except MicError as error:
                self._verdicts.refused(at)
                self._found[at] = error
                continue
            self._verdicts.keep(at, verdict)
            self._found[at] = Landed(batch.position, batch.root, session, tuple(verdict.merged))
        return batch


def _conflicted(session: Session, clashes: list[Clash]) -> Conflicted:
    paths = ", ".join(display(clash.path) for clash in clashes[:3]) + (" …" if len(clashes) > 3 else "")
    return Conflicted(
        f"session {ulid_text(session.id)} clashes with what landed since @{session.base_position}: {paths}",
        hint="nothing was changed; take in what landed, then land again",
        clashes=clashes,
    )
