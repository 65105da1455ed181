"""What landing means, said again naively: plain dictionaries and lists, nothing of the production code.

A text here always has the same number of lines, and a line begins with its number, so that a line-by-line
comparison *is* the minimal difference and a merge can be decided without an algorithm for differences.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
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


class Tree:
    """The files at a position. Looked up path by path: ten thousand landings are not ten thousand copies."""

    def __init__(self, model: Model, position: int) -> None:
        self._model, self.position = model, position

    def get(self, path: bytes) -> File | None:
        """The file of that path."""
        versions = self._model.versions.get(path)
        if not versions:
            return None
        at = bisect_right(versions, self.position, key=lambda version: version[0])
        return versions[at - 1][1] if at else None

    def whole(self) -> Files:
        """All of it."""
        files = {path: self.get(path) for path in self._model.versions}
        return {path: file for path, file in files.items() if file is not None}

    def below(self, directory: bytes) -> Iterator[bytes]:
        """The paths of files below a directory."""
        return (path for path in self._model.below.get(directory, ()) if self.get(path) is not None)


class Model:
    """The history as it must be: `sessions[n - 1]` landed at n; `versions` say when a path became what."""

    def __init__(self) -> None:
        self.versions: dict[bytes, list[tuple[int, File | None]]] = {}
        self.below: dict[bytes, dict[bytes, None]] = {}  # every path that there ever was below a directory
        self.sessions: list[bytes] = []
        self.positions: dict[bytes, int] = {}
        self.clock = 0
        self.contents: dict[bytes, int] = {}  # content -> position from which the project has it

    @property
    def head(self) -> int:
        """The newest position."""
        return len(self.sessions)

    def begin_at(self, origin: Model, position: int, clock: int) -> None:
        """Be what another project was at a position; whatever it lands later is not seen here."""
        self.sessions = list(origin.sessions[:position])
        for path, versions in origin.versions.items():
            for at, file in versions:
                if at <= position:
                    self._becomes(path, at, file)
        self.positions = {session: at for session, at in origin.positions.items() if at <= position}
        self.contents = {data: at for data, at in origin.contents.items() if at <= position}
        self.clock = clock

    def at(self, position: int) -> Tree:
        """The files at a position."""
        return Tree(self, position)

    def touched(self, path: bytes, position: int) -> int:
        """The newest landing up to a position that changed a path; 0 when none did."""
        return max((at for at, _ in self.versions.get(path, ()) if at <= position), default=0)

    def decide(self, sent: Sent, head: int) -> Decided:
        """What must become of a session that meets the head at position `head`."""
        if sent.base > head:
            return Decided({}, {}, "invalid_input")
        base, now = self.at(sent.base), self.at(head)
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
        self.sessions.append(session)
        for path, file in edits.items():
            self._becomes(path, self.head, file)
        self.positions[session] = self.head
        for data in [file.data for file in edits.values() if file is not None] + sorted(uploaded):
            self.contents.setdefault(data, self.head)

    def _becomes(self, path: bytes, position: int, file: File | None) -> None:
        if path not in self.versions:
            for directory in _above(path):
                self.below.setdefault(directory, {})[path] = None
        self.versions.setdefault(path, []).append((position, file))


def _above(path: bytes) -> list[bytes]:
    """The directories that a path is in."""
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]


def _shadow(path: bytes, wants: Mapping[bytes, File | None], now: Tree) -> str:
    """Why a new file cannot stand beside the files that are there and stay."""
    if any(now.get(name) is not None and wants.get(name, now.get(name)) is not None for name in _above(path)):
        return "directory_over_file"
    if any(wants.get(name, now.get(name)) is not None for name in now.below(path)):
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
