"""Whether a tree of mic and a tree of Git hold the same: what an import looks at before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

from mic.core.errors import Corrupt
from mic.core.paths import display
from mic.core.tree import Entry
from mic.git.objects import EMPTY_TREE_OID
from mic.git.packs import Packs
from mic.git.tree_entries import parse_tree
from mic.git.trees import has_blob


def same_tree(entries: Iterable[Entry], packs: Packs, tree: bytes, tick: Callable[[], None]) -> None:
    """Compare paths, modes and sizes, both sorted by path. Raises Corrupt, naming the first path that differs."""
    for ours, theirs in zip_longest(entries, _files(packs, tree)):
        tick()
        found = None if ours is None else (ours.path, ours.mode, ours.size)
        if found != theirs:
            path = min(item[0] for item in (found, theirs) if item is not None)
            raise Corrupt(
                f"{display(path)} is not in the newest landing as it is in the Git tree {tree.hex()[:12]}.",
                hint="Nothing was imported. This is a fault of the forge; whoever runs it wants to know of it.",
            )


def _files(packs: Packs, tree: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(path, mode, size) of everything below a tree; the first of two entries of one name counts."""
    stack: list[tuple[bytes, int, bytes]] = [(b"", 0o040000, tree)]
    while stack:
        path, mode, oid = stack.pop()
        if mode & 0o170000 != 0o040000:
            yield path, mode, packs.require(oid).size if has_blob(mode) else 40
            continue
        raw = b"" if oid == EMPTY_TREE_OID else packs.tree(oid)
        found: dict[bytes, tuple[bytes, int, bytes]] = {}
        for entry in parse_tree(raw, oid):
            at = path + b"/" + entry.name if path else entry.name
            found.setdefault(entry.name, (at, int(entry.digits, 8), entry.oid))
        # Folders sort as if their names ended in a slash.
        below = sorted(found.values(), key=lambda item: item[0] + b"/" * (item[1] & 0o170000 == 0o040000))
        stack += reversed(below)
