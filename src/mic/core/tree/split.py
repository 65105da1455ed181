"""Where a level of the tree is cut into nodes.

A cut falls after a key when the key's salted hash is below a threshold that grows with the number of
entries since the last cut: the hazard of a Weibull distribution (shape 4). Sizes then cluster around the
mean (coefficient of variation 0.29, where a fixed probability gives 1.0), and a cut depends on keys
alone, so a changed content never moves a boundary and the same set of paths is always cut alike.

Crafted names cannot do harm: the first threshold is 0, so a node that is not the last of its level has
two entries or more and every level at most half the nodes of the one below; the last threshold is
certain, so no node has more than 700.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import compress, count, repeat
from operator import lt

import xxhash

SHAPE = 4
SCALE = 282  # mean = SCALE * gamma(1 + 1/SHAPE), about 255.6 entries
# Beyond this the survival probability is e**-37: only crafted names get here, and then the node ends.
MAX_ENTRIES = 700


def thresholds(scale: int, most: int) -> list[int]:
    """For n from 0 to `most`: cut after the n-th entry of a node when the 32-bit mark of its key is below."""
    table = [0]
    for number in range(1, most):
        hazard = -math.expm1((float(number - 1) ** SHAPE - float(number) ** SHAPE) / float(scale) ** SHAPE)
        table.append(int(hazard * 4294967296.0))
    table.append(1 << 32)
    return table


# 32-bit, so that a last bit of difference between two math libraries does not show; a test pins the whole table.
THRESHOLDS = thresholds(SCALE, MAX_ENTRIES)
# The same for whole 64-bit hashes: (hash >> 32) < t is hash < (t << 32), and needs no shift for each key.
_LIMITS = [threshold << 32 for threshold in THRESHOLDS]

_digest = xxhash.xxh3_64_intdigest


def mark(key: bytes, level: int) -> int:
    """The upper 32 bits of XXH3-64 of the key, seeded with the level."""
    return _digest(key, level) >> 32


def next_cut(keys: Iterator[bytes], level: int, before: int = 0) -> int | None:
    """How many of `keys` go into the node that holds `before` entries already, when it ends among them.

    None when it does not end. Takes exactly those keys from the iterator, or all of them.
    """
    below = map(lt, map(_digest, keys, repeat(level)), _LIMITS[before + 1 :])
    return next(compress(count(1), below), None)
