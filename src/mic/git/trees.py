"""Git tree objects: parsing, and the difference between two trees over raw entries.

Equal subtrees are skipped by id and equal entries by a set difference over their raw bytes, so a
commit costs the trees it touched and not the size of the project.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mic.core.errors import Corrupt, InvalidPath, TooLarge
from mic.core.paths import MAX_PATH
from mic.core.session import Op

# One commit's changes are held at once (about 250 bytes each). The largest public trees have 0.5 million files;
# ten nested levels of ten equal subtrees would otherwise unfold to 10**10.
MAX_CHANGES = 2_000_000
# About 130 bytes an entry: 40 MB of parsed trees.
_CACHED_ENTRIES = 300_000

EMPTY_TREE = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

_ENTRY = re.compile(rb"[0-7]+ [^\0]*\0.{20}", re.S)
_NAME = re.compile(rb"[0-7]+ ([^\0]*)\0.{20}", re.S)

_FORMAT = 0o170000
_DIRECTORY = 0o040000
_WITH_BLOB = frozenset((0o100000, 0o120000))


class TreeDifference(NamedTuple):
    """One path that differs. `mode` and `oid` are the new side's; of a deleted path, the old side's."""

    path: bytes
    op: Op
    mode: int
    oid: bytes


def has_blob(mode: int) -> bool:
    """Whether an entry of this mode names a blob. As in Git, what is no file, link or directory is a gitlink."""
    return mode & _FORMAT in _WITH_BLOB


class TreeReader:
    """Parsed trees over `read(oid) -> raw bytes`, with a cache bounded by entries."""

    def __init__(self, read: Callable[[bytes], bytes]) -> None:
        self._read = read
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
        parsed = parse_tree(self._read(oid), oid)
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
                old_dir = before is not None and before[0] & _FORMAT == _DIRECTORY
                new_dir = after is not None and after[0] & _FORMAT == _DIRECTORY
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
        before = dict(_split(entry) for entry in old_entries - new_entries)
        for entry in new_entries - old_entries:
            name, value = _split(entry)
            yield _join(prefix, name), before.pop(name, None), value
        for name, value in before.items():
            yield _join(prefix, name), value, None


def parse_tree(raw: bytes, oid: bytes) -> frozenset[bytes]:
    """The entries of a raw tree, each `mode SP name NUL id`. Raises Corrupt or InvalidPath, naming the tree."""
    entries = _ENTRY.findall(raw)
    if sum(map(len, entries)) != len(raw):
        raise Corrupt(f"Git tree {oid.hex()} is malformed.", hint="`git fsck` names the damage.")
    names = _NAME.findall(raw)
    distinct = set(names)
    if len(distinct) != len(names):
        raise Corrupt(f"Git tree {oid.hex()} holds the same name twice.", hint="`git fsck` names the damage.")
    bad = distinct & {b"", b".", b".."} or {name for name in names if b"/" in name}
    if bad:
        name = min(bad)
        raise InvalidPath(
            f"Git tree {oid.hex()} holds the name {name!r}, which no path can contain.",
            hint="The name has to be rewritten in the Git repository first.",
            name=name,
        )
    return frozenset(entries)


def _split(entry: bytes) -> tuple[bytes, tuple[int, bytes]]:
    head = entry[:-21]
    digits, _, name = head.partition(b" ")
    mode = int(digits[-12:], 8)
    if mode > 0xFFFF:
        raise Corrupt(f"A Git tree gives {name!r} the mode {mode:o}.", hint="`git fsck` names the damage.")
    return name, (mode, entry[-20:])


def _join(prefix: bytes, name: bytes) -> bytes:
    path = prefix + name
    if len(path) > MAX_PATH:
        raise InvalidPath(
            f"A path of {len(path):,} bytes is longer than {MAX_PATH:,}: {path[:60]!r}...",
            hint="The path has to be shortened in the Git repository first.",
            path=path,
        )
    return path
