"""Brings the files of a tree into a working copy: each one whole or not at all, and nobody's work overwritten.

A file is written to `.mic/tmp`, checked against its hash and renamed into place, so an interrupted checkout leaves
only whole files, and the next one takes them over. Where nothing stood, contents that are at hand whole are checked
first and written in their places (`put`), which saves half of what the kernel does; the one file that a killed process
was at is named by its mark (`mic.workspace.marks`). Directories are opened one name at a time without following
symlinks: no file of a tree can land outside of the workspace.
"""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain
from operator import lt
from typing import NamedTuple

from mic.core.blob import MAX_WHOLE
from mic.core.erased_text import LONGEST, stands_for
from mic.core.errors import AlreadyExists, Busy, Corrupt, InvalidPath, StorageFull
from mic.core.paths import display, unwritable_reason
from mic.core.tree import Entry
from mic.workspace.away import kept_away, kept_away_from
from mic.workspace.casefold import ignores_case
from mic.workspace.columns import DISK_BITS, disk_bits
from mic.workspace.folders import Folders, remove_empty
from mic.workspace.index import Index, IndexEntry
from mic.workspace.marks import MARKED, Mark, read_mark
from mic.workspace.place import clock_now, name_file
from mic.workspace.unwritten import reason
from mic.workspace.workspace import Workspace

_KIND = 0o170000
_FILE = 0o100000
_LINK = 0o120000
_GITLINK = 0o160000
_PIECE = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A name or a symlink's target that this file system refuses.
_REFUSED = (errno.EILSEQ, errno.EINVAL, errno.ENAMETOOLONG)


# Of a file that was written in its place: mtime, ctime, inode, size, as they were when it was closed.
Numbers = tuple[int, int, int, int]


class Done(NamedTuple):
    """What a checkout in another process has done of this one: see `Checkout.join` and `Checkout.take`.

    `numbers` has those of `placed` one after the other (u64), where these are all files that it was given, in order.
    """

    numbers: bytes
    placed: dict[bytes, Numbers]
    checked: dict[bytes, tuple[int, int]]
    unwritten: list[tuple[bytes, str]]
    erased: list[bytes]


class Checkout:
    """One checkout: `plan`, then `write` each of `needed()`, then `finish`. The caller holds the workspace's lock."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._root = os.fsencode(ws.root)
        self._folders = Folders(self._root)
        self._process, self._temporary = os.getpid(), 0
        self._entries: dict[bytes, Entry] = {}
        self._away: set[bytes] = set()
        # Inode and mtime of each file whose content was checked.
        self._checked: dict[bytes, tuple[int, int]] = {}
        self._placed: dict[bytes, Numbers] = {}
        self._expected: dict[bytes, os.stat_result | None] = {}
        # Whether nothing stood where this checkout writes; where killed ones were; and where this one is.
        self.fresh = False
        self.torn: set[bytes] = set()
        self._mark: Mark | None = None
        self.unwritten: list[tuple[bytes, str]] = []
        self.erased: list[bytes] = []  # paths where words stand in the place of an erased content
        os.makedirs(ws.folder + b"/tmp", exist_ok=True)
        self._tmp = os.open(ws.folder + b"/tmp", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def plan(self, entries: Iterable[Entry]) -> None:
        """Takes the whole tree, and decides what of it stays away from disk (`unwritten`, with reasons)."""
        self._clear_up()
        self._entries = {entry.path: entry for entry in entries}
        self._leave_out(kept_away_from(self._ws.folder + b"/tmp", self._entries.values()))

    def grows(self) -> bool:
        """Whether the tree may be given in parts, to `add`, instead of to `plan` and `needed`.

        So it is where nothing stands yet, and names that differ in case are different names.
        """
        self._clear_up()
        self.fresh = self._is_empty() and not ignores_case(self._ws.folder + b"/tmp")
        return self.fresh

    def add(self, entries: list[Entry]) -> list[Entry]:
        """Takes the next part of the tree, sorted by path; what of it is to be written."""
        self._entries.update(zip([entry.path for entry in entries], entries, strict=True))
        away = kept_away(entries)
        self._leave_out(away)
        return [entry for entry in entries if entry.path not in away] if away else entries

    def _leave_out(self, away: set[bytes]) -> None:
        """Let these stay away from disk. Submodules stand there as empty folders."""
        self._away |= away
        for path in sorted(away):
            mode = self._entries[path].mode
            self.unwritten.append((path, reason(path, mode)))
            if mode & _KIND == _GITLINK and unwritable_reason(path) is None:
                self._folders.handle(path, make=True)

    def _clear_up(self) -> None:
        """Behind checkouts that were killed."""
        for left_over in map(os.fsencode, os.listdir(self._tmp)):
            if left_over.endswith(MARKED):
                self.torn.add(read_mark(self._tmp, left_over))
            else:
                os.unlink(left_over, dir_fd=self._tmp)

    def _is_empty(self) -> bool:
        """Whether nothing stands in the working copy, nor is known to."""
        return os.listdir(self._root) == [b".mic"] and not len(self._ws.index())

    def __len__(self) -> int:
        """Files that the working copy has when it is done."""
        return len(self._entries) - len(self.unwritten)

    def needed(self) -> list[Entry]:
        """The planned files that are not there yet as they should be, sorted by path.

        Raises AlreadyExists when a file with other content stands in a planned place and is not what the index
        recorded: somebody's work.
        """
        wanted = [self._entries[path] for path in sorted(self._entries) if path not in self._away]
        self.fresh = self._is_empty()
        if self.fresh:
            return wanted
        index = self._ws.index()
        return [entry for entry in wanted if not self._stands(entry, index.get(entry.path), index.columns.clock)]

    def expect(self, path: bytes, stat: os.stat_result | None) -> None:
        """From now on `write` and `remove` leave this path alone, with Busy, unless it still stands so on disk."""
        self._expected[path] = stat

    def write(self, entry: Entry, pieces: Iterable[bytes], *, erased: bool = False) -> None:
        """Puts one file into place. Raises Corrupt when the pieces are not the content that its hash promises,
        StorageFull when the disk is, InvalidPath when a symlink or file stands where a folder should be, Busy when
        the path is not as `expect` was told. Of an `erased` content the pieces are what stands in its place.
        """
        if erased:
            pieces = [b"".join(pieces)]
            if stands_for(pieces[0]) != entry.hash:
                raise Corrupt(f"the forge says of another content that it was erased: {display(entry.path)}")
            self.erased.append(entry.path)
        assert entry.path in self._entries
        assert entry.path not in self._away
        if entry.path in self.torn:
            pieces = [b"".join(pieces)]
            self._require_part(entry, pieces[0])
        folder, _, name = entry.path.rpartition(b"/")
        self._temporary += 1
        temporary = b"%d.%d" % (self._process, self._temporary)
        try:
            self._checked[entry.path] = self._write_temporary(temporary, entry, pieces)
            self._rename(temporary, name, folder, entry.path)
        except BaseException as error:
            self._checked.pop(entry.path, None)
            self._discard(temporary)
            if isinstance(error, OSError) and self._is_refused(entry, error):
                return
            raise

    def put(self, entry: Entry, data: bytes) -> None:
        """As `write`, of a content that is whole: in its place at once where nothing stood when it was planned.

        Raises AlreadyExists when something came to stand there since.
        """
        mode = entry.mode
        if not self.fresh or mode & _KIND != _FILE or sha256(data).digest() != entry.hash:
            self.write(entry, (data,))
            return
        path = entry.path
        assert path in self._entries
        folder, _, name = path.rpartition(b"/")
        try:
            if self._mark is None:
                self._mark = Mark(self._tmp)
            handle = self._folders.handle(folder, make=True)
            self._mark.at(path)
            file = os.open(name, _CREATE, 0o777 if mode & 0o100 else 0o666, dir_fd=handle)
            try:
                written = os.write(file, data)
                while written < len(data):
                    written += os.write(file, data[written:])
                stat = os.fstat(file)
            except BaseException:
                os.unlink(name, dir_fd=handle)
                raise
            finally:
                os.close(file)
        except FileExistsError as error:
            raise _in_the_way(path) from error
        except OSError as error:
            if not self._is_refused(entry, error):
                raise
        else:
            self._placed[path] = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size)

    def _is_refused(self, entry: Entry, error: OSError) -> bool:
        """Whether the file system has no such name or target, which is noted. Raises StorageFull."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"no space left on the disk for {display(entry.path)}",
                hint="make room, then run the same command again: it goes on where it stopped",
            ) from error
        if error.errno not in _REFUSED:
            name_file(error, entry.path)
            return False
        self._away.add(entry.path)
        self.unwritten.append((entry.path, reason(entry.path, entry.mode)))
        return True

    def join(self, entries: Sequence[Entry], fresh: bool, torn: Iterable[bytes]) -> None:
        """Instead of `plan`, in a process that writes these of the files that another one planned."""
        self._entries = {entry.path: entry for entry in entries}
        self.fresh, self.torn = fresh, set(torn)

    def done(self) -> Done:
        """What was done since `join`, for `take` in the process that planned; forgotten here."""
        placed = list(map(self._placed.get, self._entries))
        if None in placed:
            done = Done(b"", self._placed, self._checked, self.unwritten, self.erased)
        else:
            numbers = array("Q", chain.from_iterable(placed)).tobytes()  # type: ignore[arg-type]
            done = Done(numbers, {}, self._checked, self.unwritten, self.erased)
        self._placed, self._checked, self.unwritten, self.erased = {}, {}, [], []
        return done

    def take(self, done: Done, given: Sequence[Entry]) -> None:
        """What another process has done of this checkout, of the files that it was given."""
        if done.numbers:
            each = iter(array("Q", done.numbers))
            self._placed.update(
                zip([entry.path for entry in given], zip(each, each, each, each, strict=True), strict=True)
            )
        self._placed.update(done.placed)
        self._checked.update(done.checked)
        self._away.update(path for path, _ in done.unwritten)
        self.unwritten += done.unwritten
        self.erased += done.erased

    def remove(self, path: bytes) -> None:
        """Takes a file away, and the folders that it leaves empty. Nothing happens when it is gone already."""
        folder, _, name = path.rpartition(b"/")
        self._check_expected(path)
        try:
            os.unlink(name, dir_fd=self._folders.handle(folder))
            self._folders.forget()
            while folder:
                parent, _, name = folder.rpartition(b"/")
                os.rmdir(name, dir_fd=self._folders.handle(parent))
                self._folders.forget()  # what was opened may be the next that goes
                folder = parent
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                raise

    def finish(self) -> Index:
        """Records how everything stands on disk, saves the index and returns it."""
        clock = clock_now(self._root)
        entries = self._entries.values()
        placed = list(map(self._placed.get, self._entries))
        if placed and None not in placed and _is_sorted(list(self._entries)):
            # Each field as it is: no record is made for each of 100,000 files.
            fields = (*zip(*entries, strict=True), *zip(*placed, strict=True), bytes(len(placed)))
            index = Index.of_fields(fields, clock)
        else:
            index = Index.build(
                [self._recorded(entry, found) for entry, found in zip(entries, placed, strict=True)], clock
            )
        self._ws.save_index(index)
        for left_over in os.listdir(self._tmp):
            if os.fsencode(left_over).endswith(MARKED):
                os.unlink(left_over, dir_fd=self._tmp)
        self.close()
        return index

    def close(self) -> None:
        """Gives the open folders back: done by `finish`, to be called when a checkout is given up."""
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._tmp >= 0:
            self._folders.close()
            os.close(self._tmp)
            self._tmp = -1

    def _stands(self, entry: Entry, recorded: IndexEntry | None, clock: int) -> bool:
        folder, _, name = entry.path.rpartition(b"/")
        try:
            handle = self._folders.handle(folder)
            stat = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except (FileNotFoundError, InvalidPath):
            # What stands in the place of a folder is for `write` to refuse, if it is still there then.
            return False
        kind = stat.st_mode & _KIND
        if kind not in (_LINK, 0o100000):
            return False
        if entry.path in self.torn and not recorded and kind == _FILE and stat.st_size < entry.size <= MAX_WHOLE:
            # Whether it is a beginning of the content is seen when that is here.
            return False
        if recorded and not recorded.unwritten and stat.st_ctime_ns < clock and _vouched(recorded, stat):
            digest = recorded.hash
        else:
            digest = _digest(name, handle, kind)
        if digest != entry.hash and kind != _LINK and stat.st_size <= LONGEST:
            with open(os.open(name, _READ, dir_fd=handle), "rb") as file:
                digest = stands_for(file.read()) or digest
        if digest == entry.hash and kind == disk_bits(entry.mode) & _KIND:
            self._checked[entry.path] = (stat.st_ino, stat.st_mtime_ns)
            return stat.st_mode & DISK_BITS == disk_bits(entry.mode)
        if digest != entry.hash and (recorded is None or digest != recorded.hash):
            raise _in_the_way(entry.path)
        return False

    def _require_part(self, entry: Entry, data: bytes) -> None:
        """Raises AlreadyExists unless what stands where a killed process was writing is a beginning of the content."""
        folder, _, name = entry.path.rpartition(b"/")
        try:
            with open(os.open(name, _READ, dir_fd=self._folders.handle(folder)), "rb") as file:
                if not data.startswith(file.read(len(data) + 1)):
                    raise _in_the_way(entry.path)
        except (FileNotFoundError, InvalidPath):
            return

    def _write_temporary(self, temporary: bytes, entry: Entry, pieces: Iterable[bytes]) -> tuple[int, int]:
        """Writes a temporary file and returns its inode and mtime; raises Corrupt."""
        digest = sha256()
        if entry.mode & _KIND == _LINK:
            target = b"".join(pieces)
            digest.update(target)
            _verify(entry, stands_for(target) or digest.digest())
            if not target or b"\x00" in target:
                raise OSError(errno.EINVAL, "a target that no symlink can have")
            os.symlink(target, temporary, dir_fd=self._tmp)
            stat = os.stat(temporary, dir_fd=self._tmp, follow_symlinks=False)
            return stat.st_ino, stat.st_mtime_ns
        mode = 0o777 if entry.mode & 0o100 else 0o666
        handle = os.open(temporary, _CREATE, mode, dir_fd=self._tmp)
        try:
            said = b""
            for piece in pieces:
                said = said or stands_for(piece)
                digest.update(piece)
                written = os.write(handle, piece)
                while written < len(piece):
                    written += os.write(handle, piece[written:])
            if said != entry.hash:
                _verify(entry, digest.digest())
            stat = os.fstat(handle)
            return stat.st_ino, stat.st_mtime_ns
        finally:
            os.close(handle)

    def _rename(self, temporary: bytes, name: bytes, folder: bytes, path: bytes) -> None:
        self._check_expected(path)
        handle = self._folders.handle(folder, make=True)
        try:
            os.rename(temporary, name, src_dir_fd=self._tmp, dst_dir_fd=handle)
            return
        except IsADirectoryError:
            pass
        try:
            remove_empty(name, handle)
        except OSError as error:
            raise AlreadyExists(
                f"the folder {display(path)} stands where a file should be",
                hint="move it away, then run the same command again",
                path=path,
            ) from error
        self._folders.forget()
        os.rename(temporary, name, src_dir_fd=self._tmp, dst_dir_fd=self._folders.handle(folder))

    def _check_expected(self, path: bytes) -> None:
        if path not in self._expected:
            return
        expected = self._expected[path]
        try:
            now = os.lstat(self._root + b"/" + path)
        except (FileNotFoundError, NotADirectoryError):
            now = None
        if now is not None and now.st_mode & _KIND == 0o040000:
            # An empty folder may stand there; one that is not empty is refused by the rename.
            now = None
        if (expected and _numbers(expected)) != (now and _numbers(now)):
            raise Busy(
                f"{display(path)} was changed at this very moment; it was left as it is",
                hint="run the same command again: it goes on where it stopped",
                path=path,
            )

    def _discard(self, temporary: bytes) -> None:
        try:
            os.unlink(temporary, dir_fd=self._tmp)
        except FileNotFoundError:
            return

    def _recorded(self, entry: Entry, placed: Numbers | None) -> IndexEntry:
        if placed is not None:
            return IndexEntry(*entry, *placed, unwritten=False)
        if entry.path in self._away:
            return IndexEntry(entry.path, entry.mode, entry.kind, entry.size, entry.hash, 0, 0, 0, 0, True)
        try:
            stat = os.lstat(self._root + b"/" + entry.path)
        except (FileNotFoundError, NotADirectoryError):
            stat = None
        if stat is None or self._checked.get(entry.path) != (stat.st_ino, stat.st_mtime_ns):
            # Changed by somebody since it was checked: zeros make the next status read it.
            return IndexEntry(entry.path, entry.mode, entry.kind, entry.size, entry.hash, 0, 0, 0, 0, False)
        return IndexEntry(
            entry.path,
            entry.mode,
            entry.kind,
            entry.size,
            entry.hash,
            stat.st_mtime_ns,
            stat.st_ctime_ns,
            stat.st_ino,
            stat.st_size,
            False,
        )


def _is_sorted(paths: list[bytes]) -> bool:
    return all(map(lt, paths, paths[1:]))


def _in_the_way(path: bytes) -> AlreadyExists:
    return AlreadyExists(
        f"{display(path)} stands in the way: it is neither the project's file nor the one mic wrote",
        hint="move it away, then run the same command again",
        path=path,
    )


def _numbers(stat: os.stat_result) -> tuple[int, int, int, int]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size


def _vouched(recorded: IndexEntry, stat: os.stat_result) -> bool:
    return (recorded.inode, recorded.mtime_ns, recorded.ctime_ns, recorded.disk_size) == (
        stat.st_ino,
        stat.st_mtime_ns,
        stat.st_ctime_ns,
        stat.st_size,
    )


def _digest(name: bytes, folder: int, kind: int) -> bytes:
    """SHA-256 of a file's content, or of a symlink's target."""
    if kind == _LINK:
        return sha256(os.readlink(name, dir_fd=folder)).digest()
    digest = sha256()
    handle = os.open(name, _READ, dir_fd=folder)
    try:
        while piece := os.read(handle, _PIECE):
            digest.update(piece)
    finally:
        os.close(handle)
    return digest.digest()


def _verify(entry: Entry, digest: bytes) -> None:
    if digest != entry.hash:
        raise Corrupt(
            f"the content sent for {display(entry.path)} has the hash {digest.hex()}, not {entry.hash.hex()}",
            hint="run the same command again; if it comes back, tell whoever runs the forge",
            path=entry.path,
        )
