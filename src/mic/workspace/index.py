"""The index as records: one `IndexEntry` for each file of the tree that the working copy stands on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from mic.core.paths import unwritable_reason
from mic.workspace.columns import UNWRITTEN, Columns, disk_bits, parents


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
        columns = Columns()
        columns.clock = clock
        ordered = sorted(entries)
        columns.paths = [entry.path for entry in ordered]
        columns.mtimes.extend(entry.mtime_ns for entry in ordered)
        columns.ctimes.extend(entry.ctime_ns for entry in ordered)
        columns.disk_sizes.extend(entry.disk_size for entry in ordered)
        columns.inodes.extend(entry.inode for entry in ordered)
        columns.sizes.extend(entry.size for entry in ordered)
        columns.modes.extend(entry.mode for entry in ordered)
        columns.bits.extend(disk_bits(entry.mode) for entry in ordered)
        columns.kinds = bytearray(entry.kind for entry in ordered)
        columns.flags = bytearray(UNWRITTEN if entry.unwritten else 0 for entry in ordered)
        columns.hashes = b"".join([entry.hash for entry in ordered])
        columns.dirs = parents([entry.path for entry in ordered if not entry.unwritten or _has_folder(entry)])
        columns.dir_ctimes.extend(0 for _ in columns.dirs)
        assert len(columns.hashes) == 32 * len(ordered)
        return Index(columns)

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


def _has_folder(entry: IndexEntry) -> bool:
    """Whether an unwritten entry stands on disk as an empty folder, as submodules do."""
    return entry.mode & 0o170000 == 0o160000 and unwritable_reason(entry.path) is None
