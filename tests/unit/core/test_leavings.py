"""What a collector writes down, byte for byte, and what is refused."""

from __future__ import annotations

import pytest

from mic.core.codec import crc32c
from mic.core.errors import Corrupt
from mic.core.leavings import Leaving, Stage, decode_leavings, encode_leavings

RAW = bytes.fromhex("4d494347010000000000000101000001a19467e8000006") + b"packs/"
GOOD = RAW + crc32c(RAW)


def test_both_ways() -> None:
    entries = {"packs/": Leaving(Stage.CONDEMNED, 1_793_491_200_000)}
    assert encode_leavings(entries) == GOOD
    assert decode_leavings(GOOD, "x") == entries
    assert decode_leavings(encode_leavings({}), "x") == {}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"MICH" + RAW[4:], "MIC"),
        (RAW[:4] + b"\2" + RAW[5:], "newer"),
        (RAW[:5] + b"\1" + RAW[6:], "reserved"),
        (RAW[:8] + b"\xff\xff\xff\xff" + RAW[12:], "count of 4294967295|4294967295"),
        (RAW[:12] + b"\3" + RAW[13:], "stage"),
        (RAW[:-6] + b"\xff" + RAW[-5:], "sorted"),
        (RAW + b"\0", "too many"),
        (RAW[:8] + b"\0\0\0\2" + RAW[12:] + RAW[12:], "sorted"),
    ],
)
def test_what_is_none_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Corrupt, match=why):
        decode_leavings(body + crc32c(body), "x")


def test_a_bit_that_is_another_is_found() -> None:
    for at in range(len(GOOD)):
        with pytest.raises(Corrupt):
            decode_leavings(GOOD[:at] + bytes((GOOD[at] ^ 1,)) + GOOD[at + 1 :], "x")
    for end in range(len(GOOD)):
        with pytest.raises(Corrupt):
            decode_leavings(GOOD[:end], "x")
