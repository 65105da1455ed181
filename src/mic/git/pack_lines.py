"""What the commits of some packs name, looked up in the indexes: whoever reads a history once need not hold it.

A line costs twelve bytes here, where one of `Graph` that is held takes some three hundred, and a search each time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence

from mic.git.packindex import CommitLine, PackIndex


class PackLines(Mapping[bytes, CommitLine]):
    """The commits of `indexes` by id, beside those that are `known`."""

    def __init__(self, known: Mapping[bytes, CommitLine], indexes: Sequence[PackIndex]) -> None:
        self._known = known
        self._tables = [(index, *_rows(index)) for index in indexes]

    def __getitem__(self, oid: bytes) -> CommitLine:
        found = self.get(oid)
        if found is None:
            raise KeyError(oid)
        return found

    def get(self, oid: bytes, default: CommitLine | None = None) -> CommitLine | None:  # type: ignore[override]
        """The line of a commit, `default` when there is none."""
        found = self._known.get(oid)
        if found is not None:
            return found
        for index, rows, parents in self._tables:
            number = index.find(oid)
            if number is not None and rows[number]:
                return index.commit(rows[number] - 1, parents[number])
        return default

    def __contains__(self, oid: object) -> bool:
        return isinstance(oid, bytes) and self.get(oid) is not None

    def __iter__(self) -> Iterator[bytes]:
        yield from self._known
        for index, _, _ in self._tables:
            for line in index.commits():
                if line.oid not in self._known:
                    yield line.oid

    def __len__(self) -> int:
        return len(self._known) + sum(index.commit_count for index, _, _ in self._tables)


def _rows(index: PackIndex) -> tuple[array[int], array[int]]:
    """By the number of an object: one more than the place of its line among the pack's, and of its first parent."""
    rows, parents = array("I", bytes(4 * index.count)), array("I", bytes(4 * index.count))
    first = 0
    for row, (number, count) in enumerate(index.commit_numbers(), 1):
        rows[number], parents[number] = row, first
        first += count
    return rows, parents
