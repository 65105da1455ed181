"""The mark of an undo that has begun and not come to its end: files here are neither the one nor the other then."""

from __future__ import annotations

import os

from mic.workspace.place import exists, write_file
from mic.workspace.workspace import Workspace

_NAME = b"undoing"


def begin_undoing(ws: Workspace) -> None:
    """Before the first file."""
    write_file(ws.folder, _NAME, b"")


def end_undoing(ws: Workspace) -> None:
    """After everything."""
    if exists(ws.folder + b"/" + _NAME):
        os.unlink(ws.folder + b"/" + _NAME)


def undoing(ws: Workspace) -> bool:
    """Whether an undo was stopped half way."""
    return exists(ws.folder + b"/" + _NAME)
