"""The index as records: one `IndexEntry` for each file of the tree that the working copy stands on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from typing import Any, NamedTuple

from mic.core.paths import unwritable_reason
from mic.workspace.columns import HASH_BYTES, UNWRITTEN, Columns, disk_bits, parents


class IndexEntry(NamedTuple):
    """A file as the tree has it (`mode` is Git's, `kind` the tree's) and as it was on disk (the last four numbers).

    `unwritten`: in the tree and on purpose not on disk; its disk numbers are 0.
    """

    path: bytes
    mode: int
    kind: int
    size: int
    hash: bytes
    mtime_ns: int
    ctime_ns: int
    inode: int
    disk_size: int
    unwritten: bool


class Index:
    """All entries, sorted by path. `columns` is the form that is stored and scanned."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    @staticmethod
    def build(entries: list[IndexEntry], clock: int = 0) -> Index:
        """An index of these entries. Files not older than `clock` (ns, the file system's time) are read again by
        the next status; with 0 that is all of them.
        """
        ordered = sorted(entries)
        # Turned round at once, and not field by field: a third of the time.
        fields = list(zip(*ordered, strict=True)) or [()] * len(IndexEntry._fields)
        return Index.of_fields(fields, clock)

    @staticmethod
    def of_fields(fields: Sequence[Sequence[Any]], clock: int) -> Index:
        """As `build`, of the fields of entries that are sorted by path: a column for each, in their order."""
        paths, modes, kinds, sizes, hashes, mtimes, ctimes, inodes, disk_sizes, unwritten = fields
        columns = Columns()
        columns.clock = clock
        columns.paths, columns.modes, columns.sizes = list(paths), list(modes), list(sizes)
        columns.mtimes, columns.ctimes = list(mtimes), list(ctimes)
        columns.inodes, columns.disk_sizes = list(inodes), list(disk_sizes)
        bits = {mode: disk_bits(mode) for mode in set(modes)}
        columns.bits = list(map(bits.__getitem__, modes))
        columns.kinds = bytearray(kinds)
        columns.flags = bytearray(map(UNWRITTEN.__mul__, unwritten))
        columns.hashes = b"".join(hashes)
        found = columns.paths
        if any(unwritten):
            away = zip(found, modes, unwritten, strict=True)
            found = [path for path, mode, is_away in away if not is_away or _has_folder(path, mode)]
        columns.dirs = parents(found)
        columns.dir_ctimes = [0] * len(columns.dirs)
        assert len(columns.hashes) == 32 * len(columns.paths)
        return Index(columns)

    def put(self, entries: Iterable[IndexEntry], gone: Iterable[bytes]) -> None:
        """Takes these entries, in place of those with the same paths, and takes those of `gone` away.

        What is known of all other files and of folders stays known, which `build` does not do; it costs what differs.
        """
        gone = list(gone)
        entries = list(entries)
        if gone or any(self.get(entry.path) is None for entry in entries):
            self.columns.loosen()
        for path in gone:
            self._take_away(path)
        hashes = bytearray(self.columns.hashes)
        for entry in entries:
            self._put(entry, hashes)
        self.columns.hashes = bytes(hashes)

    def _put(self, entry: IndexEntry, hashes: bytearray) -> None:
        columns = self.columns
        paths = columns.paths
        number = bisect_left(paths, entry.path)
        if number == len(paths) or paths[number] != entry.path:
            paths.insert(number, entry.path)
            for column in _numbers(columns):
                column.insert(number, 0)
            hashes[number * HASH_BYTES : number * HASH_BYTES] = bytes(HASH_BYTES)
        columns.mtimes[number] = entry.mtime_ns
        columns.ctimes[number] = entry.ctime_ns
        columns.disk_sizes[number] = entry.disk_size
        columns.inodes[number] = entry.inode
        columns.sizes[number] = entry.size
        columns.modes[number] = entry.mode
        columns.bits[number] = disk_bits(entry.mode)
        columns.kinds[number] = entry.kind
        columns.flags[number] = UNWRITTEN if entry.unwritten else 0
        hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES] = entry.hash
        if not entry.unwritten or _has_folder(entry.path, entry.mode):
            for folder in parents([entry.path]):
                place = bisect_left(columns.dirs, folder)
                if place == len(columns.dirs) or columns.dirs[place] != folder:
                    columns.dirs.insert(place, folder)
                    columns.dir_ctimes.insert(place, 0)

    def _take_away(self, path: bytes) -> None:
        columns = self.columns
        number = bisect_left(columns.paths, path)
        if number == len(columns.paths) or columns.paths[number] != path:
            return
        del columns.paths[number]
        for column in _numbers(columns):
            del column[number]
        columns.hashes = columns.hashes[: number * HASH_BYTES] + columns.hashes[(number + 1) * HASH_BYTES :]
        folder = path.rpartition(b"/")[0]
        while folder and not self._holds(folder):
            place = bisect_left(columns.dirs, folder)
            if place < len(columns.dirs) and columns.dirs[place] == folder:
                del columns.dirs[place], columns.dir_ctimes[place]
            folder = folder.rpartition(b"/")[0]
            # It may stand on, empty; what comes into it then is seen by nobody but who lists the one above.
            above = bisect_left(columns.dirs, folder)
            if above < len(columns.dirs) and columns.dirs[above] == folder:
                columns.dir_ctimes[above] = 0

    def _holds(self, folder: bytes) -> bool:
        """Whether a file that stands on disk is in this folder or below it."""
        paths = self.columns.paths
        for number in range(bisect_left(paths, folder + b"/"), len(paths)):
            if not paths[number].startswith(folder + b"/"):
                return False
            columns = self.columns
            if not columns.flags[number] & UNWRITTEN or _has_folder(columns.paths[number], columns.modes[number]):
                return True
        return False

    def __len__(self) -> int:
        return len(self.columns.paths)

    def at(self, number: int) -> IndexEntry:
        """The entry with this number, counted in the order of paths."""
        columns = self.columns
        return IndexEntry(
            columns.paths[number],
            columns.modes[number],
            columns.kinds[number],
            columns.sizes[number],
            columns.hash_at(number),
            columns.mtimes[number],
            columns.ctimes[number],
            columns.inodes[number],
            columns.disk_sizes[number],
            bool(columns.flags[number] & UNWRITTEN),
        )

    def entries(self) -> Iterator[IndexEntry]:
        """All entries, sorted by path."""
        return map(self.at, range(len(self)))

    def get(self, path: bytes) -> IndexEntry | None:
        """The entry of a path, or None."""
        paths = self.columns.paths
        number = bisect_left(paths, path)
        if number < len(paths) and paths[number] == path:
            return self.at(number)
        return None


def _numbers(columns: Columns) -> list[MutableSequence[int]]:
    """The columns with one number for each file, as they are once they were loosened."""
    found: list[MutableSequence[int]] = [columns.kinds, columns.flags]
    for column in (
        columns.mtimes, columns.ctimes, columns.disk_sizes, columns.inodes, columns.sizes, columns.bits, columns.modes,
    ):  # fmt: skip
        assert isinstance(column, list)
        found.append(column)
    return found


def _has_folder(path: bytes, mode: int) -> bool:
    """Whether an unwritten entry stands on disk as an empty folder, as submodules do."""
    return mode & 0o170000 == 0o160000 and unwritable_reason(path) is None
