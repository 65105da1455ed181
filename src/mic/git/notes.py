"""Git notes: a commit whose tree names a text for each object that is annotated (gitrepository-layout, git-notes).

An entry's path is the 40 digits of the object's id, with slashes behind pairs of them; how many is left to the writer.
What has another form is no note, and Git passes over it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mic.core.errors import Corrupt, NotFound, TooLarge
from mic.git.objects import commit_line
from mic.git.packentry import BLOB, COMMIT
from mic.git.packs import Packs
from mic.git.tree_entries import parse_tree

MAX_NOTES = 1_000_000
_DIGITS = re.compile(rb"[0-9a-f]{2,40}")
_DIGITS_OF_ID = 40


def is_notes(packs: Packs, oid: bytes) -> bool:
    """Whether an object is a commit with a tree that can be read as notes."""
    found = packs.find(oid)
    if found is None or found.kind != COMMIT:
        return False
    try:
        return bool(read_notes(packs, oid)) or packs.tree(commit_line(oid, packs.read(oid, COMMIT)[1]).tree) == b""
    except (Corrupt, NotFound, TooLarge):
        return False


def read_notes(packs: Packs, oid: bytes) -> dict[bytes, bytes]:
    """The notes of a commit: the id of the object that is annotated -> the id of the text. Raises Corrupt, TooLarge."""
    notes: dict[bytes, bytes] = {}
    todo = [(b"", commit_line(oid, packs.read(oid, COMMIT)[1]).tree)]
    while todo:
        digits, tree = todo.pop()
        for entry in parse_tree(packs.tree(tree), tree):
            path = digits + entry.name
            if len(path) > _DIGITS_OF_ID or not _DIGITS.fullmatch(entry.name):
                continue
            if entry.is_tree:
                if len(path) < _DIGITS_OF_ID:
                    todo.append((path, entry.oid))
            elif len(path) == _DIGITS_OF_ID:
                notes[bytes.fromhex(path.decode())] = entry.oid
            if len(notes) + len(todo) > MAX_NOTES:
                raise TooLarge(f"The notes of {oid.hex()} are more than {MAX_NOTES:,}.")
    return notes


def objects_of(packs: Packs, oid: bytes) -> set[bytes]:
    """What a commit of notes consists of: itself, its trees and texts; of its history nothing. Raises Corrupt."""
    tree = commit_line(oid, packs.read(oid, COMMIT)[1]).tree
    found, todo = {oid}, [tree]
    while todo:
        now = todo.pop()
        if now not in found and packs.has(now):
            found.add(now)
            for entry in parse_tree(packs.tree(now), now):
                if entry.is_tree:
                    todo.append(entry.oid)
                else:
                    found.add(entry.oid)
            if len(found) > MAX_NOTES:
                raise TooLarge(f"The notes of {oid.hex()} are more than {MAX_NOTES:,}.")
    return found


def note_path(oid: bytes) -> bytes:
    """Where the forge's own notes have that of an object: one slash, as Git writes them while they are some hundred."""
    digits = oid.hex().encode()
    return digits[:2] + b"/" + digits[2:]


def read_text(packs: Packs, oid: bytes, limit: int) -> bytes:
    """The text of a note. Raises TooLarge, NotFound, Corrupt."""
    found = packs.require(oid)
    if found.size > limit:
        raise TooLarge(f"The note {oid.hex()} has {found.size:,} bytes; the limit is {limit:,}.")
    return packs.read(oid, BLOB)[1]


class Notes:
    """The notes of one commit, read when first asked. `tip` may be b"": then there are none."""

    def __init__(self, packs: Packs, tip: bytes, limit: int) -> None:
        self._packs, self._tip, self._limit = packs, tip, limit
        self._known: Mapping[bytes, bytes] | None = None

    def of(self, oid: bytes) -> bytes:
        """The note of an object, b"" when it has none that can be read."""
        if not self._tip:
            return b""
        if self._known is None:
            try:
                self._known = read_notes(self._packs, self._tip)
            except (Corrupt, NotFound, TooLarge):
                self._known = {}
        text = self._known.get(oid)
        if text is None:
            return b""
        try:
            return read_text(self._packs, text, self._limit)
        except (Corrupt, NotFound, TooLarge):
            return b""
