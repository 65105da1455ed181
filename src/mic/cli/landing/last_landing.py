"""The last landing from a workspace, in `.mic/landed`, so that a repeated `mic land` can say where it is."""

from __future__ import annotations

import os

from mic.core.errors import InvalidInput
from mic.core.ids import parse_ulid, ulid_text
from mic.workspace.place import write_file
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


def remember(ws: Workspace, session: LocalSession, position: int) -> None:
    """Write down where a session landed."""
    text = f"{ulid_text(session.id)} {position}\n{session.goal}"
    write_file(ws.folder, b"landed", text.encode("utf-8", "surrogateescape"))


def last(ws: Workspace) -> tuple[bytes, int, str] | None:
    """Session id, position and goal of the last landing from here; None before the first, and where it is damaged:
    the forge knows a session that landed.
    """
    try:
        with open(os.path.join(ws.root, ".mic", "landed"), encoding="utf-8", errors="surrogateescape") as file:
            first, goal = file.readline(), file.read()
        session_id, _, position = first.strip().partition(" ")
        return parse_ulid(session_id), int(position), goal
    except (OSError, ValueError, InvalidInput):
        return None
