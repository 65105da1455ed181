"""What a session would land: the files that differ from the index."""

from __future__ import annotations

import os
from typing import NamedTuple

from mic.core.tree import Entry
from mic.workspace import elsewhere
from mic.workspace.index import Index, IndexEntry
from mic.workspace.renew import scan_and_renew
from mic.workspace.unwritten import unwritten
from mic.workspace.workspace import Workspace


class LocalChange(NamedTuple):
    """One changed file. `op` is 0 added, 1 modified, 2 deleted; `mode` is Git's, 0 when deleted.

    `old` is what it was: in the index, or in the tree that the files here are compared with.
    """

    path: bytes
    op: int
    mode: int
    old: IndexEntry | Entry | None


class Status(NamedTuple):
    """`unwritten`: paths of the tree that are on purpose not on disk, each with the reason."""

    changes: list[LocalChange]
    unwritten: list[tuple[bytes, str]]


def status(ws: Workspace) -> Status:
    """The state of the working copy, sorted by path. Raises Corrupt when the index is garbage."""
    return status_of(ws, ws.index())


def status_of(ws: Workspace, index: Index) -> Status:
    """As `status`, by an index that was read before. Renews it where the files are the same and only times changed."""
    root = os.fsencode(ws.root)
    changes = elsewhere.changes(root, index.columns.check) if elsewhere.changes is not None else None
    if changes is None:
        changes = scan_and_renew(root, index.columns).changes
    return Status(
        [LocalChange(path, op, mode, index.at(number) if number >= 0 else None) for path, op, mode, number in changes],
        unwritten(index.columns),
    )
