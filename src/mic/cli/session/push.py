"""`mic session push`: the work of the open session on the forge, without landing it."""

from __future__ import annotations

import click

from mic.cli.context.open_session import add_note, address_of, require_open
from mic.cli.forge.found_secrets import secret_error
from mic.cli.landing.queued import kept_change
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.landing.waiting import report_waiting, wait_to_push, waiting
from mic.cli.session.attaching import attach_by_itself
from mic.cli.session.ended_elsewhere import go_on
from mic.cli.session.message import session_message
from mic.cli.session.wrote import digest, say_who_wrote
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, plural
from mic.cli.terminal.words import session_fields
from mic.cli.transfer.sending import send
from mic.core.errors import BaseMismatch, InvalidInput, SecretFound
from mic.core.ids import ulid_text
from mic.rpc.client import Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.pending import pushes_of, remove
from mic.workspace.pushed import keep_last_push, last_push, words_of
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

_SECONDS = 600.0


@click.command("push", short_help="Save the session's work on the forge, without landing it.")
@click.option("-m", "--message", default="", help="A note on it, which becomes part of the conversation.")
@click.option("--force", is_flag=True, help="Also over what was pushed of it from elsewhere since.")
@json_option
def push(out: Output, message: str, force: bool) -> int:
    """Save the open session on the forge without landing it: goal, conversation, decisions, and the changed files.

    Only contents that the forge has not got are sent. `mic session resume` goes on with it elsewhere. What is not
    landed is seen by members of the project, and kept until it lands, is given up, or is pushed anew. Where the forge
    is not reached it waits, as it is now, and `mic sync` sends it.
    """
    ws = Workspace.find()
    try:
        return _push(ws, out, message, force)
    except Unreached as error:
        with ws.lock():
            session, items = require_open(ws), waiting(ws)
            require_resolved(ws)
            require_here(session)
            if session.below:
                raise
            _say(ws, session, message)
            return report_waiting(out, wait_to_push(ws, session, items, force=force), error)


def _push(ws: Workspace, out: Output, message: str, force: bool) -> int:
    with settled(ws, out, signed_in=True, pushes=True) as client:
        session = require_open(ws)
        require_here(session)
        _say(ws, session, message)
        attach_by_itself(ws, session, out)
        pushed = push_open(client, ws, session, out, force=force)
    if pushed is None:
        out.line(f"Nothing to push: {session.goal}")
        out.document({"session": None, "files": 0, "new": False})
        return 0
    session, found, files, fresh = pushed
    what = "Pushed" if fresh else "Nothing new since the last push"
    out.line(f"{what}: {session.goal} ({plural(files, 'file')})")
    out.line(f"Go on elsewhere with: mic session resume {ulid_text(session.id)}")
    out.document({"session": session_fields(found), "files": files, "new": fresh})
    return 0


def _say(ws: Workspace, session: LocalSession, message: str) -> None:
    if message.strip() and all(turn.text != message.strip("\n") for turn in session.conversation[-1:]):
        add_note(ws, session, message, "agent" if session.agent else "human")
        local.save(ws, session)


def require_here(session: LocalSession) -> None:
    """Raises InvalidInput for a session that is being put aside: what is here is not its work any more."""
    if session.left:
        name = ulid_text(session.id)
        raise InvalidInput(
            f"This session was put aside half-way: {session.goal}",
            hint=f"`mic session switch --none` puts it aside, `mic session resume {name}` brings it back.",
        )


def push_open(
    client: Client, ws: Workspace, session: LocalSession, out: Output, *, force: bool = False
) -> tuple[LocalSession, pb.Session, int, bool] | None:
    """As `push_work`, and the session that was pushed: another where the open one ended elsewhere, None for none."""
    try:
        return session, *push_work(client, ws, session, force=force)
    except InvalidInput as error:
        left = go_on(client, ws, out, session, error)
    return None if left is None else (left, *push_work(client, ws, left))


def push_work(
    client: Client, ws: Workspace, session: LocalSession, *, force: bool = False
) -> tuple[pb.Session, int, bool]:
    """Bring the open session's work to the forge; the session there, its files, and whether anything was new.

    The caller holds the lock. Raises SecretFound, BaseMismatch, Unresolved while a sync is under way, and
    PreconditionFailed when it was pushed from elsewhere since, unless `force`.
    """
    require_resolved(ws)
    before = last_push(ws, session)
    project = address_of(ws).ref
    sent, frames, packs = send(client, ws, project, working_status(ws).changes, session.id if before else b"")
    kept = [kept_change(change) for change in sent.changes]
    message = session_message(session, sent.changes)
    say_who_wrote(message, ws, session, sent)
    wrote = digest(message)
    now = kept, words_of(session), wrote, session.base_position
    if before and (before.changes, before.words, before.wrote, before.base_position) == now:
        there = pb.GetSessionRequest(project=project, session_id=session.id)
        found: pb.Session = client.call(client.sessions.GetSession, there).session
        theirs = force and found.pushed_at_ms != before.at_ms
        if found.pushed_at_ms and found.state != "abandoned" and not theirs:
            remove(ws, *pushes_of(ws, session.id))
            return found, len(kept), False
    request = pb.PushSessionRequest(project=project, session=message, frames=frames, packs=packs)
    if not force:
        request.after_ms = before.at_ms if before else 0
    try:
        found = client.call(client.sessions.PushSession, request, seconds=_SECONDS).session
    except SecretFound as error:
        raise secret_error(ws, error) from error
    except BaseMismatch as error:
        raise BaseMismatch(error.message, hint="Run `mic sync`, then push again.") from error
    keep_last_push(ws, session, found.pushed_at_ms, kept, wrote)
    remove(ws, *pushes_of(ws, session.id))
    return found, len(kept), True
