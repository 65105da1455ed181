"""Paths that are in the tree and on purpose not on disk, each with the reason."""

from __future__ import annotations

from mic.workspace.columns import UNWRITTEN, Columns

_GITLINK = 0o160000


def unwritten(columns: Columns) -> list[tuple[bytes, str]]:
    """The unwritten paths of an index, in its order."""
    if not any(columns.flags):
        return []
    return [
        (path, reason(path, mode))
        for path, mode, flags in zip(columns.paths, columns.modes, columns.flags, strict=True)
        if flags & UNWRITTEN
    ]


def reason(path: bytes, mode: int) -> str:
    """Why this file of the tree is not on disk."""
    from mic.core.paths import unwritable_reason

    if mode & 0o170000 == _GITLINK:
        return "a submodule: its files are in another project"
    return (
        unwritable_reason(path)
        or "its name differs only in case from another one, and this file system takes them for one"
    )
