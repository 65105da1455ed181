"""How much two texts have in common: what tells a file that was moved and edited at once from a new one."""

from __future__ import annotations

from collections import Counter

# Of the larger text, so much is in both: what Git takes for a rename unless it is told otherwise.
ENOUGH = 0.5


def likeness(one: bytes, other: bytes) -> float:
    """The share of the larger text, in bytes, that consists of lines which the other has too; 0 when one is empty.

    Where the lines stand does not matter, how often they do does.
    """
    small, large = sorted((one, other), key=len)
    if not small:
        return 0.0
    theirs = Counter(large.splitlines(keepends=True))
    common = 0
    for line, count in Counter(small.splitlines(keepends=True)).items():
        common += len(line) * min(count, theirs.get(line, 0))
    return common / len(large)
