"""Parts of a project: what belongs to them, and how they are written down."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import Corrupt
from mic.workspace.index import Index, IndexEntry
from mic.workspace.part import WHOLE, Part, read_part, write_part
from mic.workspace.place import write_columns

_NAMES = st.sampled_from([b"a", b"b", b"a-b", b"a.b", b"\xff"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map(b"/".join)


@pytest.mark.parametrize(
    ("path", "inside"),
    [(b"README.md", True), (b"src/Makefile", True), (b"src/lib/a", True), (b"src/lib/x/y", True),
     (b"src/lib2/a", False), (b"src/other/a", False), (b"docs/a", False), (b"src/lib", True)],
)  # fmt: skip
def test_what_belongs_to_a_folder(path: bytes, inside: bool) -> None:
    assert Part.of([b"src/lib"]).holds(path) is inside


def test_everything_and_nothing() -> None:
    assert Part.of([b"a", b""]) == WHOLE
    assert WHOLE.holds(b"a/b/c")
    top = Part.of([])
    assert (top.holds(b"a"), top.holds(b"a/b"), top.above()) == (True, False, [b""])
    assert Part.of([b"a/b", b"a", b"a-b", b"a/c/d"]).folders == (b"a", b"a-b")
    assert Part.of([b"a/b/c", b"d"]).above() == [b"", b"a", b"a/b"]


@given(st.lists(_PATHS, max_size=4), _PATHS)
def test_as_a_naive_model_says(folders: list[bytes], path: bytes) -> None:
    parts = [folder.split(b"/") for folder in folders]
    mine = path.split(b"/")
    below = any(mine[: len(one)] == one and len(mine) > len(one) for one in parts)
    beside = any(one[: len(mine) - 1] == mine[:-1] for one in parts) or len(mine) == 1
    assert Part.of(folders).holds(path) is (below or beside)


def test_written_and_read(tmp_path: Path) -> None:
    root = bytes(tmp_path)
    (tmp_path / ".mic").mkdir()
    assert read_part(root) == WHOLE
    for part in (Part.of([b"a\nb", b"\xff/c"]), Part.of([]), WHOLE):
        write_part(root, part)
        assert read_part(root) == part
    write_part(root, Part.of([]))
    assert (tmp_path / ".mic/sparse").read_bytes() == b"\0"
    for damaged in (b"a", b"a\0\0", b"\0a\0", b"\0\0", b"a\0\0"):
        (tmp_path / ".mic/sparse").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"/\.mic/sparse is damaged"):
            read_part(root)


@pytest.mark.parametrize(
    ("paths", "whole"), [([b"README", b"link"], True), ([], True), ([b"README", b"a/b"], False), ([b"a/b/c"], False)]
)
def test_an_empty_file_is_the_top_alone_where_no_folder_is_here(
    tmp_path: Path, paths: list[bytes], whole: bool
) -> None:
    """As earlier versions wrote it. With files of folders beside it, it has lost what it said."""
    root = bytes(tmp_path)
    (tmp_path / ".mic").mkdir()
    (tmp_path / ".mic/sparse").write_bytes(b"")
    write_columns(
        root, Index.build([IndexEntry(path, 0o100644, 0, 0, bytes(32), 0, 0, 0, 0, False) for path in paths]).columns
    )
    if whole:
        assert read_part(root) == Part.of([])
    else:
        with pytest.raises(Corrupt, match=r"/\.mic/sparse is damaged"):
            read_part(root)
