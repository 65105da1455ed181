"""Git tree objects: the difference between two trees over raw entries.

Equal subtrees are skipped by id and equal entries by a set difference over their raw bytes, so a
commit costs the trees it touched and not the size of the project.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mic.core.errors import Corrupt, InvalidPath, TooLarge
from mic.core.paths import MAX_PATH
from mic.core.session import Op
from mic.git.tree_entries import DIRECTORY, FORMAT, mode_of, split_tree

# One commit's changes are held at once (about 250 bytes each). The largest public trees have 0.5 million files;
# ten nested levels of ten equal subtrees would otherwise unfold to 10**10.
MAX_CHANGES = 2_000_000
# About 130 bytes an entry: 40 MB of parsed trees.
_CACHED_ENTRIES = 300_000

EMPTY_TREE = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

_WITH_BLOB = frozenset((0o100000, 0o120000))


class TreeDifference(NamedTuple):
    """One path that differs. `mode` and `oid` are the new side's; of a deleted path, the old side's."""

    path: bytes
    op: Op
    mode: int
    oid: bytes


def has_blob(mode: int) -> bool:
    """Whether an entry of this mode names a blob. As in Git, what is no file, link or directory is a gitlink."""
    return mode & FORMAT in _WITH_BLOB


class TreeReader:
    """Parsed trees over `read(oid) -> raw bytes`, with a cache bounded by entries."""

    def __init__(self, read: Callable[[bytes], bytes], *, first_wins: bool = False) -> None:
        """With `first_wins` the first of two entries of one name counts, where a tree holds a name twice."""
        self._read = read
        self._first_wins = first_wins
        self._cache: OrderedDict[bytes, frozenset[bytes]] = OrderedDict()
        self._cached = 0

    def entries(self, oid: bytes) -> frozenset[bytes]:
        """The raw entries of a tree. Raises Corrupt for a malformed one, InvalidPath for names no path can hold."""
        if oid == EMPTY_TREE:
            return frozenset()
        known = self._cache.get(oid)
        if known is not None:
            self._cache.move_to_end(oid)
            return known
        parsed = _path_entries(self._read(oid), oid, first_wins=self._first_wins)
        self._cache[oid] = parsed
        self._cached += len(parsed)
        while self._cached > _CACHED_ENTRIES and len(self._cache) > 1:
            self._cached -= len(self._cache.popitem(last=False)[1])
        return parsed

    def difference(self, old: bytes, new: bytes, limit: int = MAX_CHANGES) -> list[TreeDifference]:
        """What turns tree `old` into tree `new`, sorted by path; a changed type is one MODIFIED. No rename detection.

        A file that becomes a directory is one DELETED and the ADDED files below, and the other way round. Raises
        TooLarge when more than `limit` entries would have to be visited.
        """
        found: list[TreeDifference] = []
        visited = 0
        pending = [(old, new, b"")]
        while pending:
            old_tree, new_tree, prefix = pending.pop()
            if old_tree == new_tree:
                continue
            for path, before, after in self._pairs(old_tree, new_tree, prefix):
                visited += 1
                if visited > limit:
                    raise TooLarge(f"One commit changes more than {limit:,} paths.", hint="Import a smaller history.")
                old_dir = before is not None and before[0] & FORMAT == DIRECTORY
                new_dir = after is not None and after[0] & FORMAT == DIRECTORY
                if old_dir or new_dir:
                    below_old = before[1] if before is not None and old_dir else EMPTY_TREE
                    below_new = after[1] if after is not None and new_dir else EMPTY_TREE
                    pending.append((below_old, below_new, path + b"/"))
                leaf_before = None if old_dir else before
                leaf_after = None if new_dir else after
                if leaf_after is not None:
                    if leaf_after != leaf_before:  # equal when only the spelling of the mode differs
                        op = Op.ADDED if leaf_before is None else Op.MODIFIED
                        found.append(TreeDifference(path, op, *leaf_after))
                elif leaf_before is not None:
                    found.append(TreeDifference(path, Op.DELETED, *leaf_before))
        found.sort()
        return found

    def _pairs(
        self, old: bytes, new: bytes, prefix: bytes
    ) -> Iterator[tuple[bytes, tuple[int, bytes] | None, tuple[int, bytes] | None]]:
        """(path, old (mode, oid), new (mode, oid)) of each differing entry of two trees."""
        old_entries, new_entries = self.entries(old), self.entries(new)
        before = dict(_split(entry, old) for entry in old_entries - new_entries)
        for entry in new_entries - old_entries:
            name, value = _split(entry, new)
            yield _join(prefix, name), before.pop(name, None), value
        for name, value in before.items():
            yield _join(prefix, name), value, None


def _path_entries(raw: bytes, oid: bytes, *, first_wins: bool) -> frozenset[bytes]:
    """The raw entries of a tree whose names can be parts of paths. Raises Corrupt or InvalidPath, naming the tree."""
    entries, names = split_tree(raw, oid)
    distinct = set(names)
    if len(distinct) != len(names):
        if first_wins:
            firsts = dict(zip(reversed(names), reversed(entries), strict=True))
            return _path_entries(b"".join(firsts.values()), oid, first_wins=False)
        raise Corrupt(f"Git tree {oid.hex()} holds the same name twice.", hint="`git fsck` names the damage.")
    bad = distinct & {b".", b".."} or {name for name in names if b"/" in name}
    if bad:
        name = min(bad)
        raise InvalidPath(
            f"Git tree {oid.hex()} holds the name {name!r}, which no path can contain.",
            hint="The name has to be rewritten in the Git repository first.",
            name=name,
        )
    return frozenset(entries)


def _split(entry: bytes, tree: bytes) -> tuple[bytes, tuple[int, bytes]]:
    digits, _, name = entry[:-21].partition(b" ")
    return name, (mode_of(digits, tree), entry[-20:])


def _join(prefix: bytes, name: bytes) -> bytes:
    path = prefix + name
    if len(path) > MAX_PATH:
        raise InvalidPath(
            f"A path of {len(path):,} bytes is longer than {MAX_PATH:,}: {path[:60]!r}...",
            hint="The path has to be shortened in the Git repository first.",
            path=path,
        )
    return path
