"""Writing sessions: start, land, abandon, and taking in a history."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from uuid import UUID

import msgspec
from django.db import transaction

from mic.core.epoch import PackRef
from mic.core.errors import AlreadyExists, Conflicted, Corrupt, InvalidInput, NotFound, TooLarge
from mic.core.head import Head, ms_hlc
from mic.core.ids import new_ulid, ulid_text
from mic.core.paths import display
from mic.core.session import Author, Op, Session, State
from mic.ledger.conflict import ancestors
from mic.ledger.frame import Frame, whole
from mic.ledger.history import HistoryCommit
from mic.ledger.project import Landed, LandRequest, Project
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import record
from micelio.config import current
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector
from micelio.sessions.policy import hidden_session, require_own, require_write

MAX_GOAL = 64 << 10
MAX_TEXT = 32 << 20  # goal, conversation and decisions of one session, in characters
MAX_CHANGES = 1_000_000
MAX_AGENT = 1000
# Beyond these nobody reads, and a page that counts them would be slow.
MAX_MESSAGES = 20_000
MAX_DECISIONS = 1_000
MAX_ALTERNATIVES = 100
# The last second of the year 9999, in Unix milliseconds: no calendar of ours goes further.
LATEST_MS = 253_402_300_799_000
# Small contents of a history wait in memory for the commit that names them, up to this many bytes.
MAX_WAITING = 24 << 20


def start_session(
    actor: Actor, project: ProjectView, goal: str, base_position: int, session_id: bytes = b"", agent: str = ""
) -> Session:
    """Open a session at a base position. The id may come from the client (16 bytes); doing it again changes nothing.

    Raises InvalidInput for a session that has landed or was abandoned.
    """
    require_write(actor, project)
    owner = require_signed_in(actor)
    ledger = open_ledger(project.id)
    if base_position > ledger.head().position:
        raise InvalidInput(f"There is no landing @{base_position} to base a session on.", hint="Look at `mic log`.")
    now = time.time_ns() // 1_000_000
    session = Session(
        id=session_id or new_ulid(now, secrets.token_bytes(10)),
        goal=goal,
        base_position=base_position,
        hlc_created=ms_hlc(now),
        hlc_updated=ms_hlc(now),
        owner=owner.bytes,
        author=_author(actor),
        agent=agent,
    )
    _check_words(session)
    if ledger.find_session(session.id) is not None:
        raise InvalidInput(f"Session {ulid_text(session.id)} has landed already.", hint="Start a new one.")
    known = _open_session(actor, ledger, session.id)
    if known is not None:
        _refuse_abandoned(known)
        projector.keep_row(project.id, known)  # a crash right after the first start left none
        return known
    try:
        ledger.put_new_session(session)
    except AlreadyExists:
        # Another start of the same id was faster: ours, tried again, or somebody else's.
        known = _open_session(actor, ledger, session.id)
        assert known is not None
        return known
    _keep_row(actor, project, session, "session.start")
    return session


def land(
    actor: Actor,
    project: ProjectView,
    session: Session,
    contents: Mapping[bytes, bytes],
    packs: Sequence[PackRef] = (),
) -> Landed:
    """Land a session; the same id again answers with its position. Raises Conflicted, having kept the session so.

    Owner and author are the actor's, whatever the session says.
    """
    require_write(actor, project)
    owner = require_signed_in(actor)
    _check_words(session)
    now = ms_hlc(time.time_ns() // 1_000_000)
    session = msgspec.structs.replace(
        session,
        owner=owner.bytes,
        author=_author(actor),
        state=int(State.ACTIVE),
        hlc_created=min(session.hlc_created, now) or now,
        metadata={},
    )
    ledger = open_ledger(project.id)
    known = _open_session(actor, ledger, session.id)
    if known is not None:
        _refuse_abandoned(known)
    try:
        landed = ledger.land(LandRequest(session, contents, packs))
    except Corrupt as error:
        if error.details.get("object") in [ledger.line.pack_key(pack.hash) for pack in packs]:
            raise InvalidInput("That is not the receipt of an upload to this project.", hint="Upload again.") from error
        raise
    except Conflicted:
        conflicted = msgspec.structs.replace(session, state=int(State.CONFLICTED), hlc_updated=now)
        _keep(actor, project, ledger, conflicted, "session.conflict")
        raise
    if landed.already:
        require_own(actor, session.id, UUID(bytes=ledger.landing(landed.position).session.owner))
    else:
        with transaction.atomic():
            name = f"{project.owner}/{project.handle}@{landed.position}"
            record(actor, "session.land", "session", ulid_text(session.id), name)
    projector.catch_up(project.id, landed.position)
    return landed


def abandon_session(actor: Actor, project: ProjectView, session_id: bytes) -> Session:
    """Give a session up. Its words are kept; it can no longer land."""
    require_write(actor, project)
    _check_id(session_id)
    ledger = open_ledger(project.id)
    if ledger.find_session(session_id) is not None:
        raise InvalidInput(f"Session {ulid_text(session_id)} has landed; it cannot be abandoned.")
    session = _open_session(actor, ledger, session_id)
    if session is None:
        raise hidden_session(session_id)
    now = ms_hlc(time.time_ns() // 1_000_000)
    session = msgspec.structs.replace(session, state=int(State.ABANDONED), hlc_updated=now)
    _keep(actor, project, ledger, session, "session.abandon")
    return session


def _open_session(actor: Actor, ledger: Project, session_id: bytes) -> Session | None:
    """The actor's own session that has not landed, None when there is none; raises PermissionDenied.

    The bucket is asked, not the rows: after a rebuild there are none, and a session still has its owner.
    """
    try:
        session = ledger.open_session(session_id)
    except NotFound:
        return None
    require_own(actor, session_id, UUID(bytes=session.owner))
    return session


def _refuse_abandoned(session: Session) -> None:
    if session.state == State.ABANDONED:
        raise InvalidInput(
            f"Session {ulid_text(session.id)} was abandoned.", hint="Start a new session from this workspace."
        )


def _keep(actor: Actor, project: ProjectView, ledger: Project, session: Session, action: str) -> None:
    """The bucket first: a row without its session would be a promise that nothing keeps."""
    ledger.put_open_session(session)
    _keep_row(actor, project, session, action)


def _keep_row(actor: Actor, project: ProjectView, session: Session, action: str) -> None:
    with transaction.atomic():
        projector.keep_row(project.id, session)
        record(actor, action, "session", ulid_text(session.id), f"{project.owner}/{project.handle}")


def _author(actor: Actor) -> Author:
    """Frozen into the landing: a later rename of the account changes nothing."""
    email = actor.email or f"{actor.handle}@users.noreply.{current().hostname}"
    return Author(actor.name or actor.handle, email)


def _check_id(session_id: bytes) -> None:
    if len(session_id) != 16:
        raise InvalidInput("A session id has 16 bytes.")


def _check_words(session: Session) -> None:
    _check_id(session.id)
    if not session.goal.strip():
        raise InvalidInput("A session needs a goal.", hint="Say in one line what it is for.")
    if len(session.goal) > MAX_GOAL:
        raise TooLarge(f"The goal has {len(session.goal)} characters; the limit is {MAX_GOAL}.")
    if len(session.agent) > MAX_AGENT:
        raise TooLarge(f"The agent's name has {len(session.agent)} characters; the limit is {MAX_AGENT}.")
    size = sum(len(item.text) + len(item.author) for item in session.conversation)
    for decision in session.decisions:
        size += len(decision.what) + len(decision.why) + len(decision.evidence) + len(decision.by)
        size += sum(len(road.what) + len(road.why_not) for road in decision.alternatives)
    if size > MAX_TEXT:
        raise TooLarge(f"Conversation and decisions have {size} characters; the limit is {MAX_TEXT}.")
    alternatives = max((len(decision.alternatives) for decision in session.decisions), default=0)
    for count, limit, what in (
        (len(session.conversation), MAX_MESSAGES, "messages"),
        (len(session.decisions), MAX_DECISIONS, "decisions"),
        (alternatives, MAX_ALTERNATIVES, "alternatives of one decision"),
    ):
        if count > limit:
            raise TooLarge(f"A session with {count} {what}; the limit is {limit}.")
    if len(session.changes) > MAX_CHANGES:
        raise TooLarge(f"{len(session.changes)} changes in one session; the limit is {MAX_CHANGES}.")
    for item in session.conversation:
        if item.role not in ("human", "agent", "system"):
            raise InvalidInput(f"{item.role[:40]!r} is not a role.", hint="Use human, agent or system.")
        if not 0 <= item.at <= LATEST_MS:
            raise InvalidInput(f"{item.at} is not a time in Unix milliseconds.", hint="Use 0 when it is not known.")


class HistoryIntake:
    """Taking in a Git history: contents and commits one after the other, visible only after `finish`.

    Use as a context manager; leaving it without `finish` leaves nothing visible.
    """

    def __init__(self, actor: Actor, project: ProjectView, source: str) -> None:
        require_write(actor, project)
        self._actor, self._project = actor, project
        self._ledger = open_ledger(project.id)
        self._history = self._ledger.import_history(source, require_signed_in(actor).bytes)
        self._upload = self._ledger.upload()
        self._placed = 0
        self._waiting = 0

    def __enter__(self) -> HistoryIntake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._upload.close()

    @property
    def landed(self) -> int:
        """Commits taken in so far."""
        return self._history.landed

    def add_frame(self, frame: Frame) -> None:
        """The next content, or the next part of a large one; raises InvalidInput when it is not what it says."""
        if frame.listed:
            raise InvalidInput("An import sends contents, not lists of their chunks.")
        if not frame.offset and frame.length == frame.size and self._waiting < MAX_WAITING:
            stored = whole(frame)
            self._waiting += len(stored)
            self._history.add_content(frame.hash, frame.size, stored)
            return
        self._ledger.run(self._upload.receive(frame))

    def add_commit(self, commit: HistoryCommit) -> None:
        """The next commit, oldest first. Raises InvalidInput when its id is not the hash of its bytes."""
        _check_commit(commit)
        _check_paths(commit)
        # What came as packs must be findable before the commit that names it.
        self._ledger.run(self._upload.flush())
        for pack, objects in self._upload.placed[self._placed :]:
            self._history.add_pack(pack, objects)
        self._placed = len(self._upload.placed)
        self._waiting = 0
        self._ledger.run(self._history.add_commit(commit._replace(authored_ms=_day_in_calendar(commit.authored_ms))))

    def finish(self) -> Head:
        """Make the history visible and derive its rows."""
        head = self._ledger.finish_import(self._history)
        with transaction.atomic():
            record(
                self._actor,
                "project.import",
                "project",
                self._project.id,
                f"{self._project.owner}/{self._project.handle}",
                landings=head.position,
            )
        projector.catch_up(self._project.id)
        return head


def _check_paths(commit: HistoryCommit) -> None:
    """Within one commit each path is said once, and none is a file and a directory."""
    present = {path for path, op, *_ in commit.changes if op != Op.DELETED}
    if len({path for path, *_ in commit.changes}) != len(commit.changes):
        raise InvalidInput(f"The commit {commit.oid.hex()} changes a path twice.")
    for path in present:
        for above in ancestors(path):
            if above in present:
                raise InvalidInput(f"{display(above)} cannot be a file and a directory at once.")


def _check_commit(commit: HistoryCommit) -> None:
    """Git names a commit by the SHA-1 (20 bytes) or SHA-256 (32) of its header and bytes."""
    digest = hashlib.sha256 if len(commit.oid) == 32 else hashlib.sha1
    if digest(b"commit %d\x00" % len(commit.raw) + commit.raw).digest() != commit.oid:
        raise InvalidInput(
            f"The commit {commit.oid[:32].hex()} was sent with bytes that have another id.",
            hint="Check the repository with `git fsck`.",
        )


def _day_in_calendar(ms: int) -> int:
    return min(max(ms, 0), LATEST_MS)


def upload(actor: Actor, project: ProjectView, frames: Iterable[Frame]) -> tuple[list[PackRef], int, int]:
    """Receive contents into packs; (receipts, number, bytes)."""
    require_write(actor, project)
    ledger = open_ledger(project.id)
    ledger.head()
    with closing(ledger.upload()) as receiver:
        ledger.run(receiver.receive_all(frames))
        return ledger.run(receiver.finish()), receiver.blobs, receiver.bytes
