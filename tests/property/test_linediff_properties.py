"""Line diffs of random files: true, shortest, and accepted by Git."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.linediff import diff_lines, split_lines
from mic.core.textdiff import Versions, count_lines, diff_texts
from mic.core.unified import unified

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"\n"]), max_size=24)
TEXT = st.builds(
    lambda lines, ended: b"".join(lines) if ended else b"".join(lines).removesuffix(b"\n"),
    st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"+d\n", b"-e\n", b" f\n", b"\\ g\n", b"\n"]), max_size=30),
    st.booleans(),
)


def longest_common(old: list[bytes], new: list[bytes]) -> int:
    """The length of the longest common subsequence, by the textbook table."""
    row = [0] * (len(new) + 1)
    for line in old:
        following = [0]
        for index, other in enumerate(new):
            following.append(row[index] + 1 if line == other else max(row[index + 1], following[index]))
        row = following
    return row[-1]


@settings(max_examples=400, deadline=None)
@given(LINES, LINES)
def test_opcodes_are_true_and_shortest(old: list[bytes], new: list[bytes]) -> None:
    """Opcodes cover both sides without a gap, equal ranges are equal, and nothing common is missed."""
    common = 0
    end = (0, 0)
    for tag, a_from, a_to, b_from, b_to in diff_lines(old, new):
        assert (a_from, b_from) == end
        end = (a_to, b_to)
        if tag == "equal":
            assert old[a_from:a_to] == new[b_from:b_to]
            common += a_to - a_from
        else:
            assert tag == ("insert" if a_from == a_to else "delete" if b_from == b_to else "replace")
    assert end == (len(old), len(new))
    assert common == longest_common(old, new)


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.integers(0, 4), st.sampled_from([b"plain.txt", b"with space", b'q"\\\t\n', b"\xff\xc3\xa4"]))
def test_git_apply_makes_the_new_content(old: bytes, new: bytes, context: int, name: bytes) -> None:
    """`git apply` takes the patch, whatever the name, the context and the last line's end."""
    if old == new or not old or not new:
        return
    if not old.endswith(b"\n"):
        # Without context `git apply` takes the end of the line before along with a last line that had none: "a\na" made
        # "a\n" by git's own patch becomes "a" (2.39).
        context = max(context, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(os.fsencode(folder), name)
        Path(os.fsdecode(path)).write_bytes(old)
        options = ["--unidiff-zero"] if context == 0 else []
        subprocess.run(
            ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", *options],
            cwd=folder,
            input=unified(name, name, old, new, context),
            check=True,
            capture_output=True,
        )
        assert Path(os.fsdecode(path)).read_bytes() == new


PIECES = st.lists(st.sampled_from([b"a\n", b"b\n", b"ab\n", b"\n"]), max_size=6)


@settings(max_examples=600, deadline=None)
@given(PIECES, PIECES, PIECES, PIECES, st.integers(0, 60), st.integers(0, 60), st.booleans(), st.booleans())
def test_texts_differ_as_their_lines_do(
    old: list[bytes],
    new: list[bytes],
    front: list[bytes],
    rest: list[bytes],
    before: int,
    behind: int,
    old_ends: bool,
    new_ends: bool,
) -> None:
    """Whatever stands before and behind what differs, also where a change can slide through all of it."""
    head, tail = b"".join([*front, *[b"a\n"] * before]), b"".join([*rest, *[b"a\n"] * behind])
    left, right = head + b"".join(old) + tail, head + b"".join(new) + tail
    left, right = left if old_ends else left[:-1], right if new_ends else right[:-1]
    assert diff_texts(left, right) == diff_lines(split_lines(left), split_lines(right))
    assert count_lines(left) == len(split_lines(left))


@pytest.mark.parametrize("many", [0, 40])
def test_what_both_have_elsewhere_takes_part(many: int) -> None:
    """Few lines are looked for around what differs, many are compared with all of it: the same answer."""
    old = b"c\n" + b"\n" * 40 + b"b\n"
    new = b"c\n" + b"\n" * 40 + b"c\nb\nb\nc\nb\n" + b"".join(b"%d\n" % number for number in range(many)) + b"a\n"
    assert diff_texts(old, new) == diff_lines(split_lines(old), split_lines(new))
    assert diff_texts(new, old) == diff_lines(split_lines(new), split_lines(old))


@pytest.mark.parametrize("seed", range(20))
def test_versions_differ_as_their_texts_do(seed: int) -> None:
    """Of a long text, in many places far from each other and near, by lines that are unique and lines that are not."""
    rnd = random.Random(seed)
    lines = [rnd.choice([b"%d\n" % number, *[b"\n", b"}\n"] * (seed % 2)]) for number in range(600)]
    versions = Versions(b"".join(lines))
    for turn in range(20):
        newer = lines
        lines = list(lines)
        for number in range(rnd.randrange(20)):
            at = rnd.randrange(len(lines))
            fresh = b"new %d of %d\n" % (number, turn)
            lines[at : at + rnd.randrange(8)] = rnd.choice(
                [[], [fresh], [b"\n", fresh], [fresh, b"}\n", b"end"][: 1 + seed % 3]]
            )
        lines = split_lines(b"".join(lines))
        assert versions.lines == len(newer)
        assert versions.older(b"".join(lines)) == diff_lines(lines, newer)
        assert versions.lines == len(lines)
    assert versions.older(b"") == [("insert", 0, 0, 0, len(lines))]
    assert versions.older(b"a\n") == [("delete", 0, 1, 0, 0)]
    assert versions.lines == 1


def test_long_texts_differ_as_their_lines_do() -> None:
    """Differences on both sides of what is compared at once."""
    lines = [b"%d\n" % number for number in range(40_000)]
    whole = b"".join(lines)
    for at in (0, 1, 12_000, 14_000, 39_998, 39_999):
        other = b"".join([*lines[:at], b"other\n", *lines[at + 1 :]])
        around = [("equal", 0, at, 0, at)] if at else []
        behind = [("equal", at + 1, 40_000, at + 1, 40_000)] if at < 39_999 else []
        assert diff_texts(whole, other) == [*around, ("replace", at, at + 1, at, at + 1), *behind]
