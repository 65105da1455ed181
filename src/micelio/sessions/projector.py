"""The projector: reads each project's log from its last position, in order, and derives rows from it.

Idempotent and restartable: a batch of rows and the new position commit together. The request that landed
nudges it; a thread looks at every project at the start and whenever a nudge failed. The same thread seals logs:
no landing waits for that.

Landings that wait for their rows at the same time get them in one transaction, together with their audit events:
the first to come takes along whatever queued behind it, as the ledger does when it commits.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, UUIDField

from mic.core.attribution import LINES
from mic.core.errors import Corrupt, MicError, NotFound
from mic.core.head import hlc_ms
from mic.core.record import Record
from mic.core.session import Session
from mic.ledger.intents import waiting
from mic.ledger.readable import Landing as Landed
from micelio.audit.actions import Event, record_all
from micelio.background import follow_in_thread
from micelio.databases import let_go
from micelio.projects.jobs import roll_project
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import all_lines, exists
from micelio.sessions.inherited import inherit
from micelio.sessions.models import Landing, LastChange, OpenSession, Projection, storable
from micelio.sessions.pushed_at import pushed_at
from micelio.sessions.redaction import as_shown
from micelio.sessions.signals import agents_landed, followed, reworded

_log = logging.getLogger("micelio.projector")

BATCH = 500
# Changes that the landings of one batch have together: of one that has a million alone, rows are made piece by piece.
CHANGES = 100_000
# How often the thread looks at every project, in seconds: only what a crash between landing and nudge left.
SWEEP = 60.0
# Between two attempts at a project whose rows are behind, unless a landing asks for it sooner.
RETRY = 5.0


class _Waiting:
    """A landing that waits for its row and its event. `done` is set when both are there, or `error` says why not."""

    def __init__(self, position: int, event: Event) -> None:
        self.position, self.event = position, event
        self.done = False
        self.error: BaseException | None = None


_waiting: defaultdict[UUID, deque[_Waiting]] = defaultdict(deque)
_locks: defaultdict[UUID, threading.Lock] = defaultdict(threading.Lock)
_failed: set[UUID] = set()
_unsealed: set[UUID] = set()  # their logs are long enough to be sealed
_reached: dict[UUID, int] = {}  # rows stand up to here, at least; what another process derived is not in it
_wake = threading.Event()
# A fork's history up to here is derived while its maker waits; a longer one by the thread.
_AT_ONCE = 2_000


def begin_fork(project_id: UUID) -> None:
    """Derive the rows of a new fork, now or soon."""
    if open_ledger(project_id).head().position <= _AT_ONCE:
        catch_up(project_id)
    else:
        _failed.add(project_id)
        _wake.set()


def landed(project_id: UUID, position: int, event: Event) -> None:
    """Record the event of a landing and derive its row. An error of the rows is logged, and the thread tries again."""
    mine = _Waiting(position, event)
    queue = _waiting[project_id]
    queue.append(mine)
    # Nobody waits for another with a connection in hand that the other may need.
    let_go()
    with _locks[project_id]:
        if not mine.done:
            group = [queue.popleft() for _ in range(len(queue))]
            try:
                _settle(project_id, max(one.position for one in group), [one.event for one in group])
            except BaseException as error:
                for one in group:
                    one.error = error
            for one in group:
                one.done = True
    if mine.error is not None:
        # Each thread raises one of its own: a shared one would collect the traces of all.
        raise copy.copy(mine.error) from mine.error
    _wake_thread(project_id)
    followed.send(Landing, project_id=project_id)


def _settle(project_id: UUID, last: int, events: Sequence[Event]) -> None:
    """The events, and the rows up to position `last`, in one transaction when the landings are at hand."""
    first = _reached.get(project_id, -1) + 1
    made = open_ledger(project_id).lately(first, last)
    try:
        with transaction.atomic():
            _record(events)
            stand = first > last or (bool(made) and exists(project_id) and _derive(project_id, made))
    except IntegrityError as error:
        # The rows': an event refers to nothing.
        _fell_behind(project_id, error)
        with transaction.atomic():
            _record(events)
        return
    if not stand:
        _follow_logged(project_id)
    elif made:
        _reached[project_id] = last


def _record(events: Sequence[Event]) -> None:
    record_all(events)
    by_agents = [event.actor.token for event in events if event.actor.via == "agent-token"]
    if by_agents:
        agents_landed.send(Landing, token_ids=by_agents)


def catch_up(project_id: UUID, at_least: int | None = None) -> int:
    """Derive rows up to the head; the position reached. Errors are logged and tried again by the thread.

    Whoever only needs the rows up to `at_least` does nothing when another landing has derived them meanwhile.
    """
    reached = _caught_up(project_id, at_least)
    _wake_thread(project_id)
    followed.send(Landing, project_id=project_id)
    return reached


def _wake_thread(project_id: UUID) -> None:
    if project_id in _failed:
        _wake.set()
    elif open_ledger(project_id).due_to_seal:
        _unsealed.add(project_id)
        _wake.set()


def _caught_up(project_id: UUID, at_least: int | None = None) -> int:
    let_go()  # as in `landed`
    with _locks[project_id]:
        if at_least is not None and _reached.get(project_id, -1) >= at_least:
            return _reached[project_id]
        return _follow_logged(project_id)


def _follow_logged(project_id: UUID) -> int:
    """Derive rows up to the head, holding the project's lock; 0 when that failed, or when the project was deleted."""
    try:
        if not exists(project_id):
            return 0
        _reached[project_id] = _follow(project_id)
        return _reached[project_id]
    except (MicError, OSError, IntegrityError) as error:
        _fell_behind(project_id, error)
        return 0


def _fell_behind(project_id: UUID, error: Exception) -> None:
    _log.error("project %s: rows do not follow its log: %s", project_id, error)
    _failed.add(project_id)


def _seal(project_id: UUID) -> None:
    """Write the segments and index runs of a log that are due. What fails is tried again at the next look."""
    try:
        if exists(project_id):
            ledger = open_ledger(project_id)
            ledger.seal()
            if ledger.due_to_roll:
                ledger.line.rolled = ledger.line.sealed  # a job does it, here or elsewhere, and tries again if need be
                roll_project.enqueue(str(project_id))
    except (MicError, OSError) as error:
        _log.error("project %s: its log could not be sealed: %s", project_id, error)


def derived(project_id: UUID) -> int:
    """The newest position that rows stand for: it has landed, whatever became of the store since."""
    return Projection.objects.filter(project_id=project_id).values_list("position", flat=True).first() or 0


def rebuild_project(project_id: UUID) -> int:
    """Forget the derived rows of one project and make them again; 0 when its log cannot be read."""
    try:
        return _rebuild(project_id)
    except (Corrupt, NotFound):
        return 0


def rebuild() -> tuple[int, list[MicError]]:
    """Forget every derived row and make them again from the logs; the number of landings, and what was damaged.

    The rows of a project without a head in the store are left as they are.
    """
    total = 0
    damaged: list[MicError] = []
    for project_id in all_lines():
        try:
            total += _rebuild(project_id)
        except (Corrupt, NotFound) as error:
            damaged.append(error)
    return total, damaged


def _rebuild(project_id: UUID) -> int:
    with _locks[project_id]:
        _reached.pop(project_id, None)
        open_ledger(project_id).head()
        with transaction.atomic():
            for model in (Landing, LastChange, Projection, OpenSession):
                model._default_manager.filter(project_id=project_id).delete()
        total = _follow(project_id)
        open_ledger(project_id).seal()
        _mirror_open(project_id)
        return total


def _mirror_open(project_id: UUID) -> None:
    """Rows for the sessions that the store keeps and that have not landed."""
    ledger = open_ledger(project_id)
    queued = {item.session for item in ledger.run(waiting(ledger.line))}
    for session in ledger.kept_sessions():
        if ledger.find_session(session.id) is None:
            keep_row(project_id, session, queued=session.id in queued)


def keep_row(project_id: UUID, session: Session, *, queued: bool = False) -> None:
    """Write the row of a session that has not landed; `queued` when it waits to be landed."""
    values = open_row(session, queued=queued)
    made = values.pop("created_at")
    OpenSession.objects.update_or_create(
        project_id=project_id,
        session_id=session.id,
        defaults=values,
        create_defaults=values | {"created_at": made},
    )


def open_row(session: Session, *, queued: bool = False) -> dict[str, Any]:
    """The columns of a session that has not landed, but for project and id."""
    return {
        "goal": storable(session.goal),
        "state": session.state,
        "queued": queued,
        "base_position": session.base_position,
        "agent": storable(session.agent),
        "owner_id": UUID(bytes=session.owner),
        "created_at": _time(hlc_ms(session.hlc_created)),
        "updated_at": _time(hlc_ms(session.hlc_updated)),
        "pushed_at": _time(at) if (at := pushed_at(session)) else None,
    }


def start() -> Callable[[], None]:
    """Catch up in a thread; returns the function that stops it."""
    return follow_in_thread("projector", _loop, _wake)


def _loop(stopping: threading.Event) -> None:
    swept: float | None = None
    while not stopping.is_set():
        _wake.clear()
        everything = swept is None or time.monotonic() - swept >= SWEEP
        if everything:
            swept = time.monotonic()
        let_go()
        try:
            due = all_lines() if everything else list(_failed)
        except Exception:
            _log.exception("the list of projects could not be read; trying again")
            due = []
        for project_id in due:
            if stopping.is_set():
                break
            _failed.discard(project_id)
            _caught_up(project_id)  # which does not wake this thread: what failed has its pause
        for project_id in due if everything else list(_unsealed):
            if stopping.is_set():
                break
            _unsealed.discard(project_id)
            _seal(project_id)
        let_go()
        _wake.wait(RETRY if _failed else SWEEP)
    connection.close()


def _follow(project_id: UUID) -> int:
    ledger = open_ledger(project_id)
    head = ledger.head().position
    state, _ = Projection.objects.get_or_create(project_id=project_id)
    position = state.position or (inherit(project_id) if head else 0)
    if position > head:
        raise MicError(f"The rows of project {project_id} are ahead of its log.", hint="Run `micelio rebuild`.")
    while position < head:
        records = _within(CHANGES, ledger.records(position + 1, min(head, position + BATCH)))
        _derive(project_id, [Landed(record, ledger.session_of(record)) for record in records])
        position = derived(project_id)  # further than that when another process was at it too
    return position


def _within(most: int, records: Sequence[Record]) -> Sequence[Record]:
    """The first of some records, as many as have so many changes together, and at least one."""
    changes = 0
    for number, record in enumerate(records):
        changes += len(record.changes)
        if number and changes > most:
            return records[:number]
    return records


def _derive(project_id: UUID, landings: Sequence[Landed]) -> bool:
    """Rows for consecutive landings, in one transaction with the position; False when rows stand elsewhere by now."""
    first, last = landings[0].record.position, landings[-1].record.position
    with transaction.atomic():
        state = Projection.objects.filter(project_id=project_id, position=first - 1)
        decisions = sum(len(landing.session.decisions) for landing in landings)
        if not state.update(position=last, decisions=F("decisions") + decisions):
            return False
        rows = [_row(project_id, record, session) for record, session in landings]
        Landing.objects.bulk_create(rows, ignore_conflicts=True)
        _write_last_changes(project_id, [landing.record for landing in landings])
        landed = [landing.record.session for landing in landings]
        OpenSession.objects.filter(project_id=project_id, session_id__in=landed).delete()
        return True


def _row(project_id: UUID, record: Record, session: Session) -> Landing:
    session = as_shown(session)
    git: dict[str, Any] = session.metadata.get("git", {})
    authored = git.get("authored_ms", hlc_ms(session.hlc_created))
    return Landing(
        project_id=project_id,
        position=record.position,
        session_id=session.id,
        goal=storable(session.goal),
        author_name=storable(session.author.name),
        author_email=storable(session.author.email),
        owner_id=None if session.owner == bytes(16) or git else UUID(bytes=session.owner),
        agent=storable(session.agent),
        landed_at=_time(hlc_ms(record.hlc)),
        authored_at=_time(authored),
        files=len(session.changes),
        decisions=len(session.decisions),
        messages=session.turns,
        git_commit=git.get("commit"),
        base_position=record.base_position,
        attributed=LINES in session.attribution,
    )


_EARLIEST = -62_135_596_800_000
_LATEST = 253_402_300_799_000


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(min(max(ms, _EARLIEST), _LATEST) / 1000, UTC)


def _write_last_changes(project_id: UUID, records: list[Record]) -> None:
    """One statement, many rows: as objects, 100,000 of them take several seconds."""
    statement = (
        f"INSERT INTO {LastChange._meta.db_table} (project_id, directory, name, position) "  # noqa: S608  # our own name
        "VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (project_id, directory, name) DO UPDATE SET position = excluded.position"
    )
    key = UUIDField().get_db_prep_value(project_id, connection)
    with connection.cursor() as cursor:
        for newest in _last_changes(records):
            # Every driver takes bytes as they are; a BinaryField would first spend more than the statement on each.
            rows = [(key, directory, name, position) for (directory, name), position in newest.items()]
            cursor.executemany(statement, rows)


def _last_changes(records: list[Record]) -> Iterator[dict[tuple[bytes, bytes], int]]:
    """The newest landing for each child of a directory, by directory and name; later pieces go over earlier ones."""
    newest: dict[tuple[bytes, bytes], int] = {}
    for record in records:
        for change in record.changes:
            path = change.path
            while path:
                directory, _, name = path.rpartition(b"/")
                if newest.get((directory, name)) == record.position:
                    break  # and so are those above it
                newest[directory, name] = record.position
                path = directory
            if len(newest) > CHANGES:
                yield newest
                newest = {}
    yield newest


# What a row takes from the words of a session, and from who is named in it.
_SAID = ("goal", "author_name", "author_email", "agent", "decisions", "messages", "attributed")


def derive_again(project_id: UUID, sessions: Sequence[bytes]) -> int:
    """Derive rows anew whose sessions say something else since; how many."""
    ledger = open_ledger(project_id)
    ledger.head()
    with _locks[project_id], transaction.atomic():
        rows = list(Landing.objects.filter(project_id=project_id, session_id__in=list(sessions)))
        fewer = 0
        for row in rows:
            record, session = ledger.landing(row.position)
            fresh, before = _row(project_id, record, session), row.decisions
            for name in _SAID:
                setattr(row, name, getattr(fresh, name))
            fewer += before - row.decisions
        Landing.objects.bulk_update(rows, _SAID, batch_size=BATCH)
        Projection.objects.filter(project_id=project_id).update(decisions=F("decisions") - fewer)
    reworded.send(Landing, project_id=project_id, positions=[row.position for row in rows])
    return len(rows)
