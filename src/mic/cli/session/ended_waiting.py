"""What waits of a session that ended from another working copy meanwhile: it is told under a new session, and what the
forge has already is not told at all."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from mic.cli.context.open_session import address_of
from mic.cli.landing.queued import change_message, kept_change
from mic.cli.session.ended_elsewhere import ended, renewed, save_renewed
from mic.cli.session.message import session_message
from mic.cli.session.unlanded_words import keep_unlanded, what_is_left
from mic.core.errors import NotFound
from mic.core.session import Op
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.pending import PUSH, Pending, pending, remove, write
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace


class Instead(NamedTuple):
    """`again`: it waits under a new session, to be sent at once; else it waits no more. `why` says what happened."""

    again: bool
    why: str


def instead(client: Client, ws: Workspace, item: Pending) -> Instead | None:
    """What becomes of an operation that the forge refused, where its session ended from elsewhere; else None.

    Nothing is lost: what the forge lacks is open here, or waits under a new session. The caller holds the lock.
    """
    found = ended(client, ws, item.session.id, item.line)
    if found is None:
        return None
    here = local.current(ws)
    if here is not None and (here.left or here.id != item.session.id):
        here = None
    if not found.landed_position:
        _under(ws, item, renewed(item.session), here)
        return Instead(True, "it was given up from elsewhere")
    why = f"it landed @{found.landed_position} from elsewhere"
    if here is not None and working_status(ws).changes:
        remove(ws, item)
        return Instead(False, f"{why}; `mic land` closes it here")
    if here is not None:
        return Instead(_words_left(ws, item, here, found), why)
    return Instead(_rest_left(ws, item, found), why)


def onto_this_branch(ws: Workspace, gone: str) -> None:
    """Pushes that wait for a branch that is gone wait for the one that is followed here now, on the base here: each of
    their files as a whole, for nobody can say any more what it was before. The caller holds the lock.
    """
    for item in pending(ws):
        if item.kind == PUSH and item.line == gone:
            write(ws, based_here(ws, item))


def left_its_branch(client: Client, ws: Workspace, item: Pending) -> bool:
    """Whether a push was for a branch that is gone, and is for the one that is followed here now: the switch from
    there was stopped before it said so. The caller holds the lock."""
    if item.kind != PUSH or item.line == ws.config.branch or not is_gone(client, ws, item.line):
        return False
    write(ws, based_here(ws, item))
    return True


def is_gone(client: Client, ws: Workspace, branch: str) -> bool:
    """Whether a branch is not there any more, while its project is; raises NotFound where that is not either."""
    if not branch:
        return False
    try:
        client.call(client.projects.GetProject, pb.GetProjectRequest(project=address_of(ws, branch).ref))
    except NotFound:
        client.call(client.projects.GetProject, pb.GetProjectRequest(project=address_of(ws, "").ref))
        return True
    return False


def based_here(ws: Workspace, item: Pending) -> Pending:
    """A push on the base of this working copy, each of its files as a whole: it has been pushed nowhere yet."""
    index, changes = {entry.path: entry for entry in ws.index().entries()}, []
    for change in item.changes:
        base = index.get(change.path)
        old = (base.mode, base.hash) if base is not None else (0, b"")
        if old != ((0, b"") if change.op == Op.DELETED else (change.mode, change.hash)):
            op = change.op if change.op == Op.DELETED else Op.MODIFIED if base is not None else Op.ADDED
            changes.append(msgspec.structs.replace(change, op=op, base_mode=old[0], base_hash=old[1]))
    message = pb.Session.FromString(item.message)
    message.base_position, message.based_on = ws.config.position, b""
    del message.changes[:]
    message.changes.extend(change_message(change) for change in changes)
    paths = {change.path for change in changes}
    said = [each for each in message.attributed if each.path in paths]
    del message.attributed[:]
    message.attributed.extend(said)
    item.session.base_position, item.session.based_on, item.session.below = ws.config.position, b"", b""
    item.changes, item.line, item.after, item.after_ms = changes, ws.config.branch, b"", 0
    item.message, item.force = message.SerializeToString(), False
    return item


def _under(ws: Workspace, item: Pending, fresh: LocalSession, here: LocalSession | None) -> None:
    """It waits under another session; the one that is open `here` becomes that one as well."""
    message = pb.Session.FromString(item.message)
    message.id, message.created_at_ms = fresh.id, fresh.started_ms
    _write(ws, item, fresh, message)
    if here is not None:
        goes_on = renewed(here)
        goes_on.id, goes_on.started_ms = fresh.id, fresh.started_ms
        save_renewed(ws, here, goes_on)


def _words_left(ws: Workspace, item: Pending, here: LocalSession, landed: pb.Session) -> bool:
    """Of the session that is open here without a changed file: what was said since is open, and waits to be pushed."""
    keep_unlanded(ws, here, landed)
    left = local.current(ws)
    if left is None:
        remove(ws, item)
        return False
    item.changes = []
    _write(ws, item, left, session_message(left, []))
    return True


def _rest_left(ws: Workspace, item: Pending, landed: pb.Session) -> bool:
    """Of a session that is not open here: words and changes that the landing lacks wait under a new one."""
    message = pb.Session.FromString(item.message)
    left = what_is_left(item.session, landed, item.session.base_position)
    there = [kept_change(change) for change in landed.changes]
    item.changes = [change for change in item.changes if change not in there]
    if not item.changes and not left.conversation and not left.decisions:
        remove(ws, item)
        return False
    paths = {change.path for change in item.changes}
    rest = session_message(left, [change for change in message.changes if change.path in paths])
    rest.attributed.extend(each for each in message.attributed if each.path in paths)
    # The messages that asked for lines are counted in the session that landed.
    rest.writers.extend(pb.Writer(kind=each.kind, name=each.name) for each in message.writers if rest.attributed)
    _write(ws, item, left, rest)
    return True


def _write(ws: Workspace, item: Pending, session: LocalSession, message: pb.Session) -> None:
    item.session, item.message, item.after_ms, item.force = session, message.SerializeToString(), 0, False
    write(ws, item)
