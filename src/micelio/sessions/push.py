"""Keeping the work of an open session on the forge, without landing it; for its owner to go on with elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing

import msgspec
from django.db import transaction

from mic.core.blob import MAX_WHOLE, blob_size
from mic.core.epoch import PackRef
from mic.core.errors import InvalidInput, PreconditionFailed
from mic.core.head import ms_hlc
from mic.core.ids import ulid_text
from mic.core.session import Op, Session, State
from mic.ledger.frame import Frame
from mic.ledger.project import Project
from mic.ledger.readable import Push
from mic.ledger.request import LandRequest
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.databases import let_go
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector
from micelio.sessions.actions import claim, own_open_session, refuse_abandoned, to_keep, true_receipts
from micelio.sessions.policy import hidden_session, may_see_open, require_read, require_write
from micelio.sessions.pushed_at import PUSHED_AT, pushed_at
from micelio.sessions.secrets import refuse_secrets

_BLOB_HEADER = 8  # of a stored content: magic and size, then one zstd frame


def push_session(
    actor: Actor,
    project: ProjectView,
    session: Session,
    contents: Mapping[bytes, bytes],
    packs: Sequence[PackRef] = (),
    after_ms: int | None = None,
) -> Session:
    """Keep a session's words, changes and contents, as its owner has them; begins it where nobody has. As `land` takes
    them: `contents` in their stored form by hash, `packs` of an upload.

    What an earlier push brought counts as sent. Checked as a landing is, but for clashes and who lands where: each
    content is there, nothing looks like a secret. Raises InvalidInput for one that has landed or was abandoned,
    SecretFound, and PreconditionFailed unless the push before was at `after_ms`, when that is given.
    """
    require_write(actor, project)
    session = to_keep(actor, project, session)
    ledger = open_ledger(project.line)
    if ledger.find_session(session.id) is not None:
        raise InvalidInput(f"Session {ulid_text(session.id)} has landed already.", hint="Start a new one.")
    known = own_open_session(actor, ledger, session.id)
    if known is not None:
        refuse_abandoned(known)
        if after_ms is not None and pushed_at(known) != after_ms and not _same(known, session):
            raise PreconditionFailed(
                "The session was pushed from elsewhere since.",
                hint="`mic session resume` in another clone shows that work; `mic session push --force` replaces it.",
            )
    let_go()  # it takes a while, and others may need the connection
    before = ledger.push_of(session.id)
    sent = [*packs, *_uploaded(ledger, contents)]
    kept = [*sent, *(pack for pack in (before.packs if before else ()) if pack not in sent)]
    with true_receipts(ledger, sent):
        request = ledger.with_lists(LandRequest(session, {}, kept))
        if session.changes:
            ledger.examine(request)
            refuse_secrets(actor, ledger, request)
    now = time.time_ns() // 1_000_000
    session = msgspec.structs.replace(
        session, hlc_updated=ms_hlc(now), metadata={**session.metadata, PUSHED_AT: now}, state=int(State.ACTIVE)
    )
    if known is None:
        # An id that nobody has taken meanwhile; somebody else's session is not written over.
        claim(actor, ledger, session)
    ledger.keep_push(session, _needed(session, request, ledger))
    ledger.put_open_session(session)
    with transaction.atomic():
        projector.keep_row(project.line, session)
        places = {"project_id": project.id, "organization_id": project.owner_id}
        record(
            actor, "session.push", "session", ulid_text(session.id), f"{project.owner}/{project.handle}", **places,
            files=len(session.changes),
        )  # fmt: skip
    return session


def _needed(session: Session, request: LandRequest, ledger: Project) -> list[PackRef]:
    """Those of the packs that hold anything which a change names."""
    if any(change.size > MAX_WHOLE for change in session.changes if change.op != Op.DELETED):
        return list(request.packs)  # it lies in chunks, which no change names
    places = request.uploaded or {}
    keys = {places[change.hash].key for change in session.changes if change.hash in places}
    return [pack for pack in request.packs if ledger.line.pack_key(pack.hash) in keys]


def pushed(actor: Actor, project: ProjectView, session_id: bytes) -> Push | None:
    """What was pushed of a session, None when nothing was. Raises NotFound for one that is not the actor's to see."""
    require_read(actor, project)
    if len(session_id) != 16:
        raise InvalidInput("A session id has 16 bytes.")
    if not may_see_open(actor, project, session_id):
        raise hidden_session(session_id)
    return open_ledger(project.line).push_of(session_id)


def _same(known: Session, session: Session) -> bool:
    """Whether this very work was pushed: a push whose answer was lost comes again."""
    return (
        known.goal, known.base_position, known.transcript, known.conversation, known.decisions, known.changes,
    ) == (
        session.goal, session.base_position, session.transcript, session.conversation, session.decisions,
        session.changes,
    )  # fmt: skip


def _uploaded(ledger: Project, contents: Mapping[bytes, bytes]) -> list[PackRef]:
    if not contents:
        return []
    frames = []
    for content, raw in contents.items():
        size = blob_size(raw, f"content {content.hex()}")
        frames.append(Frame(content, size, 0, size, True, raw[_BLOB_HEADER:]))
    with closing(ledger.upload()) as receiver:
        ledger.run(receiver.receive_all(frames))
        return ledger.run(receiver.finish())
