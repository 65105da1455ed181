"""Carrying out what was accepted to be landed later: the same act as landing at once, in its author's name."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from mic.core.errors import Busy, Conflicted, Corrupt, MicError, NotFound, Unavailable
from mic.core.head import ms_hlc
from mic.core.session import Session
from mic.ledger import intents
from mic.ledger.intents import Waiting
from mic.ledger.project import Project
from micelio.accounts.actor import actor_of_account
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import is_standing, project_name, project_of
from micelio.sentences import for_people
from micelio.sessions import projector
from micelio.sessions.actions import land
from micelio.sessions.refusal import refused

_log = logging.getLogger("micelio.later")


def carry_out(project_id: UUID, item: Waiting) -> None:
    """Land what was accepted; what became of it is kept with the session, and the intent goes last.

    Raises what may pass: Unavailable, Busy, and Corrupt for a damaged project. Then the intent stays as it is.
    """
    if not is_standing(project_id):
        return  # deleted meanwhile: it goes with the project's objects, or is found when that is restored
    ledger = open_ledger(project_id)
    try:
        intent = ledger.run(intents.read(item))
    except Corrupt as error:
        _log.error("project %s: an accepted landing cannot be read: %s", project_id, error.message)
        _set_aside(project_id, ledger, item)
        return
    if intent is None:
        return  # somebody else has carried it out
    try:
        actor = actor_of_account(UUID(bytes=intent.session.owner))
        land(actor, project_of(actor, project_id), intent.session, intent.contents, intent.packs)
    except Conflicted:
        pass  # kept with the session by `land`
    except MicError as error:
        if _may_pass(error):
            raise
        _refuse(project_id, ledger, intent.session, error)
    ledger.run(intents.remove(item))


def _may_pass(error: MicError) -> bool:
    """Whether this says something about the store rather than about the session. The ledger names its project then."""
    return isinstance(error, Unavailable | Busy | Corrupt) or (
        isinstance(error, NotFound) and "project" in error.details
    )


def _refuse(project_id: UUID, ledger: Project, session: Session, error: MicError) -> None:
    try:
        kept = ledger.open_session(session.id)
    except NotFound:
        kept = session
    if kept.owner != session.owner:
        return  # its id is another account's session by now, which must not be touched
    now = ms_hlc(time.time_ns() // 1_000_000)
    kept = refused(kept, for_people(error, project_name), now)
    ledger.put_open_session(kept)
    projector.keep_row(project_id, kept)


def _set_aside(project_id: UUID, ledger: Project, item: Waiting) -> None:
    try:
        session = ledger.open_session(item.session)
    except NotFound:
        session = None
    if session is not None:
        error = Corrupt("What was sent to land cannot be read back from the store.", hint="Land it again.")
        _refuse(project_id, ledger, session, error)
    ledger.run(intents.set_aside(ledger.line, item))
