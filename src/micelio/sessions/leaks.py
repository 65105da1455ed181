"""Reports of readers: there is a secret in this file, or in this session."""

from __future__ import annotations

from dataclasses import dataclass

from mic.core.errors import InvalidInput, NotFound
from mic.core.ids import ulid_text
from mic.core.paths import display
from micelio.accounts.actor import Actor
from micelio.findings.actions import report
from micelio.findings.policy import require_report
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.queries import get_session

# No text has more lines than this, and the database counts so far.
MAX_LINE = 1 << 40


@dataclass(frozen=True, slots=True)
class Spot:
    """What a report is about: a file as of a position, or a session. One of `path` and `session_id` is empty."""

    position: int
    path: bytes = b""
    session_id: bytes = b""

    @property
    def words(self) -> str:
        """As a sentence names it."""
        return display(self.path) if self.path else f"session {ulid_text(self.session_id)}"


def find_spot(
    actor: Actor, project: ProjectView, path: bytes = b"", position: int | None = None, session_id: bytes = b""
) -> Spot:
    """The file at a position (the head when none is given), or the session, as this actor may see it.

    Raises NotFound in the words for what is not there, InvalidInput when it is neither or both.
    """
    require_report(actor, project)
    if bool(path) == bool(session_id):
        raise InvalidInput("A report names a file or a session.", hint="Use the link on the page that holds it.")
    if session_id:
        return Spot(get_session(actor, project, session_id).row.position, session_id=session_id)
    ledger = open_ledger(project.line)
    head = ledger.head()
    at = head.position if position is None else position
    entry = ledger.entry(ledger.tree_at(at), path) if 0 < at <= head.position else None
    if entry is None:
        raise NotFound(f"There is no file {display(path)} at @{at}.", hint="Use the link on the file's page.")
    return Spot(at, path)


def report_leak(actor: Actor, project: ProjectView, spot: Spot, line: int = 0, note: str = "") -> None:
    """Tell the project's admins of it. Raises as `find_spot`, and Busy for too many reports."""
    require_report(actor, project)
    if not 0 <= line <= MAX_LINE:
        raise InvalidInput(f"{line} is no line of a file.", hint="Lines count from 1; leave it out for the whole.")
    spot = find_spot(actor, project, spot.path, spot.position if spot.path else None, spot.session_id)
    report(actor, project, position=spot.position, path=spot.path, session_id=spot.session_id, line=line, note=note)
