"""Erasing the words of one session: goal, conversation, decisions and whatever else was said in it.

One that has landed keeps its place in the log, and something stands in for it; of one that has not, nothing is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from mic.core.errors import Erased, InvalidInput
from mic.core.ids import parse_ulid, ulid_text
from mic.core.redaction import Parts, Redaction
from mic.core.stand_in import MARK, without_words
from mic.core.tombstone import Reason
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.operators.models import Purge
from micelio.operators.policy import require_operating
from micelio.operators.purges import REASONS, Done, PurgeView, asked, require_note, require_typed
from micelio.projects.administering import project_of_name
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import project_name
from micelio.sessions import projector
from micelio.sessions.git_view import kept_objects
from micelio.sessions.silence import require_still, silence_open


@dataclass(frozen=True, slots=True)
class WordsLook:
    """What an erasure of words would do. `position` is 0 for a session that has not landed.

    Nothing that was said is in it: only how much.
    """

    project: str
    session: str
    typed: str
    position: int
    messages: int
    decisions: int
    forks: tuple[str, ...]
    commit: bool  # it came as a Git commit


def look(actor: Actor, project: str, session: str) -> WordsLook:
    """What there is of a session's words; changes nothing.

    Raises PermissionDenied, InvalidInput, NotFound, Erased, PreconditionFailed while it waits to be landed.
    """
    require_operating(actor)
    project_id, session_id = project_of_name(actor, project), _session(session)
    ledger = open_ledger(project_id)
    row = Purge(kind=Purge.Kind.WORDS, session=ulid_text(session_id))
    position = ledger.find_session(session_id)
    if position is None:
        require_still(project_id, session_id)
        kept = ledger.open_session(session_id)
        said = kept.turns, len(kept.decisions)
        return WordsLook(project, row.session, row.typed, 0, *said, (), commit=False)
    found = ledger.landing(position).session
    if int((found.metadata.get(MARK) or {}).get("parts", 0)) & Parts.WORDS:
        raise Erased(f"The words of session {row.session} were erased.", hint=found.goal)
    forks = _forks(ledger, session_id)
    said = found.turns, len(found.decisions)
    return WordsLook(project, row.session, row.typed, position, *said, forks, commit=bool(found.metadata.get("git")))


def ask(
    actor: Actor, project: str, session: str, reason: str, note: str, *, typed: str, with_forks: bool = False
) -> PurgeView:
    """Ask for the erasure of a session's words. `typed` is the end of its id. Errors as `look`."""
    require_operating(actor)
    if reason not in REASONS or REASONS[reason] is Reason.PERSON:
        raise InvalidInput(f"{reason[:20]!r} is no class of thing that is erased.", hint="Use secret or takedown.")
    note = require_note(note)
    found = look(actor, project, session)
    project_id = project_of_name(actor, project)
    row = Purge(
        kind=Purge.Kind.WORDS,
        project_id=project_id,
        project_name=project_name(project_id),
        session=found.session,
        reason=reason,
        note=note,
        with_forks=with_forks,
    )
    require_typed(row, typed)
    if found.forks and not with_forks:
        raise InvalidInput(
            f"Forks read this session too: {', '.join(found.forks[:5])}.", hint="Erase its words in them as well."
        )
    return asked(actor, row)


def erase(row: Purge) -> Done:
    """Erase what was asked for; again, it goes on."""
    assert row.project_id is not None
    wanted = redaction(row, Parts.WORDS, 0)
    ledger, session = open_ledger(row.project_id), parse_ulid(row.session)
    if ledger.find_session(session) is None:
        return Done((row.project_id,), tuple(silence_open(row.project_id, session, wanted)))
    done = ledger.redact(wanted, [session], without_words, with_forks=row.with_forks)
    projects = tuple(UUID(hex=project) for project in done.projects)
    for project in projects:
        kept_objects(project).erase()
        projector.derive_again(project, [session])
    return Done(projects or (row.project_id,), done.keys, already=not done.sessions)


def redaction(row: Purge, parts: Parts, number: int) -> Redaction:
    """What the store is told of a request; `number` counts its redactions."""
    name = hashlib.sha256(row.id.bytes + number.to_bytes(8, "big")).digest()
    return Redaction(name, REASONS[row.reason], parts, int(row.asked_at.timestamp() * 1000), row.asked_by)


def _session(text: str) -> bytes:
    try:
        return parse_ulid(text.strip().upper())
    except InvalidInput as error:
        raise InvalidInput(
            f"{text[:40]!r} is no session.", hint="Give its whole id, 26 characters: its page has it."
        ) from error


def _forks(ledger: Project, session: bytes) -> tuple[str, ...]:
    """The names of the forks that read it."""
    try:
        return tuple(project_name(UUID(hex=each)) or each for each in ledger.forks_reading([session]))
    except InvalidInput as error:
        if origin := error.details.get("origin"):
            raise InvalidInput(
                f"The session is read from {project_name(UUID(hex=str(origin)))}, which this project was forked from.",
                hint="Erase its words there, with the forks; nothing was changed.",
            ) from error
        raise
