"""Local versions that a command is about to replace, kept under `.mic/kept/{position}/{path}`.

A kept file is the very file that was there (a hard link to it), so an editor that writes into it at that moment
writes into the kept one. Folders beyond the newest few are taken away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from mic.core.paths import parse_path
from mic.workspace.place import exists
from mic.workspace.workspace import Workspace

# Ten syncs back is further than anybody looks; each holds only what was changed here.
KEEP_FOLDERS = 10


class Kept:
    """One folder of kept files. `name` is its name in `.mic/kept`; it is made with its first file."""

    def __init__(self, ws: Workspace, name: str) -> None:
        self.name = name
        self._root = os.fsencode(ws.root)
        self._folder = ws.folder + b"/kept/" + name.encode()

    @staticmethod
    def fresh(ws: Workspace, name: str) -> Kept:
        """A folder of this name, or with a number behind it when that is taken."""
        number, found = 1, name
        while exists(ws.folder + b"/kept/" + found.encode()):
            number += 1
            found = f"{name}-{number}"
        return Kept(ws, found)

    @staticmethod
    def search(ws: Workspace, name: str, path: bytes) -> Kept | None:
        """The first of the folders `name`, `name-2`, ... that holds this path."""
        number, found = 1, Kept(ws, name)
        while exists(found._folder):
            if found.has(path):
                return found
            number += 1
            found = Kept(ws, f"{name}-{number}")
        return None

    def rename(self, ws: Workspace, name: str) -> None:
        """Gives the folder another name, with a number behind it when that is taken."""
        if exists(self._folder):
            os.rename(self._folder, Kept.fresh(ws, name)._folder)

    def path(self, path: bytes) -> bytes:
        """Where the file of this path is kept."""
        return self._folder + b"/" + parse_path(path)

    def shown(self, path: bytes) -> bytes:
        """The same from the workspace's root."""
        return b".mic/kept/" + self.name.encode() + b"/" + path

    def has(self, path: bytes) -> bool:
        """Whether this path is kept here."""
        try:
            return exists(self.path(path))
        except NotADirectoryError:
            return False

    def keep(self, path: bytes) -> None:
        """Keeps the file or symlink that stands at `path`; it stays where it is."""
        source, target = self._root + b"/" + path, self.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            if not os.path.samestat(os.lstat(source), os.lstat(target)):
                raise
        except OSError:
            # Another file system, or one without hard links.
            temporary = target + b".new"
            shutil.copy2(source, temporary, follow_symlinks=False)
            os.rename(temporary, target)

    def move(self, path: bytes) -> None:
        """Moves whatever stands at `path`, folders too, into the kept ones."""
        target = self.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.move(os.fsdecode(self._root + b"/" + path), os.fsdecode(target))


def drop_old(ws: Workspace, newest: Sequence[str]) -> None:
    """Takes away the oldest folders of kept files, those beyond KEEP_FOLDERS.

    `newest` were made now, in this order. Their times are put behind those of all others: a clock that was put back in
    between must not make them the oldest.
    """
    folder = ws.folder + b"/kept"
    names = os.listdir(folder) if exists(folder) else []
    ages = {name: os.lstat(folder + b"/" + name).st_mtime_ns for name in names}
    made = [name for name in map(os.fsencode, newest) if name in ages]
    last = max((age for name, age in ages.items() if name not in made), default=0)
    for name in made:
        last = ages[name] = max(ages[name], last + 1)
        os.utime(folder + b"/" + name, ns=(last, last), follow_symlinks=False)
    by_age = sorted(names, key=ages.__getitem__)
    for name in by_age[: max(0, len(by_age) - KEEP_FOLDERS)]:
        shutil.rmtree(folder + b"/" + name)
