"""Learning what became of a landing that waits on the forge, and bringing the working copy along."""

from __future__ import annotations

import time
from typing import NamedTuple

from mic.cli.context.open_session import address_of
from mic.cli.landing.advance import Advance, advance
from mic.cli.landing.clashes import clash_error
from mic.cli.landing.conflict_story import Stories, settled_all
from mic.cli.landing.last_landing import remember
from mic.cli.terminal.output import Output, plural
from mic.cli.transfer.sending import Sent
from mic.core.errors import Busy, MicError, Unauthenticated, Unavailable
from mic.core.ids import ulid_text
from mic.core.session import Change
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.operations import record
from mic.workspace.queued import Queued, forget, take_up
from mic.workspace.session import LocalSession, stand_on_base
from mic.workspace.workspace import Workspace

# How long a command waits that needs to know what became of it, in seconds; `mic land --wait` waits longer.
PATIENCE = 30.0
# One question to the forge; it answers at once when too many wait there.
_QUESTION = 20.0
_PAUSE = 0.5


class Settled(NamedTuple):
    """What became of a queued landing: it landed (`answer`, `done`, number of files), or `error` says why not."""

    session: LocalSession
    answer: pb.LandSessionResponse
    done: Advance | None
    files: int
    error: MicError | None


def settle(client: Client, ws: Workspace, item: Queued, seconds: float) -> Settled | None:
    """Ask for the outcome, for so long; None while it waits. The caller holds the lock.

    After a landing the working copy stands on it. After a refusal the session is the open one again. A forge that
    cannot be asked is an error, and nothing here has changed then.
    """
    session = item.session
    try:
        answer = _ask(client, ws, session.id, seconds)
    except (Unavailable, Unauthenticated, Busy):
        raise
    except MicError as error:
        if error.code == MicError.code:
            raise
        take_up(ws, item)
        return Settled(session, pb.LandSessionResponse(), None, 0, error)
    if answer.queued:
        return None
    if answer.clashes:
        take_up(ws, item)
        return Settled(
            session, answer, None, 0, clash_error(session, list(answer.clashes), Stories(client, address_of(ws).ref))
        )
    return _landed(client, ws, item, answer)


def _landed(client: Client, ws: Workspace, item: Queued, answer: pb.LandSessionResponse) -> Settled:
    # Written first: whatever stops the rest, the session is known to have landed.
    remember(ws, item.session, answer.position)
    record(ws, "mic land", files=False, final=f"it landed @{answer.position}, and others may have built on it.")
    project = address_of(ws).ref
    request = pb.GetSessionRequest(project=project, position=answer.position)
    changes = list(client.call(client.sessions.GetSession, request).session.changes)
    # Landed by this request, however often its outcome was asked for.
    answer.already_landed = False
    done = advance(
        client, ws, project, answer, Sent([change_message(change) for change in item.changes], {}, {}), changes
    )
    # `mic undo` may have opened another meanwhile.
    stand_on_base(ws, but=item.session.id)
    settled_all(ws, answer.position)
    forget(ws, item)
    return Settled(item.session, answer, done, len(changes), None)


def kept_change(change: pb.Change) -> Change:
    """A change as it is kept with a queued session."""
    return Change(change.path, change.op, change.mode, change.hash, change.size, change.base_hash, change.base_mode)


def change_message(change: Change) -> pb.Change:
    """A kept change as it is sent."""
    return pb.Change(
        path=change.path,
        op=pb.Change.Op.Name(change.op),
        mode=change.mode,
        hash=change.hash,
        size=change.size,
        base_hash=change.base_hash,
        base_mode=change.base_mode,
    )


def _ask(client: Client, ws: Workspace, session_id: bytes, seconds: float) -> pb.LandSessionResponse:
    end = time.monotonic() + seconds
    while True:
        left = max(0.0, min(end - time.monotonic(), _QUESTION))
        request = pb.AwaitLandingRequest(project=address_of(ws).ref, session_id=session_id, wait_ms=int(left * 1000))
        answer: pb.LandSessionResponse = client.call(client.sessions.AwaitLanding, request, seconds=left + 30)
        if not answer.queued or not left:
            return answer
        time.sleep(min(_PAUSE, max(0.0, end - time.monotonic())))


def settle_first(client: Client, ws: Workspace, item: Queued, out: Output) -> Settled:
    """Before a command that needs to know: settle and say so beside its own words. Raises Busy when it still waits."""
    settled = settle(client, ws, item, PATIENCE)
    if settled is None:
        raise still_waiting(item.session)
    tell_settled(out, settled)
    return settled


def tell_settled(out: Output, settled: Settled) -> None:
    """One line about the landing that had been queued, beside what the command itself says."""
    if settled.error is not None:
        out.note(f"Not landed, and open here again: {settled.session.goal} ({settled.error.message})")
    else:
        out.note(
            f"Landed @{settled.answer.position} meanwhile: {settled.session.goal} ({plural(settled.files, 'file')})"
        )


def still_waiting(session: LocalSession) -> Busy:
    """The error of a command that cannot go on before a queued landing is done."""
    return Busy(
        f"Session {ulid_text(session.id)} still waits on the forge to be landed: {session.goal}",
        hint="`mic land --wait` waits until it is. Your files are as they were.",
    )
