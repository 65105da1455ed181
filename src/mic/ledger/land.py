"""Landing sessions: record first, compare-and-swap of the head last.

    1 read the head            2 exact conflict check against the head tree, and of a group against each other
    3 merge what merges        4 one sorted multi-insert a session -> new tree
    5 create the epoch object  6 swap the head  7 done

A crash before 6 leaves an object that nothing names; after 6 the history is complete. A swap whose
answer is lost is settled by reading back: the head only ever moves forward, so either our epoch is in
the chain or it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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

# With jittered back-off up to 0.4 s this is about 20 s of losing every race.
MAX_ATTEMPTS = 64


class Landed(NamedTuple):
    """Where it landed. `changes` that were merged on the way are in `merged`; `already` = it had landed before."""

    position: int
    tree: bytes
    session: Session | None
    merged: tuple[Change, ...] = ()
    already: bool = False


def land(line: Line, request: LandRequest) -> Protocol[Landed]:
    """Land; raises Conflicted (details['clashes']), NothingToLand, BaseMismatch, InvalidInput, Unavailable, Busy."""
    outcome = (yield from land_group(line, [request]))[0]
    if isinstance(outcome, MicError):
        raise outcome
    return outcome


def land_group(line: Line, requests: Sequence[LandRequest]) -> Protocol[list[Landed | MicError]]:
    """Land sessions together in one epoch; for each, in the order given, where it landed or why it did not.

    They land in the order of (base position, session id); each is checked exactly against the head and
    against those before it. An error of the store that concerns all of them is raised.
    """
    outcomes: dict[int, Landed | MicError] = {}
    order = sorted(range(len(requests)), key=lambda at: (requests[at].session.base_position, requests[at].session.id))
    ready: dict[int, Prepared] = {}
    for attempt in range(MAX_ATTEMPTS):
        head = yield from refresh(line)
        yield from _prepare(line, requests, order, outcomes, ready)
        yield from _attempt(line, head, attempt, order, outcomes, ready)
        if len(outcomes) == len(requests):
            break
        pause = int.from_bytes((yield Random(2)), "big") / 65536
        yield Sleep(min(0.4, 0.01 * (attempt + 1)) * pause)
    busy = Busy(f"{MAX_ATTEMPTS} other landings were faster", hint="land again; nothing was changed")
    return [outcomes.get(at, busy) for at in range(len(requests))]


def _prepare(
    line: Line,
    requests: Sequence[LandRequest],
    order: Sequence[int],
    outcomes: dict[int, Landed | MicError],
    ready: dict[int, Prepared],
) -> Protocol[None]:
    """Find out which have landed already, and check the others; what is wrong with one is its own outcome."""
    for at in order:
        if at in outcomes:
            continue
        session = requests[at].session
        position = line.find_session(session.id)
        try:
            if position is not None:
                record = (yield from records(line, position, position))[0]
                outcomes[at] = Landed(position, record.root_after, None, already=True)
            elif not session.changes:
                raise NothingToLand("the session changes nothing", hint="change a file first, or abandon the session")
            elif at not in ready:
                ready[at] = yield from prepare(line, requests[at])
        except MicError as error:
            outcomes[at] = error


def _attempt(
    line: Line,
    head: Head,
    attempt: int,
    order: Sequence[int],
    outcomes: dict[int, Landed | MicError],
    ready: dict[int, Prepared],
) -> Protocol[None]:
    """One epoch with whatever can land. Outcomes count only when the swap was won: a clash may be with a neighbour."""
    batch = Batch(line, head)
    found: dict[int, Landed | MicError] = {}
    for at in order:
        if at in outcomes or batch.full or batch.holds(ready[at].request.session.id):
            continue
        try:
            verdict = yield from batch.judge(ready[at])
            if verdict.clashes:
                raise _conflicted(ready[at].request.session, verdict.clashes)
            session = yield from batch.add(ready[at], verdict)
        except MicError as error:
            found[at] = error
            continue
        found[at] = Landed(batch.position, batch.root, session, tuple(verdict.merged))
    if not batch.position or (yield from batch.commit(attempt)):
        outcomes |= found


def _conflicted(session: Session, clashes: list[Clash]) -> Conflicted:
    paths = ", ".join(display(clash.path) for clash in clashes[:3]) + (" …" if len(clashes) > 3 else "")
    return Conflicted(
        f"session {ulid_text(session.id)} clashes with what landed since @{session.base_position}: {paths}",
        hint="nothing was changed; take in what landed, then land again",
        clashes=clashes,
    )
