"""One working copy under watch: what `mic.workspace.scan` finds in it, kept true by what the kernel tells of it.

A file is looked at again after anything happened to it, by its content; a folder is listed again after a name came or
went. The judging is that of the scan itself. Everything is kept by path, so that another index (after a landing) costs
only the look at what differs in it. Whatever is not understood (a full queue, a changed ignore file, an error) ends in
`ready` being False and a look at everything.
"""

from __future__ import annotations

import os
import posix
import stat as kinds
import threading
from bisect import bisect_left
from typing import NamedTuple

from mic.core.errors import MicError
from mic.daemon import inotify
from mic.daemon.inotify import Inotify, NoWatches
from mic.daemon.mounts import about, mounts, unwatchable
from mic.workspace.columns import HASH_BYTES, UNWRITTEN, Columns
from mic.workspace.ignore import NAMES, Ignores
from mic.workspace.place import FOLDER, read_columns
from mic.workspace.scan import DELETED, Scan, scan_files, scan_folders, settle
from mic.workspace.untracked import Finder
from mic.workspace.unwritten import unwritten

_NAMES_MOVE = inotify.MOVED_FROM | inotify.MOVED_TO | inotify.CREATE | inotify.DELETE
_AGAIN = inotify.OVERFLOW | inotify.UNMOUNT


class Seen(NamedTuple):
    """What a status needs of the files: (path, op, mode, number in the columns or -1), sorted by path."""

    columns: Columns
    changes: list[tuple[bytes, int, int, int]]
    unwritten: list[tuple[bytes, str]]


class NotWatched(Exception):
    """This working copy cannot be watched; the message says why."""

    # Whether it will be no different in a moment.
    lasts = True


class NotNow(NotWatched):
    """It cannot be watched at this moment: something moves in it, or it is not there."""

    lasts = False


class _Watching(Finder):
    """Looks for untracked names, and puts a folder under watch before it reads what is in it."""

    def __init__(self, of: Watched, handle: int) -> None:
        super().__init__(handle, Columns(), set())
        self.known = _Known(of)  # type: ignore[assignment]
        self._of = of

    def _names(self, folder: bytes) -> list[bytes]:
        try:
            self._of.watch(folder)
        except FileNotFoundError:
            return []
        return super()._names(folder)


class _Known:
    """The names that are no news: those of the index, as far as they are not gone."""

    def __init__(self, of: Watched) -> None:
        self._of = of

    def __contains__(self, path: bytes) -> bool:
        of = self._of
        if path in of.numbers:
            found = of.tracked.get(path)
            return found is None or found[0] != DELETED
        return path in of.folders and path not in of.lost


class Watched:
    """`build` once, then `seen` as often as anybody asks; both hold `lock`. `close` when nobody asks any more."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.lock = threading.Lock()
        self.ready = False
        self.numbers: dict[bytes, int] = {}
        self.folders: set[bytes] = set()
        self.lost: set[bytes] = set()
        # What differs: tracked files by path, untracked ones by the tracked folder that they are under.
        self.tracked: dict[bytes, tuple[int, int]] = {}
        self._added: dict[bytes, list[tuple[bytes, int, int, int]]] = {}
        self._files: set[bytes] = set()
        self._folders: set[bytes] = set()
        self._queue: Inotify | None = None
        self._paths: dict[int, bytes] = {}
        self._watches: dict[bytes, int] = {}
        self._handle = -1

    @property
    def fd(self) -> int:
        """The queue, to be waited for."""
        return self._queue.fd if self._queue is not None else -1

    @property
    def watches(self) -> int:
        """How many folders are watched."""
        return len(self._paths)

    def build(self) -> None:
        """Puts everything under watch, then looks at everything; raises NotWatched."""
        self.close()
        try:
            self._build()
        except NotWatched:
            self.close()
            raise
        except NoWatches as error:
            self.close()
            raise NotWatched(str(error)) from error
        except (OSError, MicError) as error:
            self.close()
            raise NotNow(str(error)) from error

    def _build(self) -> None:
        self._mounts = mounts()
        if why := unwatchable(self.root, self._mounts):
            raise NotWatched(why)
        self._index = _index_of(self.root)
        self._take_columns(read_columns(self.root))
        if b"" not in self.folders:
            raise NotNow("nothing was checked out yet")
        self._handle = posix.open(self.root, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        self._place = _place_of(self.root)
        self._queue = Inotify()
        # First the watches, then the look: whatever changes in between is in the queue.
        for path in self.columns.dirs:
            try:
                self.watch(path)
            except FileNotFoundError:
                continue  # lost, as the scan will find
        _, self.lost = scan_folders(self._handle, self.columns)
        found = Scan()
        settle(self._handle, self.columns, scan_files(self._handle, self.columns, self.lost, found), found)
        self.tracked = {path: (op, mode) for path, op, mode, _ in found.changes}
        self._refuse_other_names()
        self._list(path for path in self.columns.dirs if path not in self.lost)
        self.ready = True

    def _take_columns(self, columns: Columns) -> None:
        self.columns = columns
        self.numbers = {path: number for number, path in enumerate(columns.paths)}
        self.folders = set(columns.dirs)
        self._unwritten = unwritten(columns)

    def _refuse_other_names(self) -> None:
        """A file with two names can be written by the other one, and the kernel tells that only where that one is."""
        for path in self.columns.paths:
            try:
                self._one_name(posix.lstat(path, dir_fd=self._handle))
            except (FileNotFoundError, NotADirectoryError):
                continue

    @staticmethod
    def _one_name(stat: posix.stat_result) -> None:
        if stat.st_nlink > 1 and kinds.S_ISREG(stat.st_mode):
            raise NotWatched("files in it have second names (hard links), by which they change unseen")

    def watch(self, folder: bytes) -> None:
        """Puts a folder under watch, again if need be: it may have moved; raises FileNotFoundError, NoWatches."""
        assert self._queue is not None
        number = self._queue.add(self.root + b"/" + folder if folder else self.root)
        before = self._paths.get(number)
        if before is not None and before != folder and self._watches.get(before) == number:
            del self._watches[before]
        self._paths[number] = folder
        self._watches[folder] = number

    def seen(self) -> Seen | None:
        """How the files are now; None when everything has to be looked at anew. Raises NotWatched, OSError."""
        try:
            if not self.ready or self._queue is None or _place_of(self.root) != self._place or self._mounted():
                self.ready = False
                return None
            self.drain()
            index = _index_of(self.root)
            if self.ready and index != self._index:
                self._adopt(read_columns(self.root))
                self._index = index
            if self.ready:
                self._look()
        except NoWatches as error:
            self.ready = False
            raise NotWatched(str(error)) from error
        except (OSError, MicError):
            # Something moves under the look, or may not be read: whoever asked sees for himself, and says so.
            self.ready = False
        if not self.ready:
            return None
        changes = [(path, op, mode, self.numbers[path]) for path, (op, mode) in self.tracked.items()]
        for added in self._added.values():
            changes += added
        changes.sort()
        return Seen(self.columns, changes, self._unwritten)

    def _mounted(self) -> bool:
        """Whether anything was mounted or taken down that the files here are on, or in. Elsewhere it happens often."""
        table = mounts()
        if table == self._mounts:
            return False
        before, self._mounts = self._mounts, table
        return about(self.root, before) != about(self.root, table)

    # ------------------------------------------------------------------ what the kernel tells

    def drain(self) -> None:
        """Takes down what has happened until now, without looking at it."""
        if self._queue is None:
            return
        for number, mask, name in self._queue.read():
            folder = self._paths.get(number)
            if mask & _AGAIN:
                self.ready = False
            elif folder is None:
                continue
            elif mask & inotify.IGNORED:
                del self._paths[number]
                if self._watches.get(folder) == number:
                    del self._watches[folder]
            elif not name:
                self._itself(folder, mask)
            else:
                self._take(folder + b"/" + name if folder else name, name, mask)

    def _itself(self, folder: bytes, mask: int) -> None:
        """Something about a watched folder; what happens to its name, its own folder tells too."""
        if not folder and mask & (inotify.DELETE_SELF | inotify.MOVE_SELF | inotify.ATTRIB):
            self.ready = False

    def _take(self, path: bytes, name: bytes, mask: int) -> None:
        if name in NAMES or name == FOLDER:
            # Other names are ignored from now on, or a working copy begins or ends here.
            self.ready = False
        elif mask & inotify.IS_FOLDER:
            self._folder_event(path, mask)
        elif path in self.numbers:
            self._files.add(path)
        elif mask & (_NAMES_MOVE | inotify.ATTRIB):
            self._folders.add(self._owner(path))
            if path in self.folders:  # a file or a link in the place of a folder
                self._deep(path)

    def _folder_event(self, path: bytes, mask: int) -> None:
        if mask & inotify.MOVED_FROM:
            # Its watches go along with it, and would tell of it by its old name.
            assert self._queue is not None
            for folder in [one for one in self._watches if one == path or one.startswith(path + b"/")]:
                number = self._watches.pop(folder)
                self._paths.pop(number, None)
                self._queue.remove(number)
        self._folders.add(self._owner(path))
        if path in self.folders:
            self._deep(path)
        if path in self.numbers:
            self._files.add(path)

    def _deep(self, path: bytes) -> None:
        """Everything that the index has at a folder and below it is to be looked at."""
        inside = path + b"/"
        self._folders.add(path)
        self._folders.update(_below(self.columns.dirs, inside))
        self._files.update(_below(self.columns.paths, inside))

    def _owner(self, path: bytes) -> bytes:
        """The nearest folder above that the index knows."""
        folder = path.rpartition(b"/")[0]
        while folder not in self.folders:
            folder = folder.rpartition(b"/")[0]
        return folder

    # ------------------------------------------------------------------ the look

    def _look(self) -> None:
        """Looks at what was taken down."""
        files, folders = sorted(self._files), sorted(self._folders)
        if not files and not folders:
            return
        self._files, self._folders = set(), set()
        for folder in folders:
            if folder and (folder.rpartition(b"/")[0] in self.lost or not self._is_folder(folder)):
                self.lost.add(folder)
                self._added.pop(folder, None)
            else:
                self.lost.discard(folder)
                self.watch(folder)
        found = Scan()
        suspects = []
        for path in files:
            self.tracked.pop(path, None)
            number = self.numbers[path]
            if self.columns.flags[number] & UNWRITTEN:
                continue
            stat = None if path.rpartition(b"/")[0] in self.lost else self._stat(path)
            if stat is None:
                self.tracked[path] = (DELETED, 0)
            else:
                self._one_name(stat)
                suspects.append((number, stat))
        settle(self._handle, self.columns, suspects, found)
        self.tracked.update((path, (op, mode)) for path, op, mode, _ in found.changes)
        self._list(folder for folder in folders if folder not in self.lost)

    def _list(self, folders) -> None:  # type: ignore[no-untyped-def]
        """Finds the untracked names in these folders, and in those in them that the index does not know."""
        finder = _Watching(self, self._handle)
        finder.ignores = Ignores(self._handle)
        for folder in folders:
            finder.changes = []
            finder.look(folder)
            if finder.changes:
                self._added[folder] = finder.changes
            else:
                self._added.pop(folder, None)

    def _is_folder(self, path: bytes) -> bool:
        stat = self._stat(path)
        return stat is not None and kinds.S_ISDIR(stat.st_mode)

    def _stat(self, path: bytes) -> posix.stat_result | None:
        try:
            return posix.lstat(path, dir_fd=self._handle)
        except (FileNotFoundError, NotADirectoryError):
            return None

    # ------------------------------------------------------------------ another index

    def _adopt(self, columns: Columns) -> None:
        """Takes another index in place of the one so far: what differs in it is to be looked at."""
        old, old_numbers, old_folders = self.columns, self.numbers, self.folders
        if columns.paths == old.paths and columns.dirs == old.dirs:
            # As after most landings. Then lists are compared, not entries: milliseconds for 100,000 files.
            self.columns, self._unwritten = columns, unwritten(columns)
            self._files.update(columns.paths[number] for number in _differing(old, columns))
            return
        self._take_columns(columns)
        if b"" not in self.folders:
            self.ready = False
            return
        for path, number in self.numbers.items():
            before = old_numbers.get(path)
            if before is None or not _same_entry(old, before, columns, number):
                self._files.add(path)
                if before is None:
                    self._folders.add(self._owner(path))
        for path in old_numbers.keys() - self.numbers.keys():
            self.tracked.pop(path, None)
            self._folders.add(self._owner(path))
        for folder in self.folders - old_folders:
            self._folders.update((folder, self._owner(folder)))
        for folder in old_folders - self.folders:
            self._added.pop(folder, None)
            self.lost.discard(folder)
            self._folders.add(self._owner(folder))
        # What was taken down before is of the old index.
        self._files &= self.numbers.keys()
        self._folders = {folder if folder in self.folders else self._owner(folder) for folder in self._folders}

    def close(self) -> None:
        """Lets go of everything."""
        self.ready = False
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        for table in (self.numbers, self.tracked, self._added, self._paths, self._watches):
            table.clear()
        for names in (self.folders, self.lost, self._files, self._folders):
            names.clear()


def _below(sorted_paths: list[bytes], inside: bytes) -> list[bytes]:
    """The paths that begin with this folder, which ends with a slash."""
    # "0" is the byte after "/".
    return sorted_paths[bisect_left(sorted_paths, inside) : bisect_left(sorted_paths, inside[:-1] + b"0")]


def _same_entry(old: Columns, before: int, new: Columns, now: int) -> bool:
    """Whether two entries ask the same of a file on disk."""
    return (
        old.hashes[before * HASH_BYTES : (before + 1) * HASH_BYTES]
        == new.hashes[now * HASH_BYTES : (now + 1) * HASH_BYTES]
        and old.modes[before] == new.modes[now]
        and old.bits[before] == new.bits[now]
        and old.sizes[before] == new.sizes[now]
        and old.flags[before] == new.flags[now]
    )


def _differing(old: Columns, new: Columns) -> list[int]:
    """The numbers of the entries that ask for something else, of two indexes of the same paths."""
    found = []
    spans = [(0, len(new.paths))]
    while spans:
        start, end = spans.pop()
        if _same_span(old, new, start, end):
            continue
        if end - start == 1:
            found.append(start)
        else:
            middle = (start + end) // 2
            spans += ((start, middle), (middle, end))
    return found


def _same_span(old: Columns, new: Columns, start: int, end: int) -> bool:
    return (
        old.hashes[start * HASH_BYTES : end * HASH_BYTES] == new.hashes[start * HASH_BYTES : end * HASH_BYTES]
        and old.modes[start:end] == new.modes[start:end]
        and old.bits[start:end] == new.bits[start:end]
        and old.sizes[start:end] == new.sizes[start:end]
        and old.flags[start:end] == new.flags[start:end]
    )


def _index_of(root: bytes) -> tuple[int, ...] | None:
    """What tells one index file from another."""
    try:
        stat = posix.lstat(root + b"/" + FOLDER + b"/index")
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _place_of(root: bytes) -> tuple[int, int] | None:
    """Which folder has this name now."""
    try:
        stat = posix.lstat(root)
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino
