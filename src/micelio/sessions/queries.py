"""Reading landings and sessions, always as somebody."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from mic.core.attribution import LINES
from mic.core.errors import InvalidInput, NotFound
from mic.core.head import hlc_ms
from mic.core.ids import ulid_text
from mic.core.session import Session, State
from mic.ledger.intents import waiting
from mic.ledger.project import EMPTY_TREE, Landed, Project
from micelio.accounts.actor import Actor
from micelio.accounts.queries import handle_in, users_by_id
from micelio.prepared import Prepared
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.landed import landed_before
from micelio.sessions.models import Landing, LastChange, OpenSession, Projection, storable
from micelio.sessions.policy import (
    hidden_session,
    may_see_open,
    require_listed,
    require_own,
    require_read,
    require_write,
)
from micelio.sessions.redaction import as_shown
from micelio.sessions.refusal import Refusal, refusal_of
from micelio.sessions.transcripts import as_read

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class LandingRow:
    """A landing in a list. `position` 0 is a session that has not landed."""

    position: int
    session_id: bytes
    goal: str
    author_name: str
    author_email: str
    owner_handle: str
    agent: str
    landed_at: datetime
    authored_at: datetime
    files: int
    decisions: int
    messages: int
    git_commit: bytes | None
    base_position: int = 0
    attributed: bool = False


@dataclass(frozen=True, slots=True)
class LandingView:
    """A session whole, with the trees after and before it.

    The two roots are names, to compare and to show. Inside an imported stretch only the last tree is stored, so open
    a landed tree through `ledger.tree_at(position)`, which makes the others again.
    """

    row: LandingRow
    session: Session
    tree: bytes
    base_tree: bytes
    queued: bool = False

    @property
    def state(self) -> str:
        """Of the session: `queued` while it waits to be landed, else as it is stored."""
        return "queued" if self.queued else State(self.session.state).name.lower()


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A session that has not landed, in a list."""

    session_id: bytes
    goal: str
    state: str
    owner_handle: str
    agent: str
    base_position: int
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a project holds: landings and recorded decisions, as far as the rows follow the log."""

    landings: int
    decisions: int


def derived_positions() -> dict[UUID, int]:
    """How far the rows of each project follow its log, for the forge's own upkeep."""
    return dict(Projection.objects.values_list("project_id", "position"))


def counts(actor: Actor, project: ProjectView) -> Counts:
    """Numbers for the margin of the project page."""
    require_read(actor, project)
    state = Projection.objects.filter(project_id=project.line).first()
    return Counts(state.position, state.decisions) if state else Counts(0, 0)


def list_landings(actor: Actor, project: ProjectView, before: int | None = None, limit: int = 50) -> list[LandingRow]:
    """Newest first, those before position `before` when given."""
    require_read(actor, project)
    found = landings().filter(project_id=project.line)
    if before is not None:
        found = found.filter(position__lt=before)
    return as_rows(actor, list(found.order_by("-position")[: min(limit, MAX_PAGE)]))


def latest_landings(actor: Actor, projects: Sequence[ProjectView]) -> dict[UUID, LandingRow]:
    """The newest landing of each project that has one, in as many queries however many projects there are.

    The role that a view brings along is believed: the views of a list were made for `actor` a moment ago.
    """
    for project in projects:
        require_listed(actor, project)
    newest = Projection.objects.filter(project_id__in=[project.line for project in projects], position__gt=0)
    own = newest.filter(project_id=OuterRef("project_id")).values("position")
    # What the newest of any of them is narrows it to few rows, by an index, of which each asks for its own.
    found = landings().filter(project_id__in=newest.values("project_id"), position__in=newest.values("position"))
    rows = list(found.filter(position=Subquery(own)))
    return {row.project_id: view for row, view in zip(rows, as_rows(actor, rows), strict=True)}


def last_changes(
    actor: Actor, project: ProjectView, directory: bytes, names: Sequence[bytes]
) -> dict[bytes, LandingRow]:
    """For each child of a directory the newest landing that touched it; children without one are left out."""
    require_read(actor, project)
    positions = last_positions(project, directory, names)
    touched = landings().filter(project_id=project.line, position__in=set(positions.values()))
    rows = {row.position: row for row in as_rows(actor, list(touched))}
    return {name: rows[position] for name, position in positions.items() if position in rows}


def last_positions(project: ProjectView, directory: bytes, names: Sequence[bytes]) -> dict[bytes, int]:
    """Where each of these children was touched last, for the queries of this room."""
    found = LastChange.objects.filter(project_id=project.line, directory=directory, name__in=list(names))
    return {bytes(row.name): row.position for row in found}


def get_landing(actor: Actor, project: ProjectView, position: int) -> LandingView:
    """One landing, from the log itself. Raises NotFound."""
    require_read(actor, project)
    ledger = open_ledger(project.line)
    record, session = ledger.landing(position)
    session = as_read(actor, project, as_shown(session), position)
    before = ledger.records(position - 1, position - 1) if position > 1 else []
    row = landings().filter(project_id=project.line, position=position).first()
    view = as_rows(actor, [row])[0] if row else _owned(actor, session, _from_session(session, record.hlc, position))
    return LandingView(view, session, record.root_after, before[0].root_after if before else EMPTY_TREE)


def get_row(actor: Actor, project: ProjectView, position: int) -> LandingRow:
    """One landing as lists show it, without reading its session when the rows have it. Raises NotFound."""
    require_read(actor, project)
    row = landings().filter(project_id=project.line, position=position).first()
    return as_rows(actor, [row])[0] if row else get_landing(actor, project, position).row


def get_rows(actor: Actor, project: ProjectView, positions: Sequence[int]) -> dict[int, LandingRow]:
    """Landings as lists show them, by position: from the rows, and from the log what they do not reach yet."""
    require_read(actor, project)
    found = list(landings().filter(project_id=project.line, position__in=list(positions)))
    rows = {row.position: row for row in as_rows(actor, found)}
    return {at: rows[at] if at in rows else get_landing(actor, project, at).row for at in positions}


def landed_row(actor: Actor, project: ProjectView, landed: Landed) -> LandingRow:
    """What the actor has landed a moment ago, as lists show it: from what landed, unless that was longer ago."""
    if landed.session is None or landed.already:
        return get_row(actor, project, landed.position)
    row = _from_session(landed.session, landed.session.hlc_updated, landed.position)
    return replace(
        row,
        goal=storable(row.goal),
        author_name=storable(row.author_name),
        author_email=storable(row.author_email),
        agent=storable(row.agent),
        owner_handle=actor.handle,
    )


def get_session(actor: Actor, project: ProjectView, session_id: bytes) -> LandingView:
    """A session by its id, landed or (for members) still open. Raises NotFound."""
    require_read(actor, project)
    ledger = open_ledger(project.line)
    position = ledger.find_session(session_id)
    if position is not None:
        return get_landing(actor, project, position)
    if not may_see_open(actor, project, session_id):
        raise hidden_session(session_id)
    try:
        session = as_read(actor, project, as_shown(ledger.open_session(session_id)), 0)
    except NotFound as error:
        raise hidden_session(session_id) from error
    tree = ledger.tree_at(session.base_position)
    row = _owned(actor, session, _from_session(session, session.hlc_updated, 0))
    queued = session.state != State.ABANDONED and is_waiting(ledger, session_id)
    return LandingView(row, session, tree, tree, queued)


def is_waiting(ledger: Project, session_id: bytes) -> bool:
    """Whether an accepted landing of a session has not been carried out yet."""
    return any(item.session == session_id for item in ledger.run(waiting(ledger.line)))


def standing(actor: Actor, project: ProjectView, session_id: bytes) -> Landed | Refusal | None:
    """What became of a session that was accepted to be landed: where it landed, why it was refused, or None: it waits.

    Raises NotFound, and InvalidInput for a session that nobody has sent to land.
    """
    require_read(actor, project)
    ledger = open_ledger(project.line)
    seen = may_see_open(actor, project, session_id)
    queued = seen and is_waiting(ledger, session_id)
    # Looked up after the intents: what landed in between is gone from there and found here.
    position = ledger.find_session(session_id)
    if position is not None:
        landing = ledger.landing(position)
        return landed_before(position, landing.record.root_after, landing.session)
    if not seen:
        raise hidden_session(session_id)
    if queued:
        return None
    try:
        refusal = refusal_of(ledger.open_session(session_id))
    except NotFound as error:
        raise hidden_session(session_id) from error
    if refusal is None:
        raise InvalidInput(f"Session {ulid_text(session_id)} was not sent to land.", hint="Land it with `mic land`.")
    return refusal


def require_landable(actor: Actor, project: ProjectView, session_id: bytes) -> None:
    """Raises unless a session with this id could land for the actor: an open one of theirs, or one not yet started.

    Raises as writing to the project, PermissionDenied for somebody else's, InvalidInput for one that has ended.
    """
    require_write(actor, project)
    if len(session_id) != 16:
        raise InvalidInput("A session id has 16 bytes.")
    ledger = open_ledger(project.line)
    if ledger.find_session(session_id) is not None:
        raise InvalidInput(f"Session {ulid_text(session_id)} has landed already.", hint="Start a new one.")
    try:
        session = ledger.open_session(session_id)
    except NotFound:
        return
    require_own(actor, session_id, UUID(bytes=session.owner))
    if session.state == State.ABANDONED:
        raise InvalidInput(f"Session {ulid_text(session_id)} was abandoned.", hint="Start a new one.")


def list_open_sessions(
    actor: Actor,
    project: ProjectView,
    state: str = "",
    after: bytes = b"",
    limit: int = 50,
    *,
    resumable: bool = False,
    condition: Q | None = None,
) -> list[OpenRow]:
    """Sessions that have not landed, newest first, for members; `after` is the last id seen.

    With `resumable` those of the actor whose work was pushed, which can be taken up anywhere; `condition` narrows the
    rows down further.
    """
    require_read(actor, project)
    if not may_see_open(actor, project):
        return []
    found = OpenSession.objects.filter(project_id=project.line).order_by("-session_id")
    if after:
        found = found.filter(session_id__lt=after)
    if resumable and actor.user_id is not None:
        found = found.filter(owner_id=actor.user_id, pushed_at__isnull=False, queued=False)
    if condition is not None:
        found = found.filter(condition)
    if state == "queued":
        parts = [found.filter(queued=True)]
    elif state:
        parts = [found.filter(queued=False, state=State[state.upper()])]
    else:
        # A look-up for each: in one, a page would read past whatever was abandoned in all the years.
        parts = [found.filter(state=one) for one in _OPEN]
    most = min(limit, MAX_PAGE)
    rows = list(itertools.chain.from_iterable(part[:most] for part in parts))
    rows.sort(key=lambda row: bytes(row.session_id), reverse=True)
    del rows[most:]
    people = users_by_id(actor, {row.owner_id for row in rows})
    return [
        OpenRow(
            bytes(row.session_id),
            row.goal,
            "queued" if row.queued else State(row.state).name.lower(),
            people[row.owner_id].handle if row.owner_id in people else "",
            row.agent,
            row.base_position,
            row.created_at,
            row.updated_at,
            row.pushed_at,
        )
        for row in rows
    ]


def count_open_sessions(actor: Actor, project: ProjectView) -> int:
    """How many sessions a member sees in the list, counted up to `MAX_PAGE` + 1: more than a page holds are many."""
    require_read(actor, project)
    if not may_see_open(actor, project):
        return 0
    return len(_some_open(project.line))


_OPEN = (State.ACTIVE, State.CONFLICTED, State.PENDING_REVIEW)


def some_open(project_id: UUID) -> QuerySet[Any, Any]:
    """One row for each open session of a line, up to `MAX_PAGE` + 1, for the queries of this room."""
    found = OpenSession.objects.filter(project_id=project_id, state__in=_OPEN)
    return found.order_by().values_list("state")[: MAX_PAGE + 1]


_some_open = Prepared(some_open, UUID)


def landings() -> QuerySet[Landing]:
    """Rows of landings with the `owner_handle` of whose they are, for the queries of this room."""
    return Landing.objects.annotate(owner_handle=handle_in("owner_id"))


def as_rows(actor: Actor, rows: Sequence[Landing]) -> list[LandingRow]:
    """Rows of `landings` as lists show them, for the queries of this room."""
    return [
        LandingRow(
            row.position,
            bytes(row.session_id),
            row.goal,
            row.author_name,
            row.author_email,
            row.owner_handle or "",  # type: ignore[attr-defined]  # annotated
            row.agent,
            row.landed_at,
            row.authored_at,
            row.files,
            row.decisions,
            row.messages,
            bytes(row.git_commit) if row.git_commit else None,
            row.base_position,
            row.attributed,
        )
        for row in rows
    ]


def _owned(actor: Actor, session: Session, row: LandingRow) -> LandingRow:
    owner = users_by_id(actor, [UUID(bytes=session.owner)])
    return replace(row, owner_handle=next(iter(owner.values())).handle) if owner else row


def _from_session(session: Session, hlc: int, position: int) -> LandingRow:
    """A row for what the projector has not reached, or will not."""
    return LandingRow(
        position,
        session.id,
        session.goal,
        session.author.name,
        session.author.email,
        "",
        session.agent,
        datetime.fromtimestamp(hlc_ms(hlc) / 1000, UTC),
        datetime.fromtimestamp(hlc_ms(session.hlc_created) / 1000, UTC),
        len(session.changes),
        len(session.decisions),
        session.turns,
        session.metadata.get("git", {}).get("commit"),
        session.base_position,
        LINES in session.attribution,
    )
