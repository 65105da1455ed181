"""What of a tree stays away from the disk."""

from __future__ import annotations

from collections.abc import Collection

from mic.core.paths import unwritable
from mic.core.tree import Entry
from mic.workspace.casefold import clashing, ignores_case

_KIND = 0o170000
_GITLINK = 0o160000


def kept_away(entries: Collection[Entry]) -> set[bytes]:
    """The paths that stay away wherever it is: of submodules, and those that no working copy may have."""
    submodules = {entry.path for entry in entries if entry.mode & _KIND == _GITLINK}
    return submodules | unwritable([entry.path for entry in entries])


def kept_away_from(folder: bytes, entries: Collection[Entry]) -> set[bytes]:
    """These, and of a whole tree what the file system of this writable folder takes for another file."""
    away = kept_away(entries)
    if ignores_case(folder):
        away |= clashing([entry.path for entry in entries if entry.path not in away])
    return away
