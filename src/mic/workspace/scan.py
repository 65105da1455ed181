"""What changed in a working copy, found with one lstat a file (`mic.workspace.look`) and, when nothing did, not a
single directory listing.

A file whose stat data is as recorded is taken as unchanged, unless its ctime is not older than the index's clock; a
directory likewise holds no new names. ctime rather than mtime decides, because a program can set mtime.
"""

from __future__ import annotations

import posix

from mic.workspace.columns import DISK_BITS, UNWRITTEN, Columns, git_mode
from mic.workspace.look import GONE, folders_that_differ, look
from mic.workspace.place import clock_now

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from collections.abc import Iterable

ADDED, MODIFIED, DELETED = 0, 1, 2
_KIND = 0o170000
_FOLDER = 0o040000
_LINK = 0o120000
_READ = 1 << 20


class Scan:
    """`changes`: (path, op, Git mode, number in the columns or -1), sorted by path. `dirty`: stat data was renewed."""

    __slots__ = ("changes", "dirty")

    def __init__(self) -> None:
        self.changes: list[tuple[bytes, int, int, int]] = []
        self.dirty = False


def scan(root: bytes, columns: Columns, forks: bool = False) -> Scan:
    """Compares the files under `root` with the index. Renews stat data in `columns` where only that changed.

    With `forks` this process has no threads, and forks look at a part of the files.
    """
    result = Scan()
    handle = posix.open(root, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
    try:
        to_list, lost = scan_folders(handle, columns)
        suspects = scan_files(handle, columns, lost, result, forks)
        if suspects or to_list:
            try:
                clock = clock_now(root)
            except OSError:
                # Nothing can be written here, and looking needs no more than the older clock: the same is read again.
                clock = columns.clock
            settle(handle, columns, suspects, result)
            if to_list:
                from mic.workspace.untracked import find_untracked

                result.dirty |= find_untracked(handle, columns, to_list, lost, result.changes)
            columns.clock = clock
            result.changes.sort()
    finally:
        posix.close(handle)
    return result


def scan_folders(root: int, columns: Columns) -> tuple[list[int], set[bytes]]:
    """Numbers of the directories that may hold new names; and those that are no directories any more."""
    lost: set[bytes] = set()
    to_list = _list_again(root, columns, folders_that_differ(root, columns), lost)
    if lost:
        # Behind a link in the place of a folder, others may stand as they were recorded.
        to_list = _list_again(root, columns, range(len(columns.dirs)), lost)
    if _ignores_changed(root, columns):
        to_list = [number for number, path in enumerate(columns.dirs) if path not in lost]
    return to_list, lost


def _list_again(root: int, columns: Columns, numbers: Iterable[int], lost: set[bytes]) -> list[int]:
    """Which of these directories may hold new names; those that are none any more are put with the lost ones."""
    clock = columns.clock
    to_list = []
    for number in numbers:
        path, ctime = columns.dirs[number], columns.dir_ctimes[number]
        if lost and path.rpartition(b"/")[0] in lost:
            lost.add(path)
            continue
        try:
            stat = posix.lstat(path or b".", dir_fd=root)
        except (FileNotFoundError, NotADirectoryError):
            lost.add(path)
            continue
        if stat.st_mode & _KIND != _FOLDER:
            lost.add(path)
        elif stat.st_ctime_ns != ctime or ctime >= clock:
            to_list.append(number)
    return to_list


def _ignores_changed(root: int, columns: Columns) -> bool:
    stats = columns.ignore_stats
    for number, path in enumerate(columns.ignores):
        try:
            stat = posix.lstat(path, dir_fd=root)
        except (FileNotFoundError, NotADirectoryError):
            return True
        known = stats[number * 3 : number * 3 + 3]
        if [stat.st_ctime_ns, stat.st_size, stat.st_ino] != known or stat.st_ctime_ns >= columns.clock:
            return True
    return False


def scan_files(
    root: int, columns: Columns, lost: set[bytes], result: Scan, forks: bool = False
) -> list[tuple[int, posix.stat_result]]:
    """The files whose stat data does not vouch for them; deleted ones go straight to the result."""
    paths, flags = columns.paths, columns.flags
    suspects = []
    found = look(root, columns, forks)
    if lost:
        # Behind a link in the place of a folder, files may stand as they were recorded.
        below = {number: GONE for number, path in enumerate(paths) if path.rpartition(b"/")[0] in lost}
        found = sorted({**dict(found), **below}.items())
    for number, what in found:
        if flags[number] & UNWRITTEN:
            continue
        path = paths[number]
        if what == GONE:
            result.changes.append((path, DELETED, 0, number))
            continue
        try:
            stat = posix.lstat(path, dir_fd=root)
        except (FileNotFoundError, NotADirectoryError):
            result.changes.append((path, DELETED, 0, number))
            continue
        if not _vouches(stat, columns, number):
            suspects.append((number, stat))
    return suspects


def _vouches(stat: posix.stat_result, columns: Columns, number: int) -> bool:
    """Whether a file that stands so has not been changed since it was recorded."""
    ctime = columns.ctimes[number]
    return (
        stat.st_ctime_ns == ctime
        and ctime < columns.clock
        and stat.st_mtime_ns == columns.mtimes[number]
        and stat.st_size == columns.disk_sizes[number]
        and stat.st_ino == columns.inodes[number]
        and stat.st_mode & DISK_BITS == columns.bits[number]
    )


def settle(root: int, columns: Columns, suspects: list[tuple[int, posix.stat_result]], result: Scan) -> None:
    """Decides about each suspect by its kind, its size and at last its content."""
    for number, stat in suspects:
        path = columns.paths[number]
        mode = git_mode(stat.st_mode)
        if not mode:
            result.changes.append((path, DELETED, 0, number))
        elif stat.st_mode & DISK_BITS != columns.bits[number]:
            result.changes.append((path, MODIFIED, mode, number))
        elif stat.st_size != columns.sizes[number] and not _is_erased(
            root, path, stat.st_size, columns.hash_at(number)
        ):
            result.changes.append((path, MODIFIED, columns.modes[number], number))
        else:
            try:
                digest = _digest(root, path, mode)
            except (FileNotFoundError, NotADirectoryError):
                result.changes.append((path, DELETED, 0, number))
                continue
            wanted = columns.hash_at(number)
            if digest != wanted and not _is_erased(root, path, stat.st_size, wanted):
                # Its stat data may be the recorded one (racy); a younger clock must not make that believed.
                columns.ctimes[number] = 0
                result.changes.append((path, MODIFIED, columns.modes[number], number))
                continue
            columns.mtimes[number] = stat.st_mtime_ns
            columns.ctimes[number] = stat.st_ctime_ns
            columns.disk_sizes[number] = stat.st_size
            columns.inodes[number] = stat.st_ino
            result.dirty = True


def _is_erased(root: int, path: bytes, size: int, wanted: bytes) -> bool:
    """Whether a file says that the content which the index wants there was erased."""
    if not 100 < size <= 512:  # of mic.core.erased_text, which is seldom needed here
        return False
    from mic.core.erased_text import stands_for

    try:
        handle = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC, dir_fd=root)
    except OSError:
        return False
    try:
        return stands_for(posix.read(handle, size + 1)) == wanted
    finally:
        posix.close(handle)


def _digest(root: int, path: bytes, mode: int) -> bytes:
    """SHA-256 of a file's content, or of a symlink's target."""
    from hashlib import sha256

    if mode == _LINK:
        return sha256(posix.readlink(path, dir_fd=root)).digest()
    handle = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC, dir_fd=root)
    try:
        digest = sha256()
        while part := posix.read(handle, _READ):
            digest.update(part)
        return digest.digest()
    finally:
        posix.close(handle)
