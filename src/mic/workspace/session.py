"""The open session of a workspace: goal, conversation and decisions, kept in `.mic/session` until it lands."""

from __future__ import annotations

import os
import time

import msgspec

from mic.core.errors import Corrupt, InvalidInput
from mic.core.ids import new_ulid
from mic.core.session import Decision, Message, Usage
from mic.workspace.goal import encode_line
from mic.workspace.place import read_file, write_file
from mic.workspace.workspace import Workspace

MAX_GOAL = 10_000  # characters


class LocalSession(msgspec.Struct):
    """What is said in a session before it lands. `id` is a ULID; `base_position` is where the workspace stood."""

    id: bytes
    goal: str
    started_ms: int
    base_position: int
    agent: str = ""
    conversation: list[Message] = []
    decisions: list[Decision] = []
    # Put aside: its work was pushed, and its files are being taken away here.
    left: bool = False
    # The session that this one was begun on; `below` while that has not become part of the base.
    based_on: bytes = b""
    below: bytes = b""
    # Who is to read its conversation on the forge: "" all who read the project, else `mic.core.session.MEMBERS`.
    transcript: str = ""
    # Tokens, by the transcript that reports them.
    usage: list[Usage] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LocalSession)


def current(ws: Workspace) -> LocalSession | None:
    """The open session, or None; raises Corrupt."""
    raw = read_file(ws.folder + b"/session")
    if raw is None:
        return None
    try:
        return session_of(raw)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"the open session in {ws.root}/.mic/session is damaged: {error}",
            hint="move that file away to go on without it",
        ) from error


def session_of(raw: bytes) -> LocalSession:
    """The session in the bytes of `.mic/session`; raises msgspec.MsgspecError."""
    return _decoder.decode(raw.partition(b"\n")[2])


def start(ws: Workspace, goal: str, agent: str = "", transcript: str = "") -> LocalSession:
    """Opens a session with a goal; raises InvalidInput when one is open, or the goal is empty or too long."""
    require_none(ws)
    goal = checked_goal(goal)
    now_ms = time.time_ns() // 1_000_000
    session = LocalSession(
        id=new_ulid(now_ms, os.urandom(10)),
        goal=goal,
        started_ms=now_ms,
        base_position=ws.config.position,
        agent=agent,
        transcript=transcript,
    )
    save(ws, session)
    return session


def require_none(ws: Workspace) -> None:
    """Raises InvalidInput when a session is open."""
    open_one = current(ws)
    if open_one is not None:
        raise InvalidInput(
            f"a session is open: {open_one.goal}",
            hint="`mic land` or `mic session abandon` it first, or put it aside: `mic session switch --none`",
        )


def checked_goal(goal: str) -> str:
    """A goal without the blanks around it; raises InvalidInput when it is empty or too long."""
    goal = goal.strip()
    if not goal:
        raise InvalidInput(
            "a session needs a goal",
            hint='say what you want to reach: `mic land "GOAL"`, or `mic session start "GOAL"` first',
        )
    if len(goal) > MAX_GOAL:
        raise InvalidInput(f"a goal of {len(goal)} characters; the limit is {MAX_GOAL}", hint="put details in notes")
    return goal


def time_of_words(session: LocalSession) -> int:
    """The time (Unix ms) of what is said now: never before what was said last here, whatever became of the clock.

    Words stand by their times wherever they are shown, and a decision answers what was said before it.
    """
    last = max((turn.at for turn in session.conversation[-1:]), default=0)
    return max(time.time_ns() // 1_000_000, last, *(each.at for each in session.decisions[-1:]))


def save(ws: Workspace, session: LocalSession) -> None:
    """Writes the session, at once or not at all."""
    line = encode_line(session.started_ms, session.base_position, session.goal)
    write_file(ws.folder, b"session", line + _encoder.encode(session))


def stand_on_base(ws: Workspace, *, but: bytes = b"") -> None:
    """The open session stands on what its files stand on, after something beside it landed; not the session `but`."""
    session = current(ws)
    if session is not None and session.id != but and not session.left and session.base_position != ws.config.position:
        session.base_position = ws.config.position
        save(ws, session)


def clear(ws: Workspace) -> None:
    """Takes the open session away; nothing happens when there is none."""
    try:
        os.unlink(ws.folder + b"/session")
    except FileNotFoundError:
        return
