"""The sessions that an account has written, for whoever asks for their own data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from mic.core.session import Session
from micelio.projects.ledgers import open_ledger
from micelio.sessions.models import Landing, OpenSession
from micelio.sessions.redaction import as_shown
from micelio.sessions.transcripts import with_kept


class Written(NamedTuple):
    """A session of an account; `position` is 0 for one that has not landed. `line` is the line that it is on."""

    line: UUID
    position: int
    session_id: bytes


def written_by(user_id: UUID) -> Iterator[Written]:
    """All of an account, by lines and positions; a landing that a fork or branch has too counts once, as the first."""
    seen: set[bytes] = set()
    landed = Landing.objects.filter(owner_id=user_id).order_by("project__created_at", "project_id", "position")
    for line, position, session_id in landed.values_list("project_id", "position", "session_id").iterator():
        if bytes(session_id) not in seen:
            seen.add(bytes(session_id))
            yield Written(line, position, bytes(session_id))
    unlanded = OpenSession.objects.filter(owner_id=user_id).order_by("project_id", "session_id")
    for line, session_id in unlanded.values_list("project_id", "session_id").iterator():
        if bytes(session_id) not in seen:
            yield Written(line, 0, bytes(session_id))


def read_written(written: Written) -> Session:
    """The words of one, as they are shown. Raises NotFound, Corrupt."""
    ledger = open_ledger(written.line)
    if written.position:
        return with_kept(written.line, as_shown(ledger.landing(written.position).session))
    return as_shown(ledger.open_session(written.session_id))
