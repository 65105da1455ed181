"""Line diffs of random files: true, shortest, and accepted by Git."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.linediff import diff_lines
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
