"""The entries of a raw Git tree: mode, blank, name, NUL, 20 bytes of id, one behind the other.

The one place where a tree is read. Git's own rules (tree-walk.c): a mode of octal digits, a name that is not empty.
Read once through, whatever the bytes are: what can be read no further is taken as a whole, and not searched again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mic.core.errors import Corrupt
from mic.git.packentry import BLOB, TREE

GITLINK, DIRECTORY = 0o160000, 0o040000
FORMAT = 0o170000

# The last alternative takes all that is left behind the last entry that can be read; its groups are empty.
_ENTRY = re.compile(rb"[0-7]++ [^\0]++\0[\s\S]{20}|[\s\S]++")
_NAME = re.compile(rb"[0-7]++ ([^\0]++)\0[\s\S]{20}|[\s\S]++")
_PARTS = re.compile(rb"([0-7]++) ([^\0]++)\0([\s\S]{20})|[\s\S]++")
# What Git holds in a mode; its own are of at most six digits.
_WIDEST = 0xFFFF


class TreeEntry(NamedTuple):
    """One entry of a Git tree: `digits` are the mode as it is spelled."""

    digits: bytes
    name: bytes
    oid: bytes

    @property
    def is_tree(self) -> bool:
        return int(self.digits, 8) & FORMAT == DIRECTORY

    @property
    def is_gitlink(self) -> bool:
        return int(self.digits, 8) & FORMAT == GITLINK


def parse_tree(raw: bytes, oid: bytes) -> list[TreeEntry]:
    """The entries of a tree in their order. Raises Corrupt, naming the tree, when its bytes are no tree."""
    return [TreeEntry(*part) for part in kinds_of(raw, oid)[1]]


def readable_entries(raw: bytes) -> tuple[list[tuple[bytes, bytes, bytes]], bool]:
    """(mode as spelled, name, id) of each entry up to the first that cannot be read, and whether that was the end."""
    parts = _PARTS.findall(raw)
    readable = not parts or bool(parts[-1][0])
    return parts if readable else parts[:-1], readable


def kinds_of(raw: bytes, oid: bytes) -> tuple[dict[bytes, int], list[tuple[bytes, bytes, bytes]]]:
    """(type of what each spelling of a mode in the tree names, 0 for a submodule; its entries). Raises Corrupt."""
    parts, readable = readable_entries(raw)
    if not readable:
        raise _malformed(oid, sum(len(digits) + len(name) + 22 for digits, name, _ in parts))
    return kinds_in(parts, oid)


def kinds_in(
    parts: list[tuple[bytes, bytes, bytes]], oid: bytes
) -> tuple[dict[bytes, int], list[tuple[bytes, bytes, bytes]]]:
    """As `kinds_of`, of entries that were read. Raises Corrupt."""
    kinds = {}
    for digits in {digits for digits, _, _ in parts}:
        form = mode_of(digits, oid) & FORMAT
        kinds[digits] = 0 if form == GITLINK else TREE if form == DIRECTORY else BLOB
    return kinds, parts


def split_tree(raw: bytes, oid: bytes) -> tuple[list[bytes], list[bytes]]:
    """The entries of a tree as they are, and their names, for whoever compares trees. Raises Corrupt."""
    names = _NAME.findall(raw)
    entries = _ENTRY.findall(raw)
    if names and not names[-1]:
        raise _malformed(oid, sum(map(len, entries[:-1])))
    return entries, names


def mode_of(digits: bytes, oid: bytes) -> int:
    """A mode as a number. Raises Corrupt for one of more than 16 bits."""
    significant = digits.lstrip(b"0")
    mode = int(significant[:7] or b"0", 8)
    if mode > _WIDEST:
        raise Corrupt(
            f"Git tree {oid.hex()} gives an entry the mode {digits[:20].decode('ascii')}.",
            hint="`git fsck` names the damage.",
        )
    return mode


def _malformed(oid: bytes, at: int) -> Corrupt:
    return Corrupt(f"Git tree {oid.hex()} is malformed at byte {at:,}.", hint="`git fsck` names the damage.")
