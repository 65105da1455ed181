"""What landing means, said again naively: plain dictionaries and lists, nothing of the production code.

A text here always has the same number of lines, and a line begins with its number, so that a line-by-line
comparison *is* the minimal difference and a merge can be decided without an algorithm for differences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

REGULAR, EXECUTABLE, LINK = 0o100644, 0o100755, 0o120000


class File(NamedTuple):
    """A file: Git's mode and the whole content."""

    mode: int
    data: bytes

    @property
    def hash(self) -> bytes:
        """SHA-256 of the content."""
        return hashlib.sha256(self.data).digest()


Files = dict[bytes, File]
Edits = dict[bytes, File | None]


class Sent(NamedTuple):
    """A session as a client sends it: what it wants, what it says its base held, what it does not send along."""

    id: bytes
    base: int
    wants: Mapping[bytes, File | None]
    claims: Mapping[bytes, File | None]
    unsent: frozenset[bytes] = frozenset()  # contents that the project should have already
    packed: bool = False  # contents are uploaded before


class Decided(NamedTuple):
    """What must become of a session: edits, or clashes by path, or the code of the error."""

    edits: Edits
    clashes: dict[bytes, str]
    refused: str = ""


class Model:
    """The history as it must be: `sessions[n - 1]` landed at n, `edits[n - 1]` made `trees[n]` of the tree before."""

    def __init__(self) -> None:
        self.trees: list[Files] = [{}]
        self.edits: list[Edits] = []
        self.sessions: list[bytes] = []
        self.positions: dict[bytes, int] = {}
        self.clock = 0
        self.contents: dict[bytes, int] = {}  # content -> position from which the project has it

    @property
    def head(self) -> int:
        """The newest position."""
        return len(self.sessions)

    def decide(self, sent: Sent, head: int) -> Decided:
        """What must become of a session that meets the head at position `head`."""
        if sent.base > head:
            return Decided({}, {}, "invalid_input")
        base, now = self.trees[sent.base], self.trees[head]
        if any(sent.claims.get(path) != base.get(path) for path in sent.wants):
            return Decided({}, {}, "base_mismatch")
        if any(self.contents.get(data, head + 1) > head for data in sent.unsent):
            return Decided({}, {}, "invalid_input")
        edits: Edits = {}
        clashes: dict[bytes, str] = {}
        for path, mine in sent.wants.items():
            old, theirs = base.get(path), now.get(path)
            if theirs == old:
                edits[path] = mine
            elif theirs != mine:
                merged = merge(old, mine, theirs)
                if merged is None:
                    clashes[path] = "changed"
                    continue
                edits[path] = merged
            if mine is not None and theirs is None and (reason := _shadow(path, sent.wants, now)):
                clashes[path] = reason
        return Decided({}, clashes) if clashes else Decided(edits, {})

    def append(self, session: bytes, edits: Edits, uploaded: frozenset[bytes] = frozenset()) -> None:
        """The next landing."""
        files = dict(self.trees[-1])
        for path, file in edits.items():
            if file is None:
                files.pop(path, None)
            else:
                files[path] = file
        self.trees.append(files)
        self.edits.append(dict(edits))
        self.sessions.append(session)
        self.positions[session] = self.head
        for data in [file.data for file in edits.values() if file is not None] + sorted(uploaded):
            self.contents.setdefault(data, self.head)


def _shadow(path: bytes, wants: Mapping[bytes, File | None], now: Files) -> str:
    """Why a new file cannot stand beside the files that are there and stay."""
    stays = [name for name in now if wants.get(name, now[name]) is not None]
    if any(path.startswith(name + b"/") for name in stays):
        return "directory_over_file"
    if any(name.startswith(path + b"/") for name in stays):
        return "file_over_directory"
    return ""


def merge(old: File | None, mine: File | None, theirs: File | None) -> File | None:
    """Both sides changed a file: the merged one, or None."""
    if old is None or mine is None or theirs is None:
        return None
    if LINK in (old.mode, mine.mode, theirs.mode) and not old.mode == mine.mode == theirs.mode:
        return None
    mode = mine.mode if theirs.mode == old.mode else theirs.mode
    if mine.data == theirs.data or theirs.data == old.data:
        return File(mode, mine.data)
    if mine.data == old.data:
        return File(mode, theirs.data)
    if LINK in (old.mode, mine.mode, theirs.mode):
        return None
    merged = merge_lines(old.data, mine.data, theirs.data)
    return None if merged is None else File(mode, merged)


def merge_lines(old: bytes, mine: bytes, theirs: bytes) -> bytes | None:
    """Three texts of equally many lines. Lines changed by anybody form blocks; in a block only one side may differ."""
    rows = list(zip(old.splitlines(True), mine.splitlines(True), theirs.splitlines(True), strict=True))
    out: list[bytes] = []
    for _, block in groupby(rows, key=lambda row: row[0] == row[1] == row[2]):
        lines = list(block)
        before, ours, others = ([row[side] for row in lines] for side in range(3))
        if ours == others or others == before:
            out += ours
        elif ours == before:
            out += others
        else:
            return None
    return b"".join(out)
