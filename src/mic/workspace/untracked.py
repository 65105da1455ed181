"""Names that the index does not know: listed only in the directories whose ctime says that something moved.

A directory that holds nothing but known and ignored names is recorded with its ctime and not listed again until that
changes, or until any ignore file does.
"""

from __future__ import annotations

import os
import posix

from mic.core.paths import unwritable_reason
from mic.workspace.columns import Columns, git_mode
from mic.workspace.ignore import NAMES, Ignores

_ADDED, _DELETED = 0, 2
_KIND = 0o170000
_FOLDER = 0o040000


class Finder:
    """One search. `seen_ignores`: every ignore file met, with its ctime, size and inode."""

    def __init__(self, root: int, columns: Columns, gone: set[bytes]) -> None:
        self.root = root
        self.changes: list[tuple[bytes, int, int, int]] = []
        self.known = set(columns.paths).union(columns.dirs) - gone
        self.ignores = Ignores(root)
        self.seen_ignores: dict[bytes, tuple[int, int, int]] = {}

    def look(self, folder: bytes) -> bool:
        """Looks through one directory, and those in it that the index does not know; True when nothing was new."""
        names = self._names(folder)
        quiet = True
        for name in names:
            path = folder + b"/" + name if folder else name
            if name in NAMES:
                stat = posix.lstat(path, dir_fd=self.root)
                self.seen_ignores[path] = (stat.st_ctime_ns, stat.st_size, stat.st_ino)
            if path not in self.known and not unwritable_reason(name):
                quiet &= self._take(path)
        return quiet

    def _names(self, folder: bytes) -> list[bytes]:
        """The names in a directory; none when it vanished or is no directory. Never through a symlink."""
        flags = posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC
        try:
            handle = posix.open(folder or b".", flags, dir_fd=self.root)
        except (FileNotFoundError, NotADirectoryError):
            return []
        try:
            return [os.fsencode(name) for name in posix.listdir(handle)]
        finally:
            posix.close(handle)

    def _take(self, path: bytes) -> bool:
        """Reports an unknown name, or all files under it; True when it is ignored or of no kind that a tree holds."""
        try:
            stat = posix.lstat(path, dir_fd=self.root)
        except (FileNotFoundError, NotADirectoryError):
            return True
        kind = stat.st_mode & _KIND
        if kind == _FOLDER:
            if self.ignores.ignored(path, True) or b".mic" in self._names(path):
                return True
            self.look(path)
            return False
        mode = git_mode(stat.st_mode)
        if not mode or self.ignores.ignored(path, False):
            return True
        self.changes.append((path, _ADDED, mode, -1))
        return False


def find_untracked(
    root: int,
    columns: Columns,
    to_list: list[int],
    lost: set[bytes],
    changes: list[tuple[bytes, int, int, int]],
) -> bool:
    """Appends the untracked files to `changes`; True when the records of directories or ignore files were renewed.

    `lost` are known directories that are none any more. The caller has taken the file system's time before this
    call and makes it the index's clock afterwards; here `columns.clock` is still the old one.
    """
    gone = lost.union(path for path, op, _, _ in changes if op == _DELETED)
    finder = Finder(root, columns, gone)
    known = dict(zip(columns.ignores, _triples(columns.ignore_stats), strict=True))
    renewed = _list_all(finder, columns, to_list)
    everything = [number for number, path in enumerate(columns.dirs) if path not in lost]
    if len(to_list) < len(everything) and any(known.get(path) != at for path, at in finder.seen_ignores.items()):
        # A new ignore file judges names in directories that themselves did not move.
        finder = Finder(root, columns, gone)
        renewed |= _list_all(finder, columns, everything)
        to_list = everything
    changes += finder.changes
    if len(to_list) == len(everything):
        known = {}
    merged = known | finder.seen_ignores
    racy = any(at[0] >= columns.clock for at in merged.values())
    if racy or list(merged) != columns.ignores or list(merged.values()) != _triples(columns.ignore_stats):
        columns.ignores = list(merged)
        columns.ignore_stats = [value for stats in merged.values() for value in stats]
        renewed = True
    return renewed


def _triples(stats: list[int]) -> list[tuple[int, int, int]]:
    return list(zip(stats[0::3], stats[1::3], stats[2::3], strict=True))


def _list_all(finder: Finder, columns: Columns, numbers: list[int]) -> bool:
    renewed = False
    for number in numbers:
        path = columns.dirs[number]
        try:
            ctime = posix.lstat(path or b".", dir_fd=finder.root).st_ctime_ns
        except (FileNotFoundError, NotADirectoryError):
            continue
        found = ctime if finder.look(path) else 0
        if columns.dir_ctimes[number] != found:
            columns.dir_ctimes[number] = found
            renewed = True
        elif found >= columns.clock:
            renewed = True
    return renewed
