"""The open session ended from another working copy: it landed there, or was given up. What was said here goes on."""

from __future__ import annotations

import os
import time

import msgspec

from mic.cli.context.open_session import address_of
from mic.cli.session.unlanded_words import keep_unlanded
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, NotFound
from mic.core.ids import new_ulid
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace import stacked
from mic.workspace.attributed import noted
from mic.workspace.attributed import save as save_noted
from mic.workspace.pending import pushes_of, remove
from mic.workspace.pushed import forget_push
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace


def go_on(
    client: Client, ws: Workspace, out: Output, session: LocalSession, refused: InvalidInput, *, files: bool = True
) -> LocalSession | None:
    """The forge `refused` the open session: the one that is open here instead, None when nothing was said since.

    Raises `refused` where the session has not ended; with `files`, also where it landed and files are changed here:
    only `mic land` knows which of them are in that landing. The caller holds the lock.
    """
    found = ended(client, ws, session.id, ws.config.branch)
    if found is None:
        raise refused
    if found.landed_position:
        if files and working_status(ws).changes:
            refused.hint = "`mic land` closes it here; what was said and changed here since stays."
            raise refused
        keep_unlanded(ws, session, found)
        left = local.current(ws)
        also = "; what was said here since is in a new session of its goal" if left is not None else ""
        out.note(f"It landed @{found.landed_position} from elsewhere{also}.")
    else:
        left = renewed(session)
        save_renewed(ws, session, left)
        out.note("It was given up from elsewhere; what was said here is in a new session of its goal.")
    forget_push(ws)
    remove(ws, *pushes_of(ws, session.id))
    return left


def ended(client: Client, ws: Workspace, session_id: bytes, branch: str) -> pb.Session | None:
    """A session of a branch as it landed, or was given up; None where it has not, or the forge never heard of it."""
    request = pb.GetSessionRequest(project=address_of(ws, branch).ref, session_id=session_id)
    try:
        found: pb.Session = client.call(client.sessions.GetSession, request).session
    except NotFound:
        return None
    return found if found.landed_position or found.state == "abandoned" else None


def renewed(session: LocalSession) -> LocalSession:
    """A session under a new id, with all that it has."""
    now_ms = time.time_ns() // 1_000_000
    return msgspec.structs.replace(session, id=new_ulid(now_ms, os.urandom(10)), started_ms=now_ms)


def save_renewed(ws: Workspace, session: LocalSession, fresh: LocalSession) -> None:
    """The open session goes on as another, with what it stands on and who wrote its lines."""
    wrote = noted(ws, session)
    stacked.renamed(ws, session.id, fresh.id)
    local.save(ws, fresh)
    if wrote.files:
        wrote.session = fresh.id
        save_noted(ws, wrote)
    stacked.drop(ws, session.id)
