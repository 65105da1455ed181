"""What was said in a session here and is not in its landing, because it landed from another working copy before."""

from __future__ import annotations

import os
import time

from mic.cli.session.attaching import without_secrets
from mic.cli.terminal.output import Output
from mic.cli.terminal.words import conversation_of
from mic.core.ids import new_ulid
from mic.core.session import Decision, Message
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


def close(ws: Workspace, session: LocalSession, landed: pb.Session, out: Output) -> None:
    """As `keep_unlanded`, and say so."""
    if keep_unlanded(ws, session, landed):
        out.note("What was said here since it landed is in a new session of its goal: `mic session status` shows it.")


def keep_unlanded(ws: Workspace, session: LocalSession, landed: pb.Session) -> bool:
    """The open session has landed as `landed`: it is open no more. Words that the landing lacks become a new one;
    whether there are any.

    A landing never changes, and they are nowhere else.
    """
    left = what_is_left(session, landed, ws.config.position)
    if not left.conversation and not left.decisions:
        local.clear(ws)
        return False
    local.save(ws, left)
    return True


def what_is_left(session: LocalSession, landed: pb.Session, base_position: int) -> LocalSession:
    """A new session of the goal, with the words that the landing lacks; perhaps none."""
    said, decided = _unlanded(session, landed)
    now_ms = time.time_ns() // 1_000_000
    return LocalSession(
        id=new_ulid(now_ms, os.urandom(10)), goal=session.goal, started_ms=now_ms, base_position=base_position,
        agent=session.agent, transcript=session.transcript, conversation=said, decisions=decided,
    )  # fmt: skip


def _unlanded(session: LocalSession, landed: pb.Session) -> tuple[list[Message], list[Decision]]:
    there = {(turn.role, turn.text) for turn in conversation_of(landed)}
    # What looks like a secret was taken out on the way.
    clean, _ = without_secrets(session.conversation) if session.conversation else ([], 0)
    said = [
        turn
        for turn, sent in zip(session.conversation, clean, strict=True)
        if not {(turn.role, turn.text), (sent.role, sent.text)} & there
    ]
    decided = {decision.what for decision in landed.decisions}
    # A decision with a secret in it is kept once more rather than lost.
    return said, [each for each in session.decisions if each.what not in decided]
