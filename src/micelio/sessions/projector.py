"""The projector: reads each project's log from its last position, in order, and derives rows from it.

Idempotent and restartable: a batch of rows and the new position commit together. The request that landed
nudges it; a thread looks at every project at the start and whenever a nudge failed. The same thread seals logs:
no landing waits for that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.models import UUIDField

from mic.core.errors import Corrupt, MicError, NotFound
from mic.core.head import hlc_ms
from mic.core.record import Record
from mic.core.session import Session
from mic.ledger.project import Project
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import all_project_ids, exists
from micelio.sessions.inherited import inherit
from micelio.sessions.models import Landing, LastChange, OpenSession, Projection

_log = logging.getLogger("micelio.projector")

BATCH = 500
# How often the thread looks at every project, in seconds: only what a crash between landing and nudge left.
SWEEP = 60.0
# Between two attempts at a project whose rows are behind, unless a landing asks for it sooner.
RETRY = 5.0

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


def catch_up(project_id: UUID, at_least: int | None = None) -> int:
    """Derive rows up to the head; the position reached. Errors are logged and tried again by the thread.

    Whoever only needs the rows up to `at_least` does nothing when another landing has derived them meanwhile.
    """
    reached = _caught_up(project_id, at_least)
    if project_id in _failed:
        _wake.set()
    elif open_ledger(project_id).due_to_seal:
        _unsealed.add(project_id)
        _wake.set()
    return reached


def _caught_up(project_id: UUID, at_least: int | None = None) -> int:
    try:
        with _locks[project_id]:
            if not exists(project_id):
                return 0  # it was deleted meanwhile
            if at_least is not None and _reached.get(project_id, -1) >= at_least:
                return _reached[project_id]
            _reached[project_id] = _follow(project_id)
            return _reached[project_id]
    except (MicError, OSError, IntegrityError) as error:
        _log.error("project %s: rows do not follow its log: %s", project_id, error)
        _failed.add(project_id)
        return 0


def _seal(project_id: UUID) -> None:
    """Write the segments and index runs of a log that are due. What fails is tried again at the next look."""
    try:
        if exists(project_id):
            open_ledger(project_id).seal()
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
    for project_id in all_project_ids():
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
    for session in ledger.kept_sessions():
        if ledger.find_session(session.id) is None:
            keep_row(project_id, session)


def keep_row(project_id: UUID, session: Session) -> None:
    """Write the row of a session that has not landed."""
    values = {
        "goal": _text(session.goal),
        "state": session.state,
        "base_position": session.base_position,
        "agent": _text(session.agent),
        "owner_id": UUID(bytes=session.owner),
        "updated_at": _time(hlc_ms(session.hlc_updated)),
    }
    OpenSession.objects.update_or_create(
        project_id=project_id,
        session_id=session.id,
        defaults=values,
        create_defaults=values | {"created_at": _time(hlc_ms(session.hlc_created))},
    )


def start() -> Callable[[], None]:
    """Catch up in a thread; returns the function that stops it."""
    stopping = threading.Event()
    thread = threading.Thread(target=_loop, args=(stopping,), name="projector", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        _wake.set()
        thread.join(timeout=5)

    return stop


def _loop(stopping: threading.Event) -> None:
    swept: float | None = None
    while not stopping.is_set():
        _wake.clear()
        everything = swept is None or time.monotonic() - swept >= SWEEP
        if everything:
            swept = time.monotonic()
        close_old_connections()
        try:
            due = all_project_ids() if everything else list(_failed)
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
        records = ledger.records(position + 1, min(head, position + BATCH))
        _derive(project_id, ledger, records)
        position = records[-1].position
    return position


def _derive(project_id: UUID, ledger: Project, records: list[Record]) -> None:
    """Rows for consecutive records, in one transaction with the position."""
    sessions = [ledger.session_of(record) for record in records]
    rows = [_row(project_id, record, session) for record, session in zip(records, sessions, strict=True)]
    with transaction.atomic():
        state = Projection.objects.get(project_id=project_id)
        if state.position >= records[-1].position:
            return
        Landing.objects.bulk_create(rows, ignore_conflicts=True)
        _write_last_changes(project_id, records)
        landed = [record.session for record in records]
        OpenSession.objects.filter(project_id=project_id, session_id__in=landed).delete()
        state.position = records[-1].position
        state.decisions += sum(len(session.decisions) for session in sessions)
        state.save()


def _row(project_id: UUID, record: Record, session: Session) -> Landing:
    git: dict[str, Any] = session.metadata.get("git", {})
    authored = git.get("authored_ms", hlc_ms(session.hlc_created))
    return Landing(
        project_id=project_id,
        position=record.position,
        session_id=session.id,
        goal=_text(session.goal),
        author_name=_text(session.author.name),
        author_email=_text(session.author.email),
        owner_id=None if session.owner == bytes(16) or git else UUID(bytes=session.owner),
        agent=_text(session.agent),
        landed_at=_time(hlc_ms(record.hlc)),
        authored_at=_time(authored),
        files=len(session.changes),
        decisions=len(session.decisions),
        messages=len(session.conversation),
        git_commit=git.get("commit"),
        base_position=record.base_position,
    )


def _text(text: str) -> str:
    # PostgreSQL refuses NUL in text; the session object keeps it.
    return text.replace("\x00", "\ufffd")


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
    # Every driver takes bytes as they are; a BinaryField would first spend more than the statement on each.
    rows = [(key, directory, name, position) for (directory, name), position in _last_changes(records).items()]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def _last_changes(records: list[Record]) -> dict[tuple[bytes, bytes], int]:
    """The newest landing for each child of a directory, by directory and name."""
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
    return newest
