"""What was pushed of the open session last, in `.mic/pushed`: to compare with, and to send only what is new."""

from __future__ import annotations

import hashlib
import os

import msgspec

from mic.core.errors import Corrupt
from mic.core.session import Change
from mic.workspace.place import read_file, write_file
from mic.workspace.session import LocalSession, session_of
from mic.workspace.told import decided_in_order, in_order
from mic.workspace.workspace import Workspace


class LastPush(msgspec.Struct):
    """The session's id, its base then, its changes, a digest of its words, and one of who wrote its lines, b"" for
    nothing said. `at_ms` is Unix time.
    """

    session: bytes
    at_ms: int
    base_position: int
    changes: list[Change]
    words: bytes = b""
    wrote: bytes = b""
    version: int = 1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LastPush)


def last_push(ws: Workspace, session: LocalSession | None) -> LastPush | None:
    """What was pushed of this session from here; None when nothing was. Raises Corrupt."""
    raw = read_file(ws.folder + b"/pushed")
    if raw is None or session is None:
        return None
    try:
        found = _decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"what was pushed last, in {ws.root}/.mic/pushed, is damaged: {error}",
            hint="move that file away; `mic session push` sends everything again",
        ) from error
    return found if found.session == session.id else None


def put_back(ws: Workspace, raw: bytes | None, session: bytes | None) -> None:
    """What was known of a push when this session was open is known again; both are the bytes of their files.

    Of what was pushed of it since then that stays known: whatever is taken back here, the forge has it.
    """
    try:
        since = last_push(ws, session_of(session)) if session is not None else None
        then = _decoder.decode(raw) if raw is not None else None
    except (Corrupt, msgspec.MsgspecError):
        since = then = None
    if since is not None and (then is None or then.session != since.session or then.at_ms < since.at_ms):
        return
    if raw is not None:
        write_file(ws.folder, b"pushed", raw)
    else:
        forget_push(ws)


def keep_last_push(ws: Workspace, session: LocalSession, at_ms: int, changes: list[Change], wrote: bytes = b"") -> None:
    """Writes down what was pushed, at once or not at all."""
    push = LastPush(session.id, at_ms, session.base_position, changes, words_of(session), wrote)
    write_file(ws.folder, b"pushed", _encoder.encode(push))


def forget_push(ws: Workspace) -> None:
    """The session has landed, or was given up."""
    if os.path.lexists(ws.folder + b"/pushed"):
        os.unlink(ws.folder + b"/pushed")


def words_of(session: LocalSession, *, timeless: bool = False) -> bytes:
    """A digest of goal, conversation and decisions, and of who is to read them where not all are.

    `timeless`: as a forge has it that does not know when a decision was made, and which message it answers.
    """
    turns, numbers = in_order(session.conversation)
    decisions = decided_in_order(session.decisions, numbers)
    if timeless:
        decisions = [msgspec.structs.replace(each, at=0, message=0) for each in decisions]
    said = [session.goal, session.agent, turns, decisions]
    if session.transcript:
        said.append(session.transcript)
    if session.usage:
        said.append(session.usage)
    return hashlib.sha256(_encoder.encode(said)).digest()
