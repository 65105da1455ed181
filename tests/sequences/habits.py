"""What a story has beside lines of text and commands that end by themselves."""

from __future__ import annotations

import random
from typing import NamedTuple

from sequences.machine import PATHS

# Names that a shell, a pattern, a terminal or a decoder may stumble over; one is that of a folder of the others.
ODD = ("-x", "ü", "a\nb", "[a]*", "#a", "!a", "dir/ g", "dir", "dir.x", "b\udcff")

NAMES = ("odd names", "links and modes", "killed commands", "two at once", "long off line")


class Habits(NamedTuple):
    """`killed`: of so many commands one is ended as kill -9 would, and said again."""

    paths: tuple[str, ...] = (*PATHS, "binary")
    shapes: bool = False  # files that may be run, links, a file where a folder was
    killed: float = 0.0
    together: bool = False  # two commands at once in one working copy
    apart: bool = False  # long without a network

    def names(self) -> list[str]:
        """Which of `NAMES` a story has."""
        has = (len(self.paths) > len(PLAIN.paths), self.shapes, self.killed > 0, self.together, self.apart)
        return [name for name, have in zip(NAMES, has, strict=True) if have]


PLAIN = Habits()


def habits_of(seed: int) -> Habits:
    """Those of a story; every third has none."""
    rng = random.Random(f"habits of {seed}")
    if seed % 3 == 0:
        return PLAIN
    odd = tuple(rng.sample(ODD, 3)) if rng.random() < 0.5 else ()
    return Habits(
        (*PLAIN.paths, *odd),
        shapes=rng.random() < 0.5,
        killed=rng.choice((0.0, 0.05, 0.15)),
        together=rng.random() < 0.4,
        apart=rng.random() < 0.2,
    )
