"""The head and its clock."""

from __future__ import annotations

import pytest

from mic.core.errors import Corrupt
from mic.core.head import Head, decode_head, hlc_ms, ms_hlc, next_hlc


def test_the_clock_grows_whatever_the_wall_clock_does() -> None:
    """Wall time when it is ahead, one more than before when it stands or goes back."""
    assert next_hlc(0, 1) == 65_536
    assert next_hlc(65_536, 2) == 131_072
    assert next_hlc(65_536, 1) == 65_537
    assert next_hlc(65_537, 0) == 65_538
    assert next_hlc((5 << 16) + 0xFFFF, 5) == 6 << 16  # the logical part is full: the next millisecond


def test_the_clock_as_time() -> None:
    assert hlc_ms((1_793_491_200_000 << 16) + 7) == 1_793_491_200_000
    assert ms_hlc(1_793_491_200_000) == 1_793_491_200_000 << 16
    assert ms_hlc(-1) == 0  # an author's clock before 1970


@pytest.mark.parametrize("size", [0, 1, 47, 49, 96])
def test_a_head_has_48_bytes(size: int) -> None:
    with pytest.raises(Corrupt, match=f"projects/p/head is damaged: a head has 48 bytes, this has {size}"):
        decode_head(bytes(size), "projects/p/head")


def test_bytes_and_back() -> None:
    head = Head((1 << 64) - 1, bytes(range(32)), 7)
    assert head.encode() == b"\xff" * 8 + bytes(range(32)) + bytes(7) + b"\x07"
    assert decode_head(head.encode(), "head") == head
