"""Which landing each line of a file came with: the lines that are still looked for, and the answer.

A file is followed from its newest version to older ones. What of a version's lines an older one has too goes on to
be looked for there; what it lacks came with the version. One number a line, so that a step over 10,000 lines copies
slices and looks at nothing but what changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mic.core.linediff import Opcode

_NOT_OURS = -1


class Origin(NamedTuple):
    """The landing that a line came with, and the path that the file had there.

    Not `settled`: the line stood there at that landing already, and nobody has looked further back. `alike`: the way
    there leads through a file that resembled what a landing put in its place, and nothing says that it was moved.
    """

    position: int
    path: bytes
    settled: bool = True
    alike: bool = False


class Hunk(NamedTuple):
    """So many lines from `start` on, which are lines `line` and following of their origin's version; all from 0."""

    start: int
    lines: int
    origin: Origin
    line: int


class Blame(NamedTuple):
    """For each line of a version the number of its origin, and the line's own number there, from 0."""

    origins: tuple[Origin, ...]
    origin: array[int]
    line: array[int]

    @property
    def unsettled(self) -> Origin | None:
        """Where the lines stand that nobody looked for any further; a blame has one such place at most."""
        return next((origin for origin in self.origins if not origin.settled), None)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 8 * len(self.line) + sum(80 + len(origin.path) for origin in self.origins)

    def hunks(self, first: int = 0, stop: int | None = None) -> Iterator[Hunk]:
        """Lines `first` up to `stop` (the end), neighbours of one origin that are neighbours there too together."""
        last = len(self.line) if stop is None else min(stop, len(self.line))
        start = first
        for at in range(first + 1, last + 1):
            if at == last or self.origin[at] != self.origin[at - 1] or self.line[at] != self.line[at - 1] + 1:
                yield Hunk(start, at - start, self.origins[self.origin[start]], self.line[start])
                start = at

    def fits(self, lines: int, position: int) -> bool:
        """Whether this can be the blame of a version with so many lines that came with a landing."""
        return (
            len(self.line) == len(self.origin) == lines
            and all(0 < origin.position <= position for origin in self.origins)
            and max(self.origin, default=-1) < len(self.origins)
        )


class Sought:
    """The lines of one version that are looked for in the one before it, and what was found so far.

    `here[n]` is the line of the asked version that line n of this one is, `_NOT_OURS` when it is none.
    """

    def __init__(self, lines: int) -> None:
        self.here = array("i", range(lines))
        self.left = lines
        self._number: dict[Origin, int] = {}
        self._origin = array("I", bytes(4 * lines))
        self._line = array("I", bytes(4 * lines))

    def step(self, opcodes: Sequence[Opcode], origin: Origin, same: Sequence[tuple[int, int]] = ()) -> None:
        """Go to the version before, from which `opcodes` lead to this one. What that lacks came from `origin`.

        `same` are lines, there and here, that are the same although the opcodes say that they went and came.
        """
        older = array("i")
        kept = [(there, self.here[here]) for there, here in same]
        for _, here in same:
            self.here[here] = _NOT_OURS
        for tag, from_old, to_old, from_new, to_new in opcodes:
            if tag == "equal":
                older.extend(self.here[from_new:to_new])
            else:
                self._take(from_new, to_new, origin)
                older.extend([_NOT_OURS] * (to_old - from_old))
        for there, line in kept:
            older[there] = line
        self.here = older

    def take_all(self, origin: Origin) -> None:
        """All lines that are left came from `origin`."""
        self._take(0, len(self.here), origin)

    def take_known(self, known: Blame, alike: bool = False) -> dict[int, int]:
        """Take what the blame of this version tells; left are lines of the asked version, by line at its end.

        `alike`: the way to this version is one of likeness.
        """
        left = {}
        for at, line in enumerate(self.here):
            if line != _NOT_OURS:
                origin = known.origins[known.origin[at]]
                if origin.settled:
                    self._note(line, origin._replace(alike=origin.alike or alike), known.line[at])
                else:
                    left[known.line[at]] = line
        return left

    def go_on(self, lines: int, left: dict[int, int]) -> bool:
        """Look for what `take_known` left in the version, of so many lines, where it stood; False: it cannot be."""
        self.here = array("i", [_NOT_OURS]) * lines
        for at, line in left.items():
            if at >= lines:
                return False
            self.here[at] = line
        return True

    def blame(self) -> Blame:
        """The answer, when nothing is left."""
        assert not self.left
        return Blame(tuple(self._number), self._origin, self._line)

    def _take(self, first: int, last: int, origin: Origin) -> None:
        for at in range(first, last):
            if self.here[at] != _NOT_OURS:
                self._note(self.here[at], origin, at)

    def _note(self, line: int, origin: Origin, there: int) -> None:
        self._origin[line] = self._number.setdefault(origin, len(self._number))
        self._line[line] = there
        self.left -= 1
