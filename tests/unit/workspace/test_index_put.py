"""An index that takes some changes is the one that is built of the files as they are then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mic.workspace.columns import decode, encode
from mic.workspace.index import Index, IndexEntry

PATHS = [b"a", b"a/b", b"a/c/d", b"a-b", b"a0", b"b/c", b"b/c/d/e", b"b/d", b"c", b"\xff/x"]
MODES = [0o100644, 0o100755, 0o120000, 0o160000]


@st.composite
def entries(draw: st.DrawFn, path: bytes) -> IndexEntry:
    number = draw(st.integers(0, 3))
    away = draw(st.booleans())
    disk = (0, 0, 0, 0) if away else (5 + number, 6, 7, 8)
    return IndexEntry(path, draw(st.sampled_from(MODES)), number % 2, 9 + number, bytes([number]) * 32, *disk, away)


some = st.sets(st.sampled_from(PATHS)).flatmap(lambda paths: st.tuples(*(entries(path) for path in sorted(paths))))


@given(before=some, put=some, gone=st.sets(st.sampled_from(PATHS)))
def test_put(before: tuple[IndexEntry, ...], put: tuple[IndexEntry, ...], gone: set[bytes]) -> None:
    index = Index.build(list(before), clock=4)
    index.columns.dir_ctimes = [1000 + number for number in range(len(index.columns.dirs))]
    known = dict(zip(index.columns.dirs, index.columns.dir_ctimes, strict=True))
    columns = decode(encode(index.columns))
    assert columns is not None
    index = Index(columns)
    index.put(put, gone)
    left = {entry.path: entry for entry in before if entry.path not in gone} | {entry.path: entry for entry in put}
    # A path in both is taken away and put again.
    built = Index.build(list(left.values()), clock=4)
    assert list(index.entries()) == list(built.entries())
    assert list(index.columns.bits) == list(built.columns.bits)
    again = decode(encode(index.columns))
    assert again is not None
    assert list(Index(again).entries()) == list(built.entries())
    if not any(entry.path in {e.path for e in before} and entry.unwritten for entry in put):
        assert index.columns.dirs == built.columns.dirs
    else:  # a folder without files on disk is looked at in vain, once
        assert set(index.columns.dirs) >= set(built.columns.dirs)
    for folder, ctime in zip(index.columns.dirs, index.columns.dir_ctimes, strict=True):
        assert ctime in (0, known.get(folder))
    assert all(
        ctime == known[folder]
        for folder, ctime in zip(index.columns.dirs, index.columns.dir_ctimes, strict=True)
        if folder in known and not any(path.startswith(folder + b"/" if folder else b"") for path in gone)
    )
