"""A session that the forge has accepted to land later: kept in `.mic/queued` until its outcome is known.

Files and base stay as they were when it was sent. The session is put aside with what was sent of each path, so that
the working copy can move on when it has landed, and is the open one again when it has not.
"""

from __future__ import annotations

import os

import msgspec

from mic.core.errors import Corrupt
from mic.core.session import Change
from mic.workspace import session as local
from mic.workspace.goal import encode_line
from mic.workspace.place import read_file, write_file
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


class Queued(msgspec.Struct):
    """What was sent: the session, and its changes with the hash of each content."""

    session: LocalSession
    changes: list[Change] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Queued)


def queued(ws: Workspace) -> Queued | None:
    """The session that waits to be landed, or None; raises Corrupt."""
    raw = read_file(ws.folder + b"/queued")
    if raw is None:
        return None
    _, _, body = raw.partition(b"\n")
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"the queued session in {ws.root}/.mic/queued is damaged: {error}",
            hint="move that file away to go on without it",
        ) from error


def put_aside(ws: Workspace, session: LocalSession, changes: list[Change]) -> None:
    """The open session becomes the queued one. Stopped in between it is both, and the queued one counts."""
    line = encode_line(session.started_ms, session.base_position, session.goal)
    write_file(ws.folder, b"queued", line + _encoder.encode(Queued(session, changes)))
    local.clear(ws)


def take_up(ws: Workspace, item: Queued) -> None:
    """The queued session becomes the open one again."""
    local.save(ws, item.session)
    forget(ws, item, landed=False)


def forget(ws: Workspace, item: Queued, *, landed: bool = True) -> None:
    """Take the queued session away, and when it has landed the same one that was still open."""
    current = local.current(ws)
    if landed and current is not None and current.id == item.session.id:
        local.clear(ws)
    os.unlink(ws.folder + b"/queued")
