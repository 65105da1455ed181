"""The head of a line: 48 bytes that name the newest landing, its tree and its time.

`u64 position | 32B tree | u64 hlc`. The hybrid logical clock is 48 bits of Unix milliseconds and 16
logical bits; it grows strictly along the log whatever the wall clock does (Kulkarni et al., 2014).
"""

from __future__ import annotations

from typing import NamedTuple

from mic.core.errors import Corrupt

HEAD_BYTES = 48
LOGICAL_BITS = 16


class Head(NamedTuple):
    """Position of the newest landing (0 = just created), root of its tree, its HLC."""

    position: int
    tree: bytes
    hlc: int

    def encode(self) -> bytes:
        """The 48 bytes."""
        assert len(self.tree) == 32
        return self.position.to_bytes(8, "big") + self.tree + self.hlc.to_bytes(8, "big")


def decode_head(raw: bytes, name: str) -> Head:
    """The head from its bytes; raises Corrupt when they are not 48."""
    if len(raw) != HEAD_BYTES:
        raise Corrupt(
            f"{name} is damaged: a head has {HEAD_BYTES} bytes, this has {len(raw)}",
            hint="landing is stopped for this project; restore the head from a backup",
            object=name,
        )
    return Head(int.from_bytes(raw[:8], "big"), raw[8:40], int.from_bytes(raw[40:], "big"))


def next_hlc(previous: int, now_ms: int) -> int:
    """The clock for a landing at wall time `now_ms`: never less than or equal to `previous`."""
    return max(now_ms << LOGICAL_BITS, previous + 1)


def hlc_ms(hlc: int) -> int:
    """Unix milliseconds of a hybrid clock value."""
    return hlc >> LOGICAL_BITS


def ms_hlc(ms: int) -> int:
    """A hybrid clock value at `ms`; times before 1970 become 0."""
    return max(ms, 0) << LOGICAL_BITS
