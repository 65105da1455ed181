"""Git objects as values: what commits and tags name, and trees with files changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mic.core.errors import Corrupt
from mic.git.commits import parse_links
from mic.git.packentry import COMMIT, TAG, TREE, object_id
from mic.git.packindex import CommitLine
from mic.git.tree_entries import TreeEntry, parse_tree

EMPTY_TREE_OID = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
_COMMITTER = re.compile(rb"^committer [^\n]*?(-?\d{1,18})(?: [+-]\d+)?$", re.M)
_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\n")
_KINDS = {b"commit": COMMIT, b"tree": TREE, b"blob": 3, b"tag": TAG}


def commit_line(oid: bytes, raw: bytes) -> CommitLine:
    """Tree, parents and committer's date of a commit. Raises Corrupt when its first lines are malformed."""
    links = parse_links(raw, oid)
    found = _COMMITTER.search(raw, 0, raw.find(b"\n\n") if b"\n\n" in raw else len(raw))
    seconds = int(found[1]) if found else 0
    return CommitLine(oid, links.tree, links.parents, max(-(1 << 62), min(seconds, 1 << 62)))


def tag_target(oid: bytes, raw: bytes) -> tuple[bytes, int]:
    """(id, type) of what an annotated tag names. Raises Corrupt."""
    found = _TAG.match(raw)
    if found is None:
        raise Corrupt(f"Git tag {oid.hex()} is malformed.", hint="`git fsck` names the damage.")
    return bytes.fromhex(found[1].decode()), _KINDS[found[2]]


Wanted = Mapping[bytes, tuple[int, bytes] | None]


class EditedTree(NamedTuple):
    """A tree that was made: its id and bytes, and the version of the same directory before, b"" for none."""

    oid: bytes
    raw: bytes
    before: bytes


def edit_trees(
    read: Callable[[bytes], bytes], root: bytes | None, changes: Wanted, made: list[EditedTree]
) -> bytes | None:
    """The id of the tree `root` with files changed: path -> (mode, id), or None to remove. None when nothing is left.

    Appends each tree that is new to `made`, those below before those above. A path whose directory was a file, or the
    other way round, replaces it. Trees are spelled as Git spells them: sorted, modes without leading zeros.
    """
    here: dict[bytes, dict[bytes, tuple[int, bytes] | None]] = {b"": {}}
    for path, value in changes.items():
        directory, _, name = path.rpartition(b"/")
        here.setdefault(directory, {})[name] = value
        while directory and (directory := directory.rpartition(b"/")[0]) not in here:
            here[directory] = {}
    # By depth, not by recursion: a path may have thousands of parts.
    downwards = sorted(here, key=lambda directory: directory.count(b"/") + bool(directory))
    before: dict[bytes, tuple[bytes, bytes, dict[bytes, TreeEntry]]] = {}
    for directory in downwards:
        oid = root
        if directory:
            above, _, name = directory.rpartition(b"/")
            known = before[above][2].get(name)
            oid = known.oid if known is not None and known.is_tree else None
        raw = read(oid) if oid else b""
        before[directory] = oid or b"", raw, {entry.name: entry for entry in parse_tree(raw, oid or b"")}
    result: bytes | None = None
    below: dict[bytes, dict[bytes, bytes | None]] = {}
    for directory in reversed(downwards):
        oid, old, entries = before[directory]
        _apply(entries, below.pop(directory, {}), here[directory])
        result = _written(oid, old, entries, made)
        if directory:
            above, _, name = directory.rpartition(b"/")
            below.setdefault(above, {})[name] = result
    return result


def _apply(
    entries: dict[bytes, TreeEntry],
    trees: Mapping[bytes, bytes | None],
    files: Mapping[bytes, tuple[int, bytes] | None],
) -> None:
    for name, oid in trees.items():
        if oid is not None:
            entries[name] = TreeEntry(b"40000", name, oid)
        elif name in entries and entries[name].is_tree:
            del entries[name]
    for name, value in files.items():
        if value is not None:
            entries[name] = TreeEntry(b"%o" % value[0], name, value[1])
        elif name in entries and not entries[name].is_tree:
            del entries[name]


def _written(before: bytes, old: bytes, entries: Mapping[bytes, TreeEntry], made: list[EditedTree]) -> bytes | None:
    if not entries:
        return None
    ordered = sorted(entries.values(), key=lambda entry: entry.name + b"/" if entry.is_tree else entry.name)
    raw = b"".join(b"%s %s\x00%s" % entry for entry in ordered)
    if raw == old:
        return before
    oid = object_id(TREE, raw)
    made.append(EditedTree(oid, raw, before))
    return oid
