"""Random merges, judged by `git merge-file`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.merge3 import merge3, merge3_with_markers

LINE = st.sampled_from([b"%c\n" % letter for letter in b"abcdefghi"] + [b"\n"])
Edits = list[tuple[int, int, list[bytes]]]
EDITS = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 2), st.lists(LINE, max_size=2)), max_size=4)


def edited(base: list[bytes], edits: Edits) -> bytes:
    """`base` with lines replaced at the given places."""
    lines = list(base)
    for at, removed, added in edits:
        lines[at : at + removed] = added
    return b"".join(lines)


def git_merge_file(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """What `git merge-file -p` makes of it; None for a conflict."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
            Path(folder, name).write_bytes(content)
        done = subprocess.run(
            ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"], cwd=folder, capture_output=True
        )
    assert done.returncode < 128, done.stderr
    return done.stdout if done.returncode == 0 else None


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, max_size=24), EDITS, EDITS)
def test_clean_exactly_when_git_is_and_then_the_same(base: list[bytes], ours: Edits, theirs: Edits) -> None:
    """The same verdict as `git merge-file`, and the same bytes when it is clean."""
    contents = b"".join(base), edited(base, ours), edited(base, theirs)
    result = merge3(*contents)
    expected = git_merge_file(*contents)
    assert result.clean == (expected is not None)
    assert result.merged == (expected or b"")


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE, max_size=24), EDITS, EDITS)
def test_swapping_the_sides_changes_nothing(base: list[bytes], ours: Edits, theirs: Edits) -> None:
    """Merging is symmetric, in verdict, bytes and number of conflicts."""
    contents = b"".join(base), edited(base, ours), edited(base, theirs)
    assert merge3(*contents) == merge3(contents[0], contents[2], contents[1])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 999), min_size=8, max_size=60, unique=True), st.data())
def test_a_clean_merge_holds_every_added_line_of_both(numbers: list[int], data: st.DataObject) -> None:
    """Lines that a side adds are in the merged file, lines that a side removes are not."""
    base = [b"%d\n" % number for number in numbers]
    places = st.lists(st.integers(0, len(base) - 1), max_size=5, unique=True)
    sides = []
    for side in (b"ours", b"theirs"):
        chosen = set(data.draw(places))
        sides.append([b"%b %d\n" % (side, at) if at in chosen else line for at, line in enumerate(base)])
    result = merge3(b"".join(base), b"".join(sides[0]), b"".join(sides[1]))
    if result.clean:
        merged = result.merged.splitlines(keepends=True)
        for side in sides:
            assert set(side) - set(base) <= set(merged)
            assert not (set(base) - set(side)) & set(merged)


def git_diff3(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """What `git merge-file --diff3 -p` writes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
            Path(folder, name).write_bytes(content)
        done = subprocess.run(
            ["git", "merge-file", "--diff3", "-p", "-q", "-L", "yours", "-L", "base @3", "-L", "theirs @5",
             "ours", "base", "theirs"], cwd=folder, capture_output=True,
        )  # fmt: skip
    assert done.returncode < 128, done.stderr
    return done.stdout


def test_of_several_shortest_scripts_it_is_git_s() -> None:
    """A line that the other side has in the common beginning takes part in the search; once it did not."""
    contents = b"c\nb\n", b"c\nb\nb\na\n", b"c\nc\nb\nb\nc\nb\na\n"
    expected = b"c\nc\nb\nb\nc\nb\n<<<<<<< yours\nb\na\n||||||| base @3\n=======\na\n>>>>>>> theirs @5\n"
    assert merge3_with_markers(*contents, (b"yours", b"base @3", b"theirs @5")) == expected == git_diff3(*contents)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, max_size=24), EDITS, EDITS, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_markers_stand_where_git_puts_them(
    base: list[bytes], ours: Edits, theirs: Edits, cut: tuple[bool, bool, bool]
) -> None:
    """The same bytes as `git merge-file --diff3`, also when a last line has no end."""
    contents = [b"".join(base), edited(base, ours), edited(base, theirs)]
    contents = [content.removesuffix(b"\n") if short else content for content, short in zip(contents, cut, strict=True)]
    marked = merge3_with_markers(*contents, (b"yours", b"base @3", b"theirs @5"))
    assert marked == git_diff3(*contents)
