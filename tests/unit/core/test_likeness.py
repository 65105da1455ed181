"""How alike two texts are: shares of the larger one, by lines, wherever they stand."""

from __future__ import annotations

import pytest

from mic.core.likeness import likeness


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"a\nb\n", b"a\nb\n", 1.0),
        (b"b\na\n", b"a\nb\n", 1.0),
        (b"a\nb\n", b"a\nc\n", 0.5),
        (b"a\n", b"a\nb\nc\nd\n", 0.25),
        (b"a\na\na\na\n", b"a\nb\nc\nd\n", 0.25),  # one of them is there once
        (b"long line\nb\n", b"long line\nc\n", 10 / 12),
        (b"a", b"a\n", 0.0),  # another line
        (b"", b"a\n", 0.0),
        (b"", b"", 0.0),
    ],
)
def test_the_share_of_the_larger(one: bytes, other: bytes, expected: float) -> None:
    assert likeness(one, other) == likeness(other, one) == expected
