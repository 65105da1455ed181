"""Where a level of the tree is cut into nodes.

A cut falls after a key when the key's salted hash is below a threshold that grows with the number of
entries since the last cut: the hazard of a Weibull distribution (shape 4). Sizes then cluster around the
mean (coefficient of variation 0.29, where a fixed probability gives 1.0), and a cut depends on keys
alone, so a changed content never moves a boundary and the same set of paths is always cut alike.
"""

from __future__ import annotations

import math

import xxhash

SHAPE = 4
SCALE = 282  # mean = SCALE * gamma(1 + 1/SHAPE), about 255.6 entries
# Beyond this the survival probability is e**-37: only crafted names get here, and then the node ends.
MAX_ENTRIES = 700


def _thresholds() -> list[int]:
    table = [0]
    for count in range(1, MAX_ENTRIES):
        hazard = -math.expm1((float(count - 1) ** SHAPE - float(count) ** SHAPE) / float(SCALE) ** SHAPE)
        table.append(int(hazard * 4294967296.0))
    table.append(1 << 32)
    return table


# THRESHOLDS[n]: cut after the n-th entry of a node when mark(key) is below it. 32-bit, so that a last
# bit of difference between two math libraries does not show; a test pins the whole table.
THRESHOLDS = _thresholds()


def mark(key: bytes, level: int) -> int:
    """32 bits of XXH3-64 of the key, seeded with the level."""
    return xxhash.xxh3_64_intdigest(key, level) >> 32


def marks(keys: list[bytes], level: int) -> list[int]:
    """`mark` of every key."""
    digest = xxhash.xxh3_64_intdigest
    return [digest(key, level) >> 32 for key in keys]


def cuts(key_marks: list[int], start: int = 0) -> list[int]:
    """End indexes (exclusive) of the complete nodes in a sequence that begins at a boundary at `start`."""
    out = []
    base = start
    thresholds = THRESHOLDS
    for index in range(start, len(key_marks)):
        if key_marks[index] < thresholds[index + 1 - base]:
            base = index + 1
            out.append(base)
    return out
