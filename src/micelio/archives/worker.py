"""The thread that fetches archives. What waits is in the database; tokens are in memory alone."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

import msgspec
from django.db import DatabaseError
from django.db.models import Min, Q
from django.utils import timezone

from mic.core.errors import MicError, PreconditionFailed, Unauthenticated, Unavailable
from micelio.archives.asking import Asking, Wait
from micelio.archives.fetch import Fetch
from micelio.archives.kept import KeptArchive
from micelio.archives.manifest import Pending
from micelio.archives.models import OPEN, ArchiveRun, State
from micelio.archives.source import parse_source
from micelio.databases import let_go
from micelio.jobs.run import Canceled, Stopped, claim, words
from micelio.jobs.run_thread import RunThread
from micelio.outgoing.client import outgoing

_log = logging.getLogger("micelio.archives")

# Between two looks through the database, in seconds, while nobody is told of anything.
SWEEP = 30.0
# Of one request, with everything it takes.
_SECONDS = 60.0
# How often a forge that does not answer is asked again, and after which seconds at first.
ATTEMPTS, _REST = 6, 30.0

_tokens: dict[UUID, str] = {}


def hold(run_id: UUID, token: str) -> None:
    """Have the token of a run that is about to be there; it is forgotten with its end."""
    if token:
        _tokens[run_id] = token


def forget(run_id: UUID) -> None:
    """Have no token of a run any more."""
    _tokens.pop(run_id, None)


def work_on_one() -> bool:
    """Carry one run on, as far as it goes for now; whether there was one."""
    row = _claimed()
    if row is None:
        return False
    _carry_on(row)
    if row.state not in OPEN:
        _tokens.pop(row.id, None)
    return True


def _until_due() -> float:
    """Seconds until a run has rested for long enough, at most SWEEP."""
    first = ArchiveRun.objects.filter(state=State.RESTING).aggregate(at=Min("rests_until"))["at"]
    return SWEEP if first is None else min(SWEEP, max(0.0, (first - timezone.now()).total_seconds()))


def _claimed() -> ArchiveRun | None:
    """The next run that is due, as this process's own. A canceled one with a worker has not been cleared up behind."""
    due = Q(state__in=(State.WAITING, State.RUNNING)) | Q(state=State.RESTING, rests_until__lte=timezone.now())
    rows = ArchiveRun.objects.filter(due | Q(state=State.CANCELED, cleared=False)).order_by("updated_at")
    return claim(rows, lambda row: row.state if row.state == State.CANCELED else State.RUNNING, rests_until=None)


def _carry_on(row: ArchiveRun) -> None:
    if row.state == State.CANCELED:
        _clear(row)
        return
    token = _tokens.get(row.id, "")
    try:
        if row.with_token and not token:
            raise Unauthenticated(
                "The forge was started anew, and keeps no tokens of other forges.",
                hint="Give the token once more: what was fetched stays, and it goes on from there.",
            )
        _fetch(row, token)
        _ended(row, State.DONE)
    except Stopped:
        ArchiveRun.objects.filter(id=row.id, state=State.RUNNING).update(state=State.WAITING)
    except Canceled:
        row.state = State.CANCELED
        _clear(row)
    except Wait as pause:
        _rest(row, pause.seconds)
    except (Unavailable, PreconditionFailed) as error:
        row.attempts += 1
        if row.attempts >= ATTEMPTS:
            _failed(row, error)
        else:
            _rest(row, _REST * 2 ** (row.attempts - 1), error)
    except MicError as error:
        _failed(row, error)
    except DatabaseError:
        raise
    except Exception:
        _log.exception("run %s of an archive failed in a way that nobody expected", row.id)
        _failed(row, MicError("Something went wrong in the forge.", hint="Start it again; its log says more."))


def _fetch(row: ArchiveRun, token: str) -> None:
    source = parse_source(row.source, row.provider)
    client = outgoing(_SECONDS)
    try:
        let_go()
        asking = Asking(client, source, token)
        made = Fetch(KeptArchive(row.project_id), source, asking, token=bool(token), seen=lambda seen: _seen(row, seen))
        whole = made.run()
        row.warnings = len(whole.warnings)
    finally:
        client.close()


def _seen(row: ArchiveRun, pending: Pending) -> None:
    """Write down how far it is. Raises Canceled, Stopped."""
    row.pages, row.done, row.warnings = pending.pages, pending.done, len(pending.warnings)
    row.stage = pending.steps[0].list if pending.steps else "finalisation"
    found = ArchiveRun.objects.filter(id=row.id, state=State.RUNNING)
    counted = found.update(
        pages=row.pages, done=row.done, warnings=row.warnings, stage=row.stage, updated_at=timezone.now()
    )
    if not counted:
        raise Canceled
    if thread.stopping:
        raise Stopped
    let_go()


def _rest(row: ArchiveRun, seconds: float, error: MicError | None = None) -> None:
    now = timezone.now()
    said = words(error, _nameless) if error else {"error_code": "", "error": ""}
    ArchiveRun.objects.filter(id=row.id, state=State.RUNNING).update(
        state=State.RESTING, rests_until=now + timedelta(seconds=seconds), updated_at=now, attempts=row.attempts, **said
    )


def _failed(row: ArchiveRun, error: MicError) -> None:
    _ended(row, State.FAILED, **words(error, _nameless))


def _nameless(project: UUID) -> str:
    """What an archive's errors call other projects by: they are about none."""
    return ""


def _ended(row: ArchiveRun, state: State, **what: str) -> None:
    now = timezone.now()
    ended = {"error_code": "", "error": "", "hint": "", **what}
    found = ArchiveRun.objects.filter(id=row.id, state=State.RUNNING)
    found.update(
        state=state, finished_at=now, updated_at=now, rests_until=None, worker="", warnings=row.warnings, **ended
    )
    row.state = state


def _clear(row: ArchiveRun) -> None:
    """Remove what a canceled run has fetched. Nothing of it was visible."""
    try:
        kept = KeptArchive(row.project_id)
        found, tag = kept.load()
        if found is not None and found.pending is not None:
            kept.save(msgspec.structs.replace(found, pending=None), tag)
            kept.drop(found.pending, found)
    except (MicError, OSError) as error:
        _log.error("run %s of an archive left objects behind: %s", row.id, error)
    ArchiveRun.objects.filter(id=row.id).update(worker="", cleared=True)


thread = RunThread("archives", work_on_one, _until_due)
