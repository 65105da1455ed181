"""Writing sessions: start, land, abandon, and taking in a history."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from uuid import UUID

import msgspec
from django.db import transaction

from mic.core.epoch import PackRef
from mic.core.errors import (
    AlreadyExists,
    Conflicted,
    Corrupt,
    Expired,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    TooLarge,
)
from mic.core.head import ms_hlc
from mic.core.ids import new_ulid, ulid_text
from mic.core.session import MEMBERS, Author, Session, State, Usage
from mic.ledger.frame import Frame
from mic.ledger.project import Landed, LandRequest, Project
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import make_event, record
from micelio.config import current
from micelio.databases import let_go
from micelio.projects.jobs import stored_much
from micelio.projects.ledgers import open_ledger
from micelio.projects.limits import require_unfilled
from micelio.projects.ownership import gate_for, require_line
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import project_name
from micelio.sentences import for_people
from micelio.sessions import projector
from micelio.sessions.agents import refuse_denied_paths
from micelio.sessions.git_names import refuse_gits_own
from micelio.sessions.landed import landed_before
from micelio.sessions.owners import refuse_unreadable_owners
from micelio.sessions.policy import (
    hidden_session,
    require_bound,
    require_free,
    require_own,
    require_write,
)
from micelio.sessions.pushed_at import pushed_at
from micelio.sessions.queries import is_waiting
from micelio.sessions.redaction import without_secrets
from micelio.sessions.refusal import refused
from micelio.sessions.secrets import Watched, newly_allowed, refuse_secrets
from micelio.sessions.transcripts import apart

MAX_GOAL = 64 << 10
MAX_TEXT = 32 << 20  # goal, conversation and decisions of one session, in characters
MAX_CHANGES = 1_000_000
MAX_AGENT = 1000
# Beyond these nobody reads, and a page that counts them would be slow.
MAX_MESSAGES = 20_000
MAX_DECISIONS = 1_000
MAX_ALTERNATIVES = 100
# Of tokens: models and transcripts that are told apart, characters of a name, and what a number in JSON can hold.
MAX_USAGE = 200
MAX_MODEL = 200
MOST_TOKENS = 1 << 53
# The last second of the year 9999, in Unix milliseconds: no calendar of ours goes further.
LATEST_MS = 253_402_300_799_000
# After an upload of so many bytes it is looked at at once how much its owner stores.
MUCH = 64 << 20


def start_session(
    actor: Actor, project: ProjectView, goal: str, base_position: int, session_id: bytes = b"", agent: str = ""
) -> Session:
    """Open a session at a base position. The id may come from the client (16 bytes); doing it again changes nothing.

    Raises InvalidInput for a session that has landed or was abandoned.
    """
    require_write(actor, project)
    require_bound(actor, session_id)
    owner = require_signed_in(actor)
    ledger = open_ledger(project.line)
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
    session = without_secrets(session)
    if ledger.find_session(session.id) is not None:
        raise InvalidInput(f"Session {ulid_text(session.id)} has landed already.", hint="Start a new one.")
    known = own_open_session(actor, ledger, session.id)
    if known is not None:
        refuse_abandoned(known)
        # A crash right after the first start left no row.
        projector.keep_row(project.line, known, queued=is_waiting(ledger, known.id))
        return known
    try:
        ledger.put_new_session(session)
    except AlreadyExists:
        # Another start of the same id was faster: ours, tried again, or somebody else's.
        known = own_open_session(actor, ledger, session.id)
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
    *,
    pushed: bool = False,
) -> Landed:
    """Land a session; the same id again answers with its position. Raises Conflicted, having kept the session so.

    Owner and author are the actor's, whatever the session says. With `pushed`, contents are also those of its last
    push.
    """
    session = to_land(actor, project, session)
    ledger = open_ledger(project.line)
    known = own_open_session(actor, ledger, session.id)
    if known is not None:
        refuse_abandoned(known)
    if pushed:
        packs = with_pushed(ledger, known, packs)
    try:
        let_go()  # landing takes a while, and others may need the connection
        with true_receipts(ledger, packs):
            request = ledger.with_lists(LandRequest(session, contents, packs, gate=gate_for(actor, project)))
            refuse_unreadable_owners(ledger, request)
            refuse_secrets(actor, ledger, request)
            if session.transcript and ledger.find_session(session.id) is None:
                # First, where it is read from once the session has landed without it.
                ledger.put_open_session(session)
            landed = ledger.land(request._replace(session=apart(session)))
    except Conflicted as error:
        now = ms_hlc(time.time_ns() // 1_000_000)
        conflicted = refused(session, for_people(error, project_name), now)
        _keep(actor, project, ledger, conflicted, "session.conflict")
        raise
    if pushed:
        ledger.drop_pushes(session.id)
    if landed.already:
        projector.catch_up(project.line, landed.position)
        return own_landing(actor, ledger, session.id, landed.position)
    for entry in newly_allowed(session, ledger, request):
        with transaction.atomic():
            place = f"{project.owner}/{project.handle}"
            record(
                actor,
                "secret.allow",
                "secret",
                entry.fingerprint,
                place,
                **_place(project),
                path=entry.path[:500],
                reason=entry.reason[:500],
            )
    name = f"{project.address}@{landed.position}"
    event = make_event(actor, "session.land", "session", ulid_text(session.id), name, **_place(project))
    projector.landed(project.line, landed.position, event)
    return landed


def to_land(actor: Actor, project: ProjectView, session: Session) -> Session:
    """A session as it may land: the actor's own, within the limits, and nothing else of what it says about itself."""
    require_write(actor, project)
    require_line(actor, project)
    kept = to_keep(actor, project, session)
    ledger = open_ledger(project.line)
    refuse_denied_paths(actor, ledger, kept)
    if kept.based_on and ledger.find_session(kept.based_on) is None:
        raise PreconditionFailed(
            "This session stands on one that has not landed.", hint="Land that first, or leave it out."
        )
    return kept


def to_keep(actor: Actor, project: ProjectView, session: Session) -> Session:
    """The same for one that is kept and does not land yet, by whoever may land where."""
    require_write(actor, project)
    require_bound(actor, session.id)
    require_unfilled(project)
    owner = require_signed_in(actor)
    _check_words(session)
    if len(session.based_on) not in (0, 16):
        raise InvalidInput("A session id has 16 bytes.")
    refuse_gits_own(session)
    now = ms_hlc(time.time_ns() // 1_000_000)
    return msgspec.structs.replace(
        without_secrets(session),
        owner=owner.bytes,
        author=_author(actor),
        state=int(State.ACTIVE),
        messages=0,
        hlc_created=min(session.hlc_created, now) or now,
    )


def with_pushed(ledger: Project, known: Session | None, packs: Sequence[PackRef]) -> Sequence[PackRef]:
    """The receipts of a landing and those of its session's last push; `known` is that session, the actor's own."""
    push = ledger.push_of(known.id) if known is not None else None
    return packs if push is None else [*packs, *(pack for pack in push.packs if pack not in packs)]


@contextmanager
def true_receipts(ledger: Project, packs: Sequence[PackRef]) -> Iterator[None]:
    """A pack that is named and is none was made up by whoever named it: InvalidInput instead of Corrupt.

    Or it is gone, because it waited too long: nobody can tell the two apart any more.
    """
    try:
        yield
    except (Corrupt, Expired) as error:
        if isinstance(error, Expired) and not error.details.get("gone"):
            raise
        if isinstance(error, Expired) or error.details.get("object") in [
            ledger.line.pack_key(pack.hash) for pack in packs
        ]:
            raise InvalidInput("That is not the receipt of an upload to this project.", hint="Upload again.") from error
        raise


def own_landing(actor: Actor, ledger: Project, session_id: bytes, position: int) -> Landed:
    """Where the actor's own session landed, as whoever lands it again is told; raises PermissionDenied."""
    landing = ledger.landing(position)
    require_own(actor, session_id, UUID(bytes=landing.session.owner))
    return landed_before(position, landing.record.root_after, landing.session)


def abandon_session(
    actor: Actor,
    project: ProjectView,
    session_id: bytes,
    words: Session | None = None,
    after_ms: int | None = None,
) -> Session:
    """Give a session up. Its words are kept; it can no longer land.

    `words` is the session as it is where it is given up: what was said and not pushed is kept too, of one that nobody
    has begun as well. Where it was pushed from elsewhere after `after_ms` (Unix milliseconds, 0 for never), what was
    said there stays beside it.
    """
    require_write(actor, project)
    require_free(actor)
    _check_id(session_id)
    if words is not None and words.id != session_id:
        raise InvalidInput("These are the words of another session.")
    ledger = open_ledger(project.line)
    if ledger.find_session(session_id) is not None:
        raise InvalidInput(f"Session {ulid_text(session_id)} has landed; it cannot be abandoned.")
    session = own_open_session(actor, ledger, session_id)
    if words is not None:
        said = to_keep(actor, project, msgspec.structs.replace(words, changes=()))
        if session is None and claim(actor, ledger, said):
            session = said
        session = _with_words(session or own_open_session(actor, ledger, session_id) or said, said, after_ms)
    if session is None:
        raise hidden_session(session_id)
    now = ms_hlc(time.time_ns() // 1_000_000)
    session = msgspec.structs.replace(session, state=int(State.ABANDONED), hlc_updated=now)
    _keep(actor, project, ledger, session, "session.abandon")
    ledger.drop_pushes(session_id)
    return session


def _with_words(session: Session, said: Session, after_ms: int | None) -> Session:
    """A session with what was said last; what was pushed of it from elsewhere since stays."""
    conversation, decisions, usage = said.conversation, said.decisions, said.usage
    if after_ms is not None and pushed_at(session) not in (0, after_ms):
        both = [*session.conversation, *(turn for turn in conversation if turn not in session.conversation)]
        conversation = tuple(sorted(both, key=lambda turn: turn.at))
        decisions = (*session.decisions, *(each for each in decisions if each not in session.decisions))
        usage = (*session.usage, *(each for each in usage if each not in session.usage))
    return msgspec.structs.replace(
        session, goal=said.goal, conversation=conversation, decisions=decisions, usage=usage,
        transcript=said.transcript or session.transcript,
    )  # fmt: skip


def own_open_session(actor: Actor, ledger: Project, session_id: bytes) -> Session | None:
    """The actor's own session that has not landed, None when there is none; raises PermissionDenied.

    The bucket is asked, not the rows: after a rebuild there are none, and a session still has its owner.
    """
    try:
        session = ledger.open_session(session_id)
    except NotFound:
        return None
    require_own(actor, session_id, UUID(bytes=session.owner))
    return session


def claim(actor: Actor, ledger: Project, session: Session) -> bool:
    """Keep a session whose id nobody else may take before it lands; False when it was kept meanwhile."""
    try:
        ledger.put_new_session(session)
    except AlreadyExists:
        known = own_open_session(actor, ledger, session.id)
        if known is not None:
            refuse_abandoned(known)
        return False
    return True


def refuse_abandoned(session: Session) -> None:
    """Raises InvalidInput for a session that was given up."""
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
        projector.keep_row(project.line, session)
        name = project.address
        record(actor, action, "session", ulid_text(session.id), name, **_place(project))


def _place(project: ProjectView) -> dict[str, UUID]:
    """Whose events are told of what happens in a project."""
    return {"project_id": project.id, "organization_id": project.owner_id}


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
    _check_usage(session.usage)
    if session.transcript not in ("", MEMBERS):
        raise InvalidInput(
            f"{session.transcript[:40]!r} is nobody that a conversation is kept to.", hint=f"Keep it to {MEMBERS}."
        )
    if len(session.changes) > MAX_CHANGES:
        raise TooLarge(f"{len(session.changes)} changes in one session; the limit is {MAX_CHANGES}.")
    for item in session.conversation:
        if item.role not in ("human", "agent", "system"):
            raise InvalidInput(f"{item.role[:40]!r} is not a role.", hint="Use human, agent or system.")
        if not 0 <= item.at <= LATEST_MS:
            raise InvalidInput(f"{item.at} is not a time in Unix milliseconds.", hint="Use 0 when it is not known.")
    for decision in session.decisions:
        if not 0 <= decision.at <= LATEST_MS:
            raise InvalidInput(f"{decision.at} is not a time in Unix milliseconds.", hint="Use 0 when it is not known.")
        if not 0 <= decision.message <= len(session.conversation):
            raise InvalidInput(
                f"A decision answers message {decision.message} of {len(session.conversation)}.",
                hint="Messages are counted from 1; use 0 when none is named.",
            )


def _check_usage(usage: Sequence[Usage]) -> None:
    if len(usage) > MAX_USAGE:
        raise TooLarge(f"Tokens of {len(usage)} models and transcripts; the limit is {MAX_USAGE}.")
    for each in usage:
        if max(len(each.model), len(each.source)) > MAX_MODEL or not (each.model + each.source).isprintable():
            raise InvalidInput(f"{each.model[:40]!r} is no name of a model.", hint=f"At most {MAX_MODEL} characters.")
        if not (0 <= each.cached <= each.read < MOST_TOKENS and 0 <= each.written < MOST_TOKENS):
            raise InvalidInput("These are no numbers of tokens.", hint="Those from a cache are among those read.")


def upload(actor: Actor, project: ProjectView, frames: Iterable[Frame]) -> tuple[list[PackRef], int, int]:
    """Receive contents into packs; (receipts, number, bytes)."""
    require_write(actor, project)
    require_unfilled(project)
    ledger = open_ledger(project.line)
    ledger.head()
    watched = Watched(ledger, frames)
    with closing(ledger.upload()) as receiver:
        ledger.run(receiver.receive_all(watched))
        packs = ledger.run(receiver.finish())
        watched.verified()
        if receiver.bytes >= MUCH:
            stored_much(project)
        return packs, receiver.blobs, receiver.bytes
