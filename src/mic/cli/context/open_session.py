"""This working copy and its open session, as several commands need them."""

from __future__ import annotations

import os
import sys

from mic.cli.forge.connection import Address
from mic.cli.forge.credentials import stored
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.core.errors import InvalidInput, NotFound
from mic.core.session import Message
from mic.workspace import session as local
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


def address_of(ws: Workspace, branch: str | None = None) -> Address:
    """The project that a workspace is a copy of."""
    branch = ws.config.branch if branch is None else branch
    return Address(ws.config.instance, ws.config.organization, ws.config.project, branch)


def require_open(ws: Workspace) -> LocalSession:
    """The open session; raises NotFound."""
    session = local.current(ws)
    if session is None:
        raise NotFound("No session is open here.", hint='`mic session start "GOAL"` starts one.')
    return session


def require_complete(ws: Workspace) -> None:
    """Raises InvalidInput in a working copy whose clone was interrupted: missing files are not deletions."""
    if ws.incomplete():
        command = f"mic clone {address_of(ws)} {ws.root}"
        raise InvalidInput("This working copy is not complete.", hint=f"Run `{command}` again: it completes it.")


def add_note(ws: Workspace, session: LocalSession, text: str, role: str) -> None:
    """Append a turn of the conversation to a session that the caller saves; raises WrongCommandLine for no words."""
    if text == "-":
        text = sys.stdin.read()
    if not text.strip():
        raise WrongCommandLine("A note needs a text.", hint='For example: `mic session note "The cache was stale"`.')
    said = Message(role, speaker(ws, session, role), text.strip("\n"), local.time_of_words(session))
    session.conversation = [*session.conversation, said]


def speaker(ws: Workspace, session: LocalSession, role: str) -> str:
    """Who says what is said in a role: whoever is signed in, or the agent."""
    if role == "agent":
        return session.agent
    if role == "human":
        credential = stored(ws.config.instance)
        return credential.handle if credential else os.environ.get("USER", "")
    return ""
