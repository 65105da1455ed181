"""Line splitting, opcodes and their bounds."""

from __future__ import annotations

import itertools
import random

import pytest

from mic.core.linediff import count_changes, diff_lines, is_binary, split_lines


def lines(text: str) -> list[bytes]:
    return [word.encode() for word in text.split()]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a\n"]),
        (b"a\nb", [b"a\n", b"b"]),
        (b"\n\n", [b"\n", b"\n"]),
        (b"a\rb\r\nc\x0bd\x0c", [b"a\rb\r\n", b"c\x0bd\x0c"]),
    ],
)
def test_only_lf_ends_a_line(data: bytes, expected: list[bytes]) -> None:
    """CR, vertical tab and form feed are content, as in Git."""
    assert split_lines(data) == expected


def test_binary_is_a_nul_in_the_first_8000_bytes() -> None:
    """The 8,000th byte counts, the 8,001st does not."""
    assert is_binary(b"x" * 7999 + b"\0")
    assert not is_binary(b"x" * 8000 + b"\0")
    assert not is_binary(b"")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("a", "a", [("equal", 0, 1, 0, 1)]),
        ("", "a b", [("insert", 0, 0, 0, 2)]),
        ("a b", "", [("delete", 0, 2, 0, 0)]),
        ("a b c", "a x c", [("equal", 0, 1, 0, 1), ("replace", 1, 2, 1, 2), ("equal", 2, 3, 2, 3)]),
        ("a c", "a b c", [("equal", 0, 1, 0, 1), ("insert", 1, 1, 1, 2), ("equal", 1, 2, 2, 3)]),
        ("x a b", "a b y", [("delete", 0, 1, 0, 0), ("equal", 1, 3, 0, 2), ("insert", 3, 3, 2, 3)]),
    ],
)
def test_opcodes(old: str, new: str, expected: list[tuple[str, int, int, int, int]]) -> None:
    """The tags and ranges are difflib's."""
    assert diff_lines(lines(old), lines(new)) == expected


def test_an_insertion_slides_down_past_equal_lines() -> None:
    """A function added between two others begins with its own head, not with its neighbour's end."""
    old = lines("def{ body1 } def{ body3 }")
    new = lines("def{ body1 } def{ body2 } def{ body3 }")
    assert diff_lines(old, new)[1] == ("insert", 4, 4, 4, 7)


def test_count_changes() -> None:
    """A changed line counts once on each side; binary content has no lines."""
    assert count_changes(b"a\nb\nc\n", b"a\nx\nc\nd\n") == (2, 1)
    assert count_changes(b"a\n", b"a") == (1, 1)
    assert count_changes(b"a\0\n", b"b\n") == (0, 0)


def test_fifty_thousand_different_lines_are_one_replacement() -> None:
    """Lines that the other side lacks are never searched."""
    old = [b"old %d\n" % n for n in range(50_000)]
    new = [b"new %d\n" % n for n in range(50_000)]
    assert diff_lines(old, new) == [("replace", 0, 50_000, 0, 50_000)]


def test_few_edits_in_a_large_file_are_found_exactly() -> None:
    """A changed, an added and a deleted line among 100,000 give three hunks of one line."""
    old = [b"line %d\n" % n for n in range(100_000)]
    new = [*old[:10], b"changed\n", *old[11:50_000], b"added\n", *old[50_000:99_000], *old[99_001:]]
    assert [code for code in diff_lines(old, new) if code[0] != "equal"] == [
        ("replace", 10, 11, 10, 11),
        ("insert", 50_000, 50_000, 50_000, 50_001),
        ("delete", 99_000, 99_001, 99_001, 99_001),
    ]


def test_many_edits_are_found_through_unique_lines() -> None:
    """Past the search depth unique lines keep 3,000 scattered edits apart."""
    old = [b"line %d\n" % n for n in range(30_000)]
    new = [b"{\n" if n % 10 == 5 else line for n, line in enumerate(old)]
    changes = [code for code in diff_lines(old, new) if code[0] != "equal"]
    assert len(changes) == 3_000
    assert all(code[2] - code[1] == 1 and code[4] - code[3] == 1 for code in changes)


@pytest.mark.parametrize("alphabet", [2, 300, 20_000])
def test_hostile_files_end_and_stay_true(alphabet: int) -> None:
    """Two unrelated files of 20,000 repeating lines give opcodes that still lead from one to the other."""
    source = random.Random(alphabet)
    old = [b"%d\n" % source.randrange(alphabet) for _ in range(20_000)]
    new = [b"%d\n" % source.randrange(alphabet) for _ in range(20_000)]
    rebuilt: list[bytes] = []
    end = (0, 0)
    for tag, a_from, a_to, b_from, b_to in diff_lines(old, new):
        assert (a_from, b_from) == end
        end = (a_to, b_to)
        rebuilt += old[a_from:a_to] if tag == "equal" else new[b_from:b_to]
    assert end == (20_000, 20_000)
    assert rebuilt == new


def test_changes_never_touch_each_other() -> None:
    """Two neighbouring opcodes are never both changes."""
    for old, new in itertools.product(itertools.product((b"a", b"b", b"c"), repeat=4), repeat=2):
        tags = [code[0] for code in diff_lines(list(old), list(new))]
        assert all("equal" in pair for pair in itertools.pairwise(tags))
