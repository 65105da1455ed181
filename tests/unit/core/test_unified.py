"""The exact bytes of unified diffs."""

from __future__ import annotations

import pytest

from mic.core.unified import quote_path, unified


def numbered(*values: object) -> bytes:
    return b"".join(b"%s\n" % str(value).encode() for value in values)


def test_a_changed_line_with_its_context() -> None:
    """Three lines of context, counts and first lines as Git prints them."""
    old, new = numbered(*range(1, 11)), numbered(*range(1, 5), "five", *range(6, 11))
    assert unified(b"f", b"f", old, new) == (b"--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n")


def test_distant_changes_are_two_hunks_and_near_ones_one() -> None:
    """Six equal lines between two changes keep them in one hunk, seven part them."""
    six = unified(b"f", b"f", numbered(*"abcdefgh"), numbered("A", *"bcdefg", "H"))
    seven = unified(b"f", b"f", numbered(*"abcdefghi"), numbered("A", *"bcdefgh", "I"))
    assert six.count(b"@@ -") == 1
    assert seven.count(b"@@ -") == 2
    assert b"@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n@@ -6,4 +6,4 @@\n f\n g\n h\n-i\n+I\n" in seven


def test_a_missing_last_newline_is_said() -> None:
    """The marker follows the line that lacks its end."""
    assert unified(b"f", b"f", b"a", b"a\n") == (
        b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    )


def test_added_and_deleted_files() -> None:
    """The side without a file is /dev/null; an empty range starts at 0."""
    assert unified(None, b"n", b"", b"a\nb\n") == b"--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+a\n+b\n"
    assert unified(b"n", None, b"a\n", b"") == b"--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"


def test_without_context_an_insertion_names_the_line_before() -> None:
    """`-1,0` says: after line 1."""
    assert unified(b"f", b"f", b"a\nb\n", b"a\nx\nb\n", 0) == b"--- a/f\n+++ b/f\n@@ -1,0 +2 @@\n+x\n"


def test_equal_and_binary_contents() -> None:
    """Equal contents print nothing, binary ones a single line."""
    assert unified(b"f", b"f", b"a\0", b"a\0") == b""
    assert unified(b"f", b"f", b"a\0", b"b") == b"Binary files a/f and b/f differ\n"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"a/plain name", b"a/plain name"),
        (b'a/q"uote', b'"a/q\\"uote"'),
        (b"a/back\\slash", b'"a/back\\\\slash"'),
        (b"a/new\nline\ttab", b'"a/new\\nline\\ttab"'),
        ("a/ä".encode(), b'"a/\\303\\244"'),
        (b"a/\xff\x01\x7f", b'"a/\\377\\001\\177"'),
    ],
)
def test_names_are_quoted_as_git_quotes_them(path: bytes, expected: bytes) -> None:
    """Literals taken from `git diff` with core.quotePath on."""
    assert quote_path(path) == expected


def test_a_name_with_a_space_ends_in_a_tab() -> None:
    """As Git writes it, so that no reader takes the rest for a time stamp."""
    assert unified(b"a b", b"a b", b"x\n", b"y\n").startswith(b"--- a/a b\t\n+++ b/a b\t\n")
