"""Lines that stay the same although they went and came."""

from __future__ import annotations

import pytest

from mic.core.carried import followed, without_space


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        # Indented otherwise, in the place where they stood; ends of lines are white space as well.
        (b"if x:\ny()\n}\n", b"if x:\n    y()\n    }\n", [0, 1, 2]),
        (b"a\nb", b"a\nb\n", [0, 1]),
        (b"a\r\nb\r\n", b"a\nb\n", [0, 1]),
        (b"f( a,b )\n", b"f(a, b)\n", [0]),
        # Moved: both texts have it once.
        (b"one\ntwo\nthree\nfour\n", b"two\nthree\nfour\none\n", [1, 2, 3, 0]),
        (b"one\ntwo\nthree\nfour\n", b"two\nthree\nfour\n  one\n", [1, 2, 3, 0]),
        # Twice here or there, or nothing that tells: whoever wrote it there did.
        (b"one\ntwo\nthree\none\n", b"two\nthree\none\none\n", [1, 2, 3, -1]),
        (b"x\na\nb\nc\n", b"a\nb\nc\nx\nd\nx\n", [1, 2, 3, -1, -1, -1]),
        (b"}\na\nb\nc\n", b"a\nb\nc\n}\n", [1, 2, 3, -1]),
        # Another text.
        (b"a\nb\n", b"a\nB\n", [0, -1]),
        (b"", b"a\n", [-1]),
        (b"a\n", b"", []),
    ],
)
def test_lines_are_followed(old: bytes, new: bytes, lines: list[int]) -> None:
    assert list(followed(old, new)) == lines


def test_white_space_is_that_of_ascii() -> None:
    assert without_space(b" a\tb \x0b\x0c\r\n") == b"ab"
    assert without_space("a\u00a0b".encode()) == "a\u00a0b".encode()
