"""One export from its beginning to its file. Whoever is killed leaves parts, which the next attempt writes anew."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol as Shape

from django.utils import timezone

from mic.core.errors import MicError, TooLarge, Unavailable
from mic.ledger.archive import graves_of
from mic.ledger.line import Line
from micelio.accounts.actor import Actor, actor_of_account
from micelio.databases import let_go
from micelio.exports import kept, policy, worker
from micelio.exports.account_lines import AccountLines
from micelio.exports.archive_out import ArchiveWriter
from micelio.exports.models import Export, Kind, State
from micelio.exports.project_lines import ProjectLines
from micelio.jobs.run import Canceled, Stopped, words
from micelio.projects.branches import registered_branches
from micelio.projects.ledgers import ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import project_name, project_of
from micelio.sessions.transcripts import is_kept

_log = logging.getLogger("micelio.exports")

# A file is there for so long.
KEPT = timedelta(days=1)
# What one export may be; beyond that whoever runs the forge copies the store.
MOST_BYTES = 1 << 38
# Seconds between two looks whether it is still wanted.
_TICK = 1.0
_LEFT_OUT = "sessions that have not landed: whoever made this is no member of the project"

_KEPT_APART = "conversations that are kept to members"


class Maker(Shape):
    """Makes a file piece by piece, and says how far it is."""

    done: int
    total: int

    def pieces(self) -> Iterator[bytes]: ...


def carry_out(row: Export) -> None:
    """Make the file of a run that this process has claimed. Its row says what became of it; raises nothing expected."""
    try:
        actor = actor_of_account(row.started_by)
        project = _project(actor, row)
        erasures = erased_of(project) if project is not None else ""
        row.size, row.sha256 = _written(row, _maker(actor, row, project))
        _ended(row, State.DONE, size=row.size, sha256=row.sha256, erasures=erasures, expires_at=timezone.now() + KEPT)
    except Canceled:
        kept.remove(row.id)
    except Stopped:
        Export.objects.filter(id=row.id, state=State.RUNNING).update(
            state=State.WAITING, worker="", updated_at=timezone.now()
        )
    except MicError as error:
        kept.remove(row.id)
        _ended(row, State.FAILED, **words(error, project_name))
    except Exception:
        _log.exception("export %s failed", row.id)
        kept.remove(row.id)
        failure = Unavailable("The forge failed at this export.", hint="Its log says why; try again later.")
        _ended(row, State.FAILED, **words(failure, project_name))


def erased_of(project: ProjectView) -> str:
    """What stands for all that was erased of a project, its branches included."""
    names: set[str] = set()
    for line in (project.id, *(branch.id for branch in registered_branches(project.id))):
        names |= ledger().driver.run(graves_of(Line(line.hex, ledger().cache)))
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def _project(actor: Actor, row: Export) -> ProjectView | None:
    """The project of a run, which the account may still read."""
    if row.project_id is None:
        return None
    project = project_of(actor, row.project_id)
    policy.require_export(actor, project)
    return project


def _maker(actor: Actor, row: Export, project: ProjectView | None) -> Maker:
    if project is None:
        return AccountLines(actor, row.started_by)
    shown = row.open_sessions and policy.sees_open(actor, project)
    if row.kind == Kind.JSON:
        return ProjectLines(actor, project, lambda session: shown)
    return ArchiveWriter(
        project,
        lambda session: shown and not is_kept(actor, project, session),
        (*(() if shown else (_LEFT_OUT,)), _KEPT_APART),
    )


def _written(row: Export, maker: Maker) -> tuple[int, str]:
    """Write the file; its size and SHA-256."""
    file = kept.FileWriter(row.id)
    looked = 0.0
    for piece in maker.pieces():
        let_go()
        file.write(piece)
        if file.size > MOST_BYTES:
            raise TooLarge(
                f"It is more than the {MOST_BYTES >> 30:,} GiB that one export has.",
                hint="Whoever runs the forge can copy the store.",
            )
        if time.monotonic() - looked >= _TICK:
            looked = time.monotonic()
            _tell(row, maker)
    digest = file.finish()
    _tell(row, maker)
    return file.size, digest


def _tell(row: Export, maker: Maker) -> None:
    if worker.thread.stopping:
        raise Stopped
    mine = Export.objects.filter(id=row.id, state=State.RUNNING)
    if not mine.update(done=maker.done, total=maker.total, updated_at=timezone.now()):
        raise Canceled


def _ended(row: Export, state: State, **fields: object) -> None:
    now = timezone.now()
    done = Export.objects.filter(id=row.id, state=State.RUNNING).update(
        state=state, worker="", finished_at=now, updated_at=now, **fields
    )
    if not done:  # canceled in the last moment, or its project is gone
        kept.remove(row.id)
