"""Paths as typed in a working copy, as its tree names them."""

from __future__ import annotations

import os

from mic.core.errors import NotFound
from mic.workspace.workspace import Workspace


def tree_path(ws: Workspace, path: str) -> bytes:
    """A path as typed, as the tree names it; b"" for the root. Raises NotFound outside of the workspace."""
    full = os.path.normpath(os.path.join(os.getcwd(), path))
    inside = os.path.relpath(full, os.path.realpath(ws.root) if full.startswith(os.path.realpath(ws.root)) else ws.root)
    if inside == os.curdir:
        return b""
    if inside == os.pardir or inside.startswith(os.pardir + os.sep):
        raise NotFound(f"{path} is outside of this working copy.", hint=f"It is at {ws.root}.")
    return os.fsencode(inside)
