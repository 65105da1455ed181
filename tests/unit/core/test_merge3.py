"""Three-way merges, case by case."""

from __future__ import annotations

import pytest

from mic.core.merge3 import MAX_MERGE_BYTES, MergeResult, merge3


def text(letters: str) -> bytes:
    return b"".join(letter.encode() + b"\n" for letter in letters)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("abcde", "Abcde", "abcdE", "AbcdE"),
        ("abcde", "xabcde", "abcdey", "xabcdey"),
        ("abcde", "bcde", "abcd", "bcd"),
        ("abcde", "abXde", "abXde", "abXde"),
        ("abcdef", "abXdef", "abXdeF", "abXdeF"),
        ("abc", "abc", "", ""),
        ("", "a", "a", "a"),
    ],
)
def test_clean_merges(base: str, ours: str, theirs: str, merged: str) -> None:
    """Changes with an unchanged line between them are both taken, the same change once, in either order."""
    assert merge3(text(base), text(ours), text(theirs)) == MergeResult(True, text(merged), 0)
    assert merge3(text(base), text(theirs), text(ours)) == MergeResult(True, text(merged), 0)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "conflicts"),
    [
        ("abc", "aXc", "aYc", 1),
        ("abcd", "aXcd", "abYd", 1),
        ("abcd", "abXcd", "abYcd", 1),
        ("abcd", "acd", "aXcd", 1),
        ("abcdefg", "Xbcdefg", "Ybcdefg", 1),
        ("abcdefg", "Xbcdef1", "Ybcdef2", 2),
        ("", "a", "b", 1),
    ],
)
def test_conflicts(base: str, ours: str, theirs: str, conflicts: int) -> None:
    """Overlapping and adjacent changes, and two insertions at one place, clash; nothing is merged then."""
    assert merge3(text(base), text(ours), text(theirs)) == MergeResult(False, b"", conflicts)
    assert merge3(text(base), text(theirs), text(ours)) == MergeResult(False, b"", conflicts)


def test_a_last_line_without_newline_stays_so() -> None:
    """The missing end belongs to the line and is kept."""
    assert merge3(b"a\nb\nc", b"A\nb\nc", b"a\nb\nc") == MergeResult(True, b"A\nb\nc", 0)
    assert merge3(b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nc") == MergeResult(True, b"A\nb\nc", 0)


def test_binary_and_large_files_are_never_clean() -> None:
    """Lines mean nothing there."""
    assert merge3(b"a\0\nb\nc\nd\n", b"A\0\nb\nc\nd\n", b"a\0\nb\nc\nD\n") == MergeResult(False, b"", 1)
    large = b"line\n" * (MAX_MERGE_BYTES // 5 + 1)
    assert merge3(large, b"first\n" + large, large + b"last\n") == MergeResult(False, b"", 1)


def test_one_sided_changes_need_no_lines() -> None:
    """What only one side changed is taken, binary or not."""
    assert merge3(b"\0a", b"\0b", b"\0a") == MergeResult(True, b"\0b", 0)
    assert merge3(b"\0a", b"\0a", b"\0b") == MergeResult(True, b"\0b", 0)
    assert merge3(b"\0a", b"\0b", b"\0b") == MergeResult(True, b"\0b", 0)
