"""Sessions that were put aside here on a branch that is gone now: what the forge lost, the operation log still has."""

from __future__ import annotations

import os
from typing import NamedTuple

import msgspec

from mic.cli.landing.queued import change_message
from mic.cli.landing.send_waiting import send_first
from mic.cli.session.ended_waiting import based_here, is_gone
from mic.cli.session.message import session_message
from mic.cli.session.wrote import add_who_wrote
from mic.cli.terminal.output import Output
from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.parts import require_inside
from mic.core.errors import Corrupt, NotFound
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.core.session import Change, Op
from mic.rpc.client import Client
from mic.workspace import session as local
from mic.workspace.attributed import noted_in
from mic.workspace.operations import Damaged, Operation, content_path, is_kept, operations
from mic.workspace.pending import PUSH, Pending, add, keep_bytes, pending
from mic.workspace.place import read_file
from mic.workspace.session import LocalSession, session_of
from mic.workspace.workspace import Workspace


class Left(NamedTuple):
    """A session as it was put aside, and what the operation log has of that."""

    session: LocalSession
    operation: Operation


def left_behind(ws: Workspace) -> list[Left]:
    """The sessions that stood here with their files, and ended in no command here since; the newest first."""
    found: list[Left] = []
    here = local.current(ws)
    seen = {item.session.id for item in pending(ws)} | ({here.id} if here is not None else set())
    for each in reversed(operations(ws)):
        if isinstance(each, Damaged) or each.session is None:
            continue
        try:
            session = session_of(each.session)
        except msgspec.MsgspecError:
            continue
        if session.id in seen:
            continue
        seen.add(session.id)
        if each.changes is not None and not each.final:
            found.append(Left(session, each))
    return found


def bring_over(client: Client, ws: Workspace, word: str, out: Output, error: NotFound) -> None:
    """Push a session that was put aside here, of the id that begins so, to the branch that is followed now.

    `error` is what the forge said of it, and is raised where none was, or its branch is still there. The caller holds
    the lock. Stopped, it waits to be pushed.
    """
    found = [left for left in left_behind(ws) if ulid_text(left.session.id).startswith(word)]
    if len(found) != 1 or found[0].operation.branch == ws.config.branch:
        raise error
    session, operation = found[0]
    if is_gone(client, ws, ws.config.branch):
        raise error
    if not is_gone(client, ws, operation.branch):
        name = operation.branch or "main"
        error.hint = f"It was put aside on {name}: `mic branch switch {name}` first."
        raise error
    require_inside(ws, [change.path for change in operation.changes or ()], "The session changed")
    _wait(ws, session, operation)
    here = local.current(ws)
    send_first(client, ws, out, here.id if here is not None else b"")


def name_left(ws: Workspace, error: NotFound) -> None:
    """Have an error that found no session name the one that was put aside last on another branch."""
    for session, operation in left_behind(ws):
        if operation.branch != ws.config.branch:
            name = ulid_text(session.id)
            error.hint = f"On {operation.branch or 'main'} one was put aside: `mic session resume {name}`."
            return


def say_left(ws: Workspace, branch: str, out: Output) -> None:
    """Which sessions were put aside here on a branch that is gone, and how to go on with them."""
    for session, operation in left_behind(ws):
        if operation.branch == branch:
            name = ulid_text(session.id)
            out.note(f"Put aside on {branch}: {session.goal}. `mic session resume {name}` brings it here.")


def _wait(ws: Workspace, session: LocalSession, operation: Operation) -> None:
    """Its words and files wait to be pushed as they were put aside."""
    changes = list(operation.changes or ())
    texts = {change.hash: _content(ws, session, change) for change in changes if change.op != Op.DELETED}
    for name, text in texts.items():
        keep_bytes(ws, name, text)
    session.left, session.based_on, session.below = False, b"", b""
    message = session_message(session, [change_message(change) for change in changes])
    noted = noted_in(operation.attributed) if isinstance(operation.attributed, bytes) else None
    if noted is not None and noted.session == session.id:
        add_who_wrote(message, noted, session, message.changes, lambda each: texts[each.hash])
    add(ws, based_here(ws, Pending(PUSH, session, 0, changes, message.SerializeToString())))


def _content(ws: Workspace, session: LocalSession, change: Change) -> bytes:
    found = read_file(content_path(ws, change.hash)) if is_kept(ws, change.hash) else None
    found = content_cache().content(change.hash) if found is None else found
    if found is None:
        raise Corrupt(
            f"{display(change.path)} of {session.goal} cannot be brought back: "
            f"{os.fsdecode(content_path(ws, change.hash))} is damaged",
            hint="What you put aside may be under .mic/kept as well.",
        )
    return found
