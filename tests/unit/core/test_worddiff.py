"""Differences word by word: what they say, and that both texts can be read back from them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mic.core.worddiff import plain_mark, word_hunks


def test_words_within_a_line() -> None:
    assert word_hunks(b"AT = 12\nx\n", b"AT = 5.5  # dew\nx\n", plain_mark) == (
        b"@@ -1,2 +1,2 @@\nAT = [-12-]{+5.5  # dew+}\nx\n"
    )


def test_lines_end_outside_of_marks() -> None:
    assert word_hunks(b"a\nb\n", b"a\n", plain_mark) == b"@@ -1,2 +1 @@\na\n[-b-]\n"
    assert word_hunks(b"", b"one\ntwo\n", plain_mark) == b"@@ -0,0 +1,2 @@\n{+one+}\n{+two+}\n"
    assert word_hunks("grün\n".encode(), b"grau\n", plain_mark) == "@@ -1 +1 @@\n[-grün-]{+grau+}\n".encode()
    assert word_hunks(b"same\n", b"same\n", plain_mark) == b""


def test_a_long_line_is_not_searched_word_by_word() -> None:
    old, new = b"a " * 20_001 + b"\n", b"b " * 20_001 + b"\n"
    assert word_hunks(old, new, plain_mark) == b"@@ -1 +1 @@\n[-%b-]\n{+%b+}\n" % (b"a " * 20_001, b"b " * 20_001)


WORDS = st.lists(st.sampled_from([b"a", b"b", b" ", b"\n", b"=", b"cc"]), max_size=30).map(b"".join)


@given(WORDS, WORDS)
def test_both_texts_are_in_it(old: bytes, new: bytes) -> None:
    """Without what was inserted the old text is left, without what was deleted the new one, lines apart."""
    said = word_hunks(old, new, plain_mark, context=100)
    body = re.sub(rb"^@@[^\n]*\n", b"", said)
    if old == new:
        assert said == b""
        return
    without = {
        old: re.sub(rb"\{\+(.*?)\+\}", b"", body).replace(b"[-", b"").replace(b"-]", b""),
        new: re.sub(rb"\[-(.*?)-\]", b"", body).replace(b"{+", b"").replace(b"+}", b""),
    }
    for text, left in without.items():
        assert left.replace(b"\n", b"") == text.replace(b"\n", b"")
