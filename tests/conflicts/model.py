"""The conflict check said with whole trees in dictionaries, after docs/architecture.md and docs/users/conflicts.md.

Nothing of the product is imported, and no algorithm for differences is needed: every line of a text begins with a
number of its own and the numbers rise, so what two texts have in common is the set of lines that stand in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

REGULAR, EXECUTABLE, GROUP_WRITABLE, LINK, GITLINK = 0o100644, 0o100755, 0o100664, 0o120000, 0o160000
BINARY_SEARCH = 8000  # bytes in which a NUL makes a content binary

File = tuple[int, bytes]  # Git's mode and the whole content
Tree = dict[bytes, File]
Wants = Mapping[bytes, File | None]  # what a session wants its paths to be; None: deleted


class Clash(NamedTuple):
    """Why a path cannot land, whose file is in the way, and the position that put it there (0: none since the base)."""

    reason: str
    theirs: bytes
    position: int


class Judged(NamedTuple):
    """What a session becomes: the edits that it lands with, or clashes by path, or the code of a refusal."""

    edits: dict[bytes, File | None]
    clashes: dict[bytes, Clash]
    refused: str = ""


class Differ(Exception):
    """Both sides changed the same thing differently."""


class History:
    """`trees[n]` stands after landing n, which made `edits[n]`."""

    def __init__(self) -> None:
        self.trees: list[Tree] = [{}]
        self.edits: list[Wants] = [{}]

    def judge(self, base: int, wants: Wants, claims: Wants) -> Judged:
        """What becomes of a session that says that its paths were as `claims` at position `base`."""
        if any(above in wants and wants[above] for path, file in wants.items() if file for above in _above(path)):
            return Judged({}, {}, "invalid_input")
        old, now = self.trees[base], self.trees[-1]
        if any(claims[path] != old.get(path) for path in wants):
            return Judged({}, {}, "base_mismatch")
        stays = sorted(path for path in now if wants.get(path, now[path]) is not None)
        edits: dict[bytes, File | None] = {}
        clashes: dict[bytes, Clash] = {}
        for path, mine in wants.items():
            try:
                if now.get(path) != mine or old.get(path) == mine:
                    edits[path] = three_way(old.get(path), mine, now.get(path))
            except Differ:
                clashes[path] = Clash("changed", path, self._last(path, base))
                continue
            if mine is not None and path not in now:
                clashes.update(self._shadowed(path, stays, base))
        return Judged({}, clashes) if clashes else Judged(edits, {})

    def _shadowed(self, path: bytes, stays: Sequence[bytes], base: int) -> dict[bytes, Clash]:
        """A new file cannot lie below a file, nor where a directory is; both with regard to what stays."""
        for reason, found in (
            ("directory_over_file", [other for other in stays if path.startswith(other + b"/")]),
            ("file_over_directory", [other for other in stays if other.startswith(path + b"/")]),
        ):
            if found:
                return {path: Clash(reason, found[0], self._last(found[0], base))}
        return {}

    def _last(self, path: bytes, base: int) -> int:
        """The newest landing after the base that changed a path."""
        return max((n for n in range(base + 1, len(self.edits)) if path in self.edits[n]), default=0)

    def append(self, edits: Wants) -> None:
        """The next landing."""
        changed = self.trees[-1] | edits
        self.trees.append({path: file for path, file in changed.items() if file is not None})
        self.edits.append(edits)


def _above(path: bytes) -> list[bytes]:
    return [path[:at] for at in range(len(path)) if path[at : at + 1] == b"/"]


def three_way(old: File | None, mine: File | None, theirs: File | None) -> File | None:
    """What a file becomes that both sides may have changed; raises Differ."""
    if theirs in (old, mine):
        return mine
    if old is None or mine is None or theirs is None:
        raise Differ
    modes, contents = (old[0], mine[0], theirs[0]), (old[1], mine[1], theirs[1])
    if len({mode >> 12 for mode in modes}) > 1:
        raise Differ  # a link and a file have nothing in common
    mode = _one_of(*modes)
    if contents[2] in contents[:2] or contents[1] == contents[0]:
        return mode, _one_of(*contents)
    if modes[0] >> 12 != REGULAR >> 12 or any(b"\x00" in content[:BINARY_SEARCH] for content in contents):
        raise Differ
    return mode, b"".join(merge_lines(*map(_lines, contents)))


def _one_of(old: int | bytes, mine: int | bytes, theirs: int | bytes) -> int | bytes:
    if theirs in (old, mine):
        return mine
    if mine == old:
        return theirs
    raise Differ


def _lines(text: bytes) -> list[bytes]:
    lines = text.splitlines(keepends=True)
    numbers = [line[:4] for line in lines]
    assert numbers == sorted(set(numbers)), "the numbers of lines rise"
    return lines


def merge_lines(old: Sequence[bytes], mine: Sequence[bytes], theirs: Sequence[bytes]) -> list[bytes]:
    """Between two lines that nobody touched only one side may differ, or both in the same way; raises Differ."""
    untouched = set(old) & set(mine) & set(theirs)
    merged: list[bytes] = []
    for before, ours, others in zip(*(_stretches(lines, untouched) for lines in (old, mine, theirs)), strict=True):
        # The untouched line that ends a stretch is the same on all sides and decides nothing.
        if others in (before, ours):
            merged += ours
        elif ours == before:
            merged += others
        else:
            raise Differ
    return merged


def _stretches(lines: Sequence[bytes], untouched: set[bytes]) -> list[list[bytes]]:
    """The lines up to and with each untouched one, and those behind the last."""
    stretches: list[list[bytes]] = [[]]
    for line in lines:
        stretches[-1].append(line)
        if line in untouched:
            stretches.append([])
    return stretches
