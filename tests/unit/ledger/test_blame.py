"""Which landing each line came with: hand-made histories, copies, what cannot be asked, bounds, and caches that lie."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from ledgers import LINK, Wanted, damage_of, import_sealed, land, objects_of, request, store_of, traced
from mic.core.blame import Blame, Origin
from mic.core.errors import NotFound, NotText, TooLarge
from mic.core.rollup import roll_records
from mic.ledger.blame import Blamed, Bounds, blame
from mic.ledger.blame_cache import BlameCache, Version
from mic.ledger.ledger import Ledger
from mic.ledger.path_history import view_of
from mic.ledger.project import Project
from mic.store import MemoryStore


@pytest.fixture
def project() -> Project:
    made, _ = traced(MemoryStore())
    made.create()
    return made


def _tell(project: Project, *story: Mapping[bytes, Wanted]) -> None:
    base = project.head().position
    for number, files in enumerate(story, base + 1):
        land(project, number, number - 1, files)


def _copy(project: Project, number: int, base: int, path: bytes, data: bytes, source: bytes) -> None:
    """Land a file of which the client says that it is a copy."""
    wanted = request(project, number, base, {path: data})
    (change,) = wanted.session.changes
    changes = (replace(change, copied_from=source),)
    project.land(wanted._replace(session=replace(wanted.session, changes=changes)))


def _where(project: Project, path: bytes = b"f", at: int | None = None) -> list[tuple[int, bytes, int]]:
    """Landing, path there and line there, from 1, of each line."""
    found = project.blame(path, project.head().position if at is None else at).blame
    return _lines(found)


def _lines(found: Blame) -> list[tuple[int, bytes, int]]:
    return [
        (found.origins[origin].position, found.origins[origin].path, line + 1)
        for origin, line in zip(found.origin, found.line, strict=True)
    ]


def test_lines_come_from_where_they_were_written(project: Project) -> None:
    _tell(
        project,
        {b"f": b"one\ntwo\nthree\n"},
        {b"other": b"one\n"},
        {b"f": b"zero\none\ntwo\nthree\n"},
        {b"f": b"zero\none\n2\nthree\n"},
        {b"f": b"zero\none\n2\nthree\nlast"},
    )
    assert _where(project) == [(3, b"f", 1), (1, b"f", 1), (4, b"f", 3), (1, b"f", 3), (5, b"f", 5)]
    assert _where(project, at=3) == [(3, b"f", 1), (1, b"f", 1), (1, b"f", 2), (1, b"f", 3)]
    assert _where(project, at=2) == [(1, b"f", 1), (1, b"f", 2), (1, b"f", 3)]
    found = project.blame(b"f", 2)
    assert (found.position, found.data) == (1, b"one\ntwo\nthree\n")
    assert [tuple(hunk) for hunk in found.blame.hunks()] == [(0, 3, Origin(1, b"f"), 0)]


def test_hunks_are_runs_of_neighbours(project: Project) -> None:
    _tell(project, {b"f": b"a\nb\nc\nd\ne\n"}, {b"f": b"a\nc\nX\nd\ne\n"})
    one, two = Origin(1, b"f"), Origin(2, b"f")
    found = project.blame(b"f", 2).blame
    assert [tuple(hunk) for hunk in found.hunks()] == [(0, 1, one, 0), (1, 1, one, 2), (2, 1, two, 2), (3, 2, one, 3)]
    assert [tuple(hunk) for hunk in found.hunks(2, 4)] == [(2, 1, two, 2), (3, 1, one, 3)]
    assert list(found.hunks(5)) == list(found.hunks(3, 3)) == []


def test_an_empty_file_and_one_without_a_line_end(project: Project) -> None:
    _tell(project, {b"f": b""}, {b"f": b"x"}, {b"f": b"x\n"})
    assert _where(project, at=1) == []
    assert _where(project, at=2) == [(2, b"f", 1)]
    # A line end is white space: the line is the one that stood there.
    assert _where(project) == [(2, b"f", 1)]


def test_a_session_that_was_merged_wrote_its_own_lines_only(project: Project) -> None:
    """Two sessions from one base change lines of one file: what landed is neither's text, and each has its lines."""
    _tell(project, {b"f": b"a\nb\nc\nd\ne\nf\ng\n"})
    land(project, 2, 1, {b"f": b"A\nb\nc\nd\ne\nf\ng\n"})
    land(project, 3, 1, {b"f": b"a\nb\nc\nd\ne\nf\nG\nH\n"})
    assert project.blame(b"f", 3).data == b"A\nb\nc\nd\ne\nf\nG\nH\n"
    assert _where(project) == [(2, b"f", 1), *((1, b"f", at) for at in range(2, 7)), (3, b"f", 7), (3, b"f", 8)]


def test_a_mode_changes_no_line(project: Project) -> None:
    _tell(project, {b"f": b"a\n"}, {b"f": (0o100755, b"a\n")})
    assert _where(project) == [(1, b"f", 1)]


def test_a_file_that_came_back_is_new(project: Project) -> None:
    _tell(project, {b"f": b"a\n", b"keep": b""}, {b"f": None}, {b"f": b"a\n"})
    assert _where(project) == [(3, b"f", 1)]
    assert _where(project, at=1) == [(1, b"f", 1)]


def test_what_was_no_text_before_has_no_lines_there(project: Project) -> None:
    """A link, and a binary file: what they held is nothing that a line could come from."""
    _tell(project, {b"f": (LINK, b"a")}, {b"f": (0o100644, b"a\n")}, {b"f": b"a\n\0"}, {b"f": b"a\nb\n"})
    assert _where(project, at=2) == [(2, b"f", 1)]
    assert _where(project) == [(4, b"f", 1), (4, b"f", 2)]


def test_a_moved_file_keeps_its_lines(project: Project) -> None:
    """The same landing took away one file of this very content."""
    _tell(project, {b"old/f": b"a\nb\n"}, {b"old/f": None, b"f": b"a\nb\n"}, {b"f": b"a\nB\n"})
    assert _where(project) == [(1, b"old/f", 1), (3, b"f", 2)]


def test_two_that_could_be_the_one_are_a_guess(project: Project) -> None:
    """The record names neither: the first by path, and it is said that this is likeness."""
    _tell(project, {b"x": b"a\n", b"y": b"a\n"}, {b"x": None, b"y": None, b"f": b"a\n"})
    assert _marked(project) == [(1, b"x", 1, True)]
    _tell(project, {b"f": None, b"g": b"a\n", b"h": b"a\n"})
    assert _marked(project, b"g") == [(1, b"x", 1, True)]


def _marked(project: Project, path: bytes = b"f") -> list[tuple[int, bytes, int, bool]]:
    """As `_where`, with whether likeness led there."""
    found = project.blame(path, project.head().position).blame
    return [
        (each.position, each.path, line + 1, each.alike)
        for each, line in zip((found.origins[at] for at in found.origin), found.line, strict=True)
    ]


def test_a_file_that_was_moved_and_edited_is_followed_by_likeness(project: Project) -> None:
    _tell(
        project,
        {b"old/f": b"one\ntwo\nthree\nfour\n"},
        {b"old/f": b"one\ntwo\n3\nfour\n"},
        {b"old/f": None, b"new/f": b"zero\none\ntwo\n3\nfour\n"},
        {b"new/f": b"zero\none\nTWO\n3\nfour\n"},
    )
    expected = [
        (3, b"new/f", 1, False),
        (1, b"old/f", 1, True),
        (4, b"new/f", 3, False),
        (2, b"old/f", 3, True),
        (1, b"old/f", 4, True),
    ]
    assert _marked(project, b"new/f") == expected
    # The same from what is kept: of the version asked, of one landing more, and of the file before it was moved.
    assert _marked(project, b"new/f") == expected
    fresh, _ = traced(project.driver.store)
    assert {origin.alike for origin in fresh.blame(b"old/f", 2).blame.origins} == {False}
    assert _marked(fresh, b"new/f") == expected
    land(fresh, 5, 4, {b"new/f": b"zero\none\nTWO\n3\nfour\nfive\n"})
    assert _marked(fresh, b"new/f") == [*expected, (5, b"new/f", 6, False)]


@pytest.mark.parametrize(
    ("gone", "followed"),
    [
        ({b"a/x": b"1\n2\n3\n4\n"}, b"a/x"),
        ({b"a/x": b"1\n2\n"}, b"a/x"),  # half of the larger
        ({b"a/x": b"1\n"}, b""),
        ({b"a/x": b"1\n2\n" + b"other\n" * 4}, b""),
        ({b"a/x": b"4\n3\n2\n1\n"}, b"a/x"),  # in another order
        ({b"a/x": b"1\n2\n3\n\0"}, b""),  # no text
        ({b"a/x": (LINK, b"1\n2\n3\n4\n")}, b""),
        ({b"a/x": b"1\n2\n3\n", b"b/f": b"1\n2\n"}, b"a/x"),  # the likest
        ({b"a/x": b"1\n2\n3\n", b"b/f": b"1\n2\n3\n"}, b"b/f"),  # of its name
        ({b"a/x": b"1\n2\n3\n", b"b/y": b"3\n2\n1\n"}, b"a/x"),  # the first by path
        ({b"a/x": b"1\n2\n3\n" * 9, b"b/y": b"1\n2\n3\n"}, b"b/y"),  # one that is too large hides no other
    ],
)
def test_what_is_enough_like_it(project: Project, gone: dict[bytes, Wanted], followed: bytes) -> None:
    """Of what went away only: `stays` is the same file, and nobody says that it was copied."""
    text = b"1\n2\n3\n4\n"
    if gone.get(b"a/x") == text:
        text = b"1\n2\n3\n5\n"
    _tell(project, {**gone, b"stays": text}, {**dict.fromkeys(gone), b"f": text})
    origins = project.blame(b"f", 2).blame.origins
    assert {each.path for each in origins if each.alike} == ({followed} if followed else set())
    assert {each.path for each in origins if not each.alike} <= {b"f"}


def test_of_many_that_went_away_a_few_are_compared(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the same name, then those of the same ending; a larger text is not compared at all."""
    monkeypatch.setattr("mic.ledger.alike.MAX_COMPARED", 2)
    gone: dict[bytes, Wanted] = {b"a/%d.txt" % n: b"other\n" for n in range(5)}
    gone |= {b"z/g.py": b"1\n2\n", b"z/f.py": b"1\n3\n", b"a/like.txt": b"1\n2\n3\n"}
    _tell(project, gone, {**dict.fromkeys(gone), b"f.py": b"1\n2\n3\n4\n"})
    assert {each.path for each in project.blame(b"f.py", 2).blame.origins} == {b"f.py", b"z/f.py"}
    monkeypatch.setattr("mic.ledger.alike.MAX_BYTES", 7)
    fresh, _ = traced(project.driver.store)
    assert {each.path for each in fresh.blame(b"f.py", 2).blame.origins} == {b"f.py"}


def test_a_copy_that_the_client_recorded(project: Project) -> None:
    """It goes on at what the copy was made from, the tree at the session's base, whatever landed meanwhile."""
    _tell(project, {b"src": b"a\nb\nc\n"}, {b"src": b"a\nb\nc\nd\n"}, {b"src": b"A\nb\nc\nd\n"})
    _copy(project, 4, 2, b"f", b"a\nb\nmine\nd\n", b"src")
    assert _where(project) == [(1, b"src", 1), (1, b"src", 2), (4, b"f", 3), (2, b"src", 4)]


@pytest.mark.parametrize("source", [b"nowhere", b"f", b"dir", b"gone", b"link"])
def test_a_recorded_source_that_is_no_file(project: Project, source: bytes) -> None:
    _tell(project, {b"dir/x": b"a\n", b"gone": b"a\n", b"link": (LINK, b"a\n")}, {b"gone": None})
    _copy(project, 3, 2, b"f", b"a\n", source)
    assert _where(project) == [(3, b"f", 1)]


def test_what_cannot_be_asked(project: Project) -> None:
    _tell(
        project,
        {b"dir/x": b"a\n", b"link": (LINK, b"dir"), b"module": (0o160000, b"m" * 40), b"binary": b"a\n\0"},
        {b"long": b"\n" * 200_001, b"was": b""},
        {b"was": None},
    )
    for path, words in (
        (b"dir", "dir is a directory"),
        (b"link", "link is a symbolic link"),
        (b"module", "module is a link to a commit elsewhere"),
        (b"binary", "binary is binary"),
    ):
        with pytest.raises(NotText, match=words):
            project.blame(path, 3)
    with pytest.raises(TooLarge, match="200001 lines"):
        project.blame(b"long", 3)
    for path, at, words in (
        (b"nowhere", 3, "there is no file nowhere at @3"),
        (b"was", 3, "there is no file was at @3"),
        (b"long", 1, "there is no file long at @1"),
        (b"dir/x", 0, "there is no file dir/x at @0"),
        (b"dir/x", 4, "position 4 does not exist"),
    ):
        with pytest.raises(NotFound, match=words):
            project.blame(path, at)


def _versions(count: int) -> list[bytes]:
    """Each version changes another of `count` lines."""
    lines = [b"%d\n" % number for number in range(count)]
    made = [b"".join(lines)]
    for number in range(count - 1):
        lines[number] = b"new %d\n" % number
        made.append(b"".join(lines))
    return made


def _ask(project: Project, cache: BlameCache, bounds: Bounds) -> Blamed:
    project.head()
    return project.run(blame(view_of(project.line), cache, b"f", project.head().position, bounds))


def test_a_bounded_effort_says_how_far_it_came(project: Project) -> None:
    """Lines that nobody found stood there at the landing that was reached; asking again goes on from there."""
    _tell(project, *({b"f": data} for data in _versions(20)))
    truth = [(number + 2, b"f", number + 1) for number in range(19)] + [(1, b"f", 20)]
    cache = BlameCache()
    found = _ask(project, cache, Bounds(versions=4)).blame
    assert found.unsettled == Origin(16, b"f", settled=False)
    assert _lines(found)[15:19] == truth[15:19]
    assert _lines(found)[:15] == [(16, b"f", number + 1) for number in range(15)]
    assert [hunk.origin.settled for hunk in found.hunks()] == [False, *[True] * 4, False]
    for reached in (12, 8, 4):
        found = _ask(project, cache, Bounds(versions=4)).blame
        assert found.unsettled == Origin(reached, b"f", settled=False)
    found = _ask(project, cache, Bounds(versions=4)).blame
    assert found.unsettled is None
    assert _lines(found) == truth
    for bounds in (Bounds(bytes=50), Bounds(ms=-1)):
        some = _ask(project, BlameCache(), bounds).blame
        assert some.unsettled is not None
        reached = some.unsettled.position
        assert [at for at, line in enumerate(_lines(some)) if line != truth[at]] == [*range(reached - 2), 19]


def test_a_version_that_is_too_large_ends_the_search(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mic.ledger.blame.MAX_BYTES", 100)
    _tell(project, {b"f": b"a\n"}, {b"f": b"a\n" + b"x" * 101}, {b"f": b"a\nb\n"})
    found = project.blame(b"f", 3).blame
    assert found.origins == (Origin(3, b"f", settled=False),)
    with pytest.raises(TooLarge):
        project.blame(b"f", 2)


def test_a_blame_is_derived_from_the_one_before_it(project: Project) -> None:
    """After one more landing only two versions are read, and a version that is asked again is read alone."""
    versions = _versions(40)
    _tell(project, *({b"f": data} for data in versions))
    before = _where(project)
    _tell(project, {b"f": versions[-1] + b"end\n"})
    reads = project.object_reads
    assert _where(project) == [*before, (41, b"f", 41)]
    assert project.object_reads - reads <= 2
    reads = project.object_reads
    assert _where(project) == [*before, (41, b"f", 41)]
    assert project.object_reads - reads == 1


@pytest.mark.parametrize(
    "lie",
    [
        Blame((Origin(1, b"f"),), array("I", [0]), array("I", [0])),
        Blame((Origin(1, b"f"),), array("I", [0, 0, 0]), array("I", [0, 1, 2])),
        Blame((Origin(9, b"f"),), array("I", [0, 0]), array("I", [0, 1])),
        Blame((Origin(1, b"f"),), array("I", [0, 1]), array("I", [0, 1])),
        Blame((Origin(2, b"elsewhere", settled=False),), array("I", [0, 0]), array("I", [0, 1])),
        Blame((Origin(1, b"f", settled=False),), array("I", [0, 0]), array("I", [0, 7])),
    ],
    ids=["short", "long", "later", "number", "place", "line"],
)
def test_a_cache_that_lies_is_thrown_away(project: Project, lie: Blame) -> None:
    _tell(project, {b"f": b"a\n"}, {b"f": b"a\nb\n"}, {b"f": b"a\nb\nc\n"})
    before = project.blame(b"f", 2)
    version = Version("p", b"f", 2, before.entry.hash)
    project.blames.put(version, lie)
    assert _where(project) == [(1, b"f", 1), (2, b"f", 2), (3, b"f", 3)]
    assert _where(project, at=2) == [(1, b"f", 1), (2, b"f", 2)]


def test_a_cache_forgets_what_was_asked_longest_ago() -> None:
    cache = BlameCache(most=3000)
    value = Blame((Origin(1, b"f"),), array("I", bytes(400)), array("I", range(100)))
    names = [Version("p", b"%d" % number, 1, b"h") for number in range(4)]
    for name in names[:3]:
        cache.put(name, value)
    assert cache.get(names[0], 100) == value
    cache.put(names[3], value)
    assert [cache.get(name, 100) is not None for name in names] == [True, False, True, True]


def test_sealed_and_imported(project: Project) -> None:
    """Through rollups and without them: landing n writes d{n % 50}/f, the whole of it."""
    store = MemoryStore()
    sealed, _ = traced(store)
    import_sealed(sealed, 1002, lambda number: b"first\n" + b"mark\n" * (number > 500) + b"%d\n" % number)
    expected = [(7, b"d07/f", 1), (507, b"d07/f", 2), (957, b"d07/f", 3)]
    assert _where(sealed, b"d07/f") == expected
    sealed.roll()
    again, _ = traced(store_of(objects_of(store)))
    assert _where(again, b"d07/f") == expected
    gone = {key: data for key, data in objects_of(store).items() if not key.endswith(".log")}
    damaged, _ = traced(store_of(gone))
    assert ".log" in damage_of(lambda: _where(damaged, b"d07/f")).message


def test_a_rollup_that_lies_is_no_first_version() -> None:
    """A file that was changed had something before: what a rollup leaves out is not taken for its beginning."""
    store = MemoryStore()
    sealed, _ = traced(store)
    import_sealed(sealed, 1002, lambda number: b"first\n%d\n" % number)
    sealed.roll()
    (rollup,) = (key for key in objects_of(store) if key.endswith(".bloom"))
    records = sealed.records(1, 1000)
    lie = roll_records([each._replace(changes=()) if each.position < 100 else each for each in records])
    liar, _ = traced(store_of({**objects_of(store), rollup: lie}))
    assert "d07/f was changed @107" in damage_of(lambda: _where(liar, b"d07/f")).message


def test_a_fork_knows_what_its_origin_knew() -> None:
    ledger = Ledger(MemoryStore())
    origin = ledger.open("p")
    origin.create()
    _tell(origin, {b"f": b"a\n"}, {b"f": b"a\nb\n"})
    ledger.fork("p", "q")
    land(origin, 100, 2, {b"f": b"A\nb\n"})
    fork = ledger.open("q")
    land(fork, 101, 2, {b"f": b"a\nb\nc\n"})
    assert _where(fork) == [(1, b"f", 1), (2, b"f", 2), (3, b"f", 3)]
    assert _where(origin) == [(3, b"f", 1), (2, b"f", 2)]
