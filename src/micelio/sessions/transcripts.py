"""The conversation of a session where not all read it who read the session: kept apart from what lands (ADR 105).

What lands then has no conversation, only how long it is: whatever reads landings, copies them or sends them on has
nothing to hide. The conversation stays in the last state of the session that the store keeps (`sessions/{id}.bin`),
and comes from there for whom the policy lets read it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from mic.core.attribution import LINES, parse, stored, without_messages
from mic.core.errors import InvalidInput, NotFound
from mic.core.session import Session
from micelio.accounts.actor import Actor
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import whole_id
from micelio.sessions.policy import may_read_transcript
from micelio.sessions.redaction import as_shown


def apart(session: Session) -> Session:
    """The session as it lands: without a conversation that is kept apart, and without which of its messages decided
    and wrote what."""
    if not session.transcript:
        return session
    decisions = tuple(msgspec.structs.replace(each, message=0) for each in session.decisions)
    return msgspec.structs.replace(
        session,
        conversation=(),
        messages=session.turns,
        decisions=decisions,
        attribution=_unnumbered(session.attribution),
    )


def _unnumbered(attribution: dict[str, Any]) -> dict[str, Any]:
    """What is said of the lines without the numbers of messages; nothing where it cannot be read."""
    if LINES not in attribution:
        return attribution
    others = {name: said for name, said in attribution.items() if name != LINES}
    try:
        return others | stored(without_messages(parse(attribution)))
    except InvalidInput:
        return others


def as_read(actor: Actor, project: ProjectView, session: Session, position: int) -> Session:
    """A session, as it may be shown, with its conversation for whoever may read that. `position` 0: it has not landed.

    Through a fork nobody reads what its origin keeps apart: whose members they are is said there.
    """
    if not session.transcript:
        return session
    if not may_read_transcript(actor, project, session.id, UUID(bytes=session.owner)):
        return apart(session)
    line = _landed_on(project, position) if session.messages and not session.conversation else None
    return session if line is None else with_kept(line, session)


def with_kept(line: UUID, session: Session) -> Session:
    """A session that landed on a line, with the conversation that is kept there of it, if there is one.

    There is none where its words were erased, or where the project came from an archive, which leaves it out. Nobody
    is asked: for whoever has judged that, and for a session's owner.
    """
    if not session.transcript or session.conversation or not session.messages:
        return session
    try:
        kept = as_shown(open_ledger(line).open_session(session.id))
    except NotFound:
        return session
    if kept.owner != session.owner:
        return session
    decisions = session.decisions
    if len(kept.decisions) == len(decisions):
        told = zip(decisions, kept.decisions, strict=True)
        decisions = tuple(msgspec.structs.replace(each, message=before.message) for each, before in told)
    attribution = session.attribution
    if _unnumbered(kept.attribution) == _unnumbered(attribution):
        attribution = kept.attribution
    return msgspec.structs.replace(
        session, conversation=kept.conversation, decisions=decisions, attribution=attribution
    )


def is_kept(actor: Actor, project: ProjectView, session_id: bytes) -> bool:
    """Whether a session that has not landed has a conversation that the actor may not read."""
    try:
        session = open_ledger(project.line).open_session(session_id)
    except NotFound:
        return False
    owner = UUID(bytes=session.owner)
    return bool(session.transcript) and not may_read_transcript(actor, project, session_id, owner)


def _landed_on(project: ProjectView, position: int) -> UUID | None:
    """The line of the project that a landing is of; None for one that a fork has from its origin."""
    line = open_ledger(project.line).line
    while line.origin is not None and position <= line.start.position:
        line = line.origin
    found = UUID(hex=line.project)
    return found if found in (project.id, project.line) or whole_id(found) == project.id else None
