"""Sessions that stand on sessions: begun on work that has not landed yet, and landed after it."""

from __future__ import annotations

import os
import time

from mic.cli.context.open_session import address_of
from mic.cli.landing.queued import kept_change
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.session.hooks import PRE_SESSION, run_hook
from mic.cli.session.push import push_work, require_here
from mic.cli.session.resume import bring, find, require_no_others
from mic.cli.session.transcript_option import seen_by
from mic.cli.terminal.output import Output, plural
from mic.cli.transfer.parts import require_inside
from mic.cli.working_copy.goto import move_to
from mic.cli.working_copy.sync_plan import on_disk
from mic.core.errors import BaseMismatch, InvalidInput, PreconditionFailed
from mic.core.ids import new_ulid, ulid_text
from mic.core.session import Op
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace import stacked
from mic.workspace.index import IndexEntry
from mic.workspace.operations import record
from mic.workspace.pushed import forget_push
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


def open_on(
    ws: Workspace, goal: str, agent: str, on: str, out: Output, transcript: str | None = None
) -> tuple[LocalSession, bool]:
    """Open a session on another of one's own, which is open here or was pushed; the files here become its files."""
    goal = local.checked_goal(goal)
    run_hook(ws, PRE_SESSION, goal, None)
    with settled(ws, out, signed_in=True) as client:
        require_resolved(ws)
        here = local.current(ws)
        if here is not None and ulid_text(here.id).startswith(_id(on)):
            require_here(here)
            found, _, _ = push_work(client, ws, here)
            record(ws, "mic session start", files=False)
        elif here is not None:
            raise InvalidInput(
                f"A session is open here: {here.goal}", hint=f"`--on {ulid_text(here.id)}` begins one on it."
            )
        else:
            found = find(client, ws, on, out)
            require_inside(ws, [change.path for change in found.changes], "The session changed")
            require_no_others(ws, found)
            record(ws, "mic session start", files=True)
            move_to(client, ws, found.base_position, out)
            bring(client, ws, found, out)
        now_ms = time.time_ns() // 1_000_000
        session = LocalSession(
            id=new_ulid(now_ms, os.urandom(10)), goal=goal, started_ms=now_ms, base_position=ws.config.position,
            agent=agent, based_on=found.id, below=found.id, transcript=seen_by(transcript),
        )  # fmt: skip
        changes = tuple(kept_change(change) for change in found.changes)
        stacked.keep(ws, session.id, stacked.Below(found.id, found.goal, changes))
        # Last, and at once: until then the one below is open here, or none.
        local.save(ws, session)
        forget_push(ws)
        request = pb.StartSessionRequest(
            project=address_of(ws).ref, session_id=session.id, goal=goal, base_position=session.base_position,
            agent=agent,
        )  # fmt: skip
        client.call(client.sessions.StartSession, request)
    out.line(f"Started: {goal}")
    out.line(f"session {ulid_text(session.id)}, base @{session.base_position}")
    out.line(f"It stands on {found.goal} ({plural(len(found.changes), 'file')}), and lands after it.")
    return session, True


def _id(text: str) -> str:
    """An id or its beginning, as a session has it; something that none begins with where it is too short."""
    word = text.removeprefix("ses_").upper()
    return word if len(word) >= 6 else "-"


def require_below_landed(client: Client, ws: Workspace, session: LocalSession, out: Output) -> None:
    """Before a session lands that stands on another: that one has landed, and is part of the base.

    Raises PreconditionFailed and BaseMismatch. One that was given up is nobody's to wait for: its work lands with this.
    """
    if not session.below:
        return
    found = _session(client, ws, session.below)
    name = ulid_text(session.below)
    if found.state == "abandoned":
        out.note(f"{found.goal}, on which this stood, was given up; its changes land with this session.")
        session.based_on = b""
    elif not found.landed_position:
        raise PreconditionFailed(
            f"This session stands on one that has not landed: {found.goal}",
            hint=f"Land that first: `mic session switch {name}`, `mic land`.",
        )
    elif found.landed_position > ws.config.position:
        raise BaseMismatch(
            f"{found.goal}, on which this session stands, landed @{found.landed_position}.",
            hint="Run `mic sync`, then land again.",
        )
    stand_alone(ws, session)


def stand_alone(ws: Workspace, session: LocalSession) -> None:
    """What the session stood on is part of its base by now; it keeps saying on what it was based."""
    if session.below:
        session.below = b""
        local.save(ws, session)
    stacked.drop(ws, session.id)


def on_what_landed(
    client: Client, ws: Workspace, before: dict[bytes, IndexEntry], position: int
) -> tuple[dict[bytes, IndexEntry], LocalSession | None]:
    """The files that stood here before a sync to a position, as the session here had them when it began.

    With the session when what it stands on has landed by then; None and the files as they were given otherwise.
    """
    session = local.current(ws)
    if session is None or not session.below:
        return before, None
    landed = _session(client, ws, session.below).landed_position
    if not landed or landed > position:
        return before, None
    below = stacked.find(ws, session.id)
    files = dict(before)
    for change in below.changes if below is not None else ():
        if change.op == Op.DELETED:
            files.pop(change.path, None)
        elif stacked.content(ws, change.hash) is not None or on_disk(ws, change.path) == (change.mode, change.hash):
            # Else nobody here has that version any more, and the base's is the one to compare with.
            files[change.path] = IndexEntry(
                change.path, change.mode, change.kind, change.size, change.hash, 0, 0, 0, 0, False
            )
    return files, session


def _session(client: Client, ws: Workspace, session_id: bytes) -> pb.Session:
    request = pb.GetSessionRequest(project=address_of(ws).ref, session_id=session_id)
    answer: pb.SessionResponse = client.call(client.sessions.GetSession, request)
    return answer.session
