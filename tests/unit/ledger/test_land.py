"""Landing: the order of writes, what merges, what clashes, what is refused, what is said twice."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from ledgers import (
    EXECUTABLE,
    LINK,
    REGULAR,
    Traced,
    Wanted,
    check_history,
    contents,
    land,
    request,
    session_id,
    traced,
)
from mic.core.blob import encode_blob
from mic.core.errors import BaseMismatch, Conflicted, InvalidInput, InvalidPath, NothingToLand
from mic.core.ids import content_hash
from mic.core.session import Change, Op, State
from mic.ledger.conflict import Clash
from mic.ledger.effects import PutIf, PutNew
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore

EMPTY = "90969de4f645cd55fcbb8f1559c35f6b458ce7baf5754364064df1da68deec1f"
TEN = b"".join(b"line %d\n" % number for number in range(10))


@pytest.fixture
def place() -> tuple[Project, Traced]:
    """An empty project and the driver that it runs on."""
    project, driver = traced(MemoryStore())
    project.create()
    return project, driver


@pytest.fixture
def project(place: tuple[Project, Traced]) -> Project:
    return place[0]


def test_a_new_project_is_position_0_and_making_it_again_changes_nothing(place: tuple[Project, Traced]) -> None:
    project, driver = place
    first = project.head()
    driver.now += 1000
    assert project.create() == first
    assert (first.position, first.tree.hex()) == (0, EMPTY)
    assert project.landings() == []
    assert project.list_dir(project.tree_at(0)) == []


def test_the_record_is_written_first_and_the_head_last(place: tuple[Project, Traced]) -> None:
    """Exactly two writes a landing: the epoch, which the new head names, then the head."""
    project, driver = place
    land(project, 1, 0, {b"a": b"one"})
    driver.effects.clear()
    landed = land(project, 2, 1, {b"a": b"two", b"b/c": b"three"})
    head = project.head()
    epoch = f"projects/p/landing-log/tail/{2:016x}-{head.hlc:016x}-{landed.tree[:8].hex()}"
    assert driver.writes == [f"PutNew {epoch}", "PutIf projects/p/head"]
    swap = next(effect for effect in driver.effects if isinstance(effect, PutIf))
    assert swap.data == (2).to_bytes(8, "big") + landed.tree + head.hlc.to_bytes(8, "big")


def test_what_was_sent_comes_back(project: Project) -> None:
    """The landed session holds what was sent; the record names its paths, sorted, with what they became."""
    sent = request(project, 1, 0, {b"z": b"last", b"a": (EXECUTABLE, b"first"), b"l": (LINK, b"a")})
    landed = project.land(sent)
    assert landed.position == 1
    again = project.landing(1)
    assert again.session == landed.session
    expected = msgspec.structs.replace(sent.session, state=int(State.LANDED), hlc_updated=project.head().hlc)
    assert again.session == expected
    changes = [(c.path, c.op, c.entry and (c.entry.mode, c.entry.size)) for c in again.record.changes]
    assert changes == [(b"a", 0, (EXECUTABLE, 5)), (b"l", 0, (LINK, 1)), (b"z", 0, (REGULAR, 4))]
    assert contents(project) == {b"a": (EXECUTABLE, b"first"), b"l": (LINK, b"a"), b"z": (REGULAR, b"last")}
    assert contents(project, 0) == {}


def test_the_clock_grows_when_the_wall_clock_does_not(place: tuple[Project, Traced]) -> None:
    project, driver = place
    for number in range(1, 6):
        driver.now -= 3_600_000
        land(project, number, number - 1, {b"a": b"%d" % number})
    check_history(project)


def test_a_base_older_than_the_head_lands_on_top(project: Project) -> None:
    """Disjoint changes from one base all land, in any order, and the base stays what it was."""
    land(project, 1, 0, {b"a": b"a", b"b": b"b", b"c": b"c"})
    for number, path in enumerate([b"c", b"a", b"b"], 2):
        assert land(project, number, 1, {path: b"new"}).merged == ()
    assert contents(project) == {path: (REGULAR, b"new") for path in (b"a", b"b", b"c")}
    assert project.landing(4).session.base_position == 1
    check_history(project)


@pytest.mark.parametrize("change", [(REGULAR, b"same"), (EXECUTABLE, b"same"), None])
def test_the_same_edit_twice_converges(project: Project, change: Wanted) -> None:
    """Two sessions that want the same are no clash; the second landing says that it was so already."""
    land(project, 1, 0, {b"f": b"before", b"g": b"g"})
    land(project, 2, 1, {b"f": change})
    landed = land(project, 3, 1, {b"f": change, b"g": b"mine"})
    assert landed.session is not None
    assert [c.path for c in landed.session.changes] == [b"g"]
    assert landed.session.metadata == {"already_so": [b"f"]}
    files = contents(project)
    assert files.pop(b"g") == (REGULAR, b"mine")
    assert files == ({} if change is None else {b"f": change})
    check_history(project)


def test_a_session_that_is_wholly_so_already_still_lands(project: Project) -> None:
    """Its words belong to the history even when nothing is left to change."""
    land(project, 1, 0, {b"f": b"new"})
    landed = land(project, 2, 0, {b"f": b"new"})
    assert (landed.position, landed.tree) == (2, project.tree_at(1))
    assert project.landing(2).record.changes == ()
    assert project.landing(2).session.goal == "Goal 2"
    check_history(project)


MERGES: list[tuple[str, Wanted, Wanted, tuple[int, bytes]]] = [
    ("mode against content", (EXECUTABLE, TEN), b"other\n", (EXECUTABLE, b"other\n")),
    ("content against mode", b"other\n", (EXECUTABLE, TEN), (EXECUTABLE, b"other\n")),
    ("same mode, one content", (EXECUTABLE, TEN), (EXECUTABLE, b"other\n"), (EXECUTABLE, b"other\n")),
    (
        "disjoint lines",
        TEN.replace(b"line 1\n", b"ONE\n"),
        TEN.replace(b"line 8\n", b"EIGHT\n"),
        (REGULAR, TEN.replace(b"line 1\n", b"ONE\n").replace(b"line 8\n", b"EIGHT\n")),
    ),
    (
        "disjoint lines and a mode",
        (EXECUTABLE, TEN.replace(b"line 1\n", b"ONE\n")),
        TEN.replace(b"line 8\n", b""),
        (EXECUTABLE, TEN.replace(b"line 1\n", b"ONE\n").replace(b"line 8\n", b"")),
    ),
    (
        "disjoint lines and a mode that only old repositories have",
        (0o100664, TEN.replace(b"line 1\n", b"ONE\n")),
        TEN.replace(b"line 8\n", b""),
        (0o100664, TEN.replace(b"line 1\n", b"ONE\n").replace(b"line 8\n", b"")),
    ),
]


@pytest.mark.parametrize(("first", "second", "expected"), [case[1:] for case in MERGES], ids=[c[0] for c in MERGES])
def test_edits_of_one_file_that_merge(
    project: Project, first: Wanted, second: Wanted, expected: tuple[int, bytes]
) -> None:
    """Mode and content merge each on its own, contents by lines; the client is told what landed instead."""
    land(project, 1, 0, {b"f": TEN})
    land(project, 2, 1, {b"f": first})
    landed = land(project, 3, 1, {b"f": second})
    assert contents(project) == {b"f": expected}
    sent = second if isinstance(second, tuple) else (REGULAR, second)
    merged = [(c.path, c.mode, c.hash) for c in landed.merged]
    assert merged == ([] if sent == expected else [(b"f", expected[0], content_hash(expected[1]))])
    if merged:
        assert landed.session is not None
        assert landed.session.metadata["merged"] == [
            {"path": b"f", "sent": content_hash(sent[1]), "base": content_hash(TEN)}
        ]
    cold = Ledger(project.driver.store).open("p")
    assert contents(cold) == {b"f": expected}
    check_history(project)


BINARY = b"\x00" + TEN
CLASHES: list[tuple[str, Wanted, Wanted, Wanted]] = [
    ("the same line", TEN, TEN.replace(b"5", b"five"), TEN.replace(b"5", b"V")),
    ("deleted there, modified here", TEN, None, b"mine"),
    ("modified there, deleted here", TEN, b"theirs", None),
    ("only the mode there, deleted here", TEN, (EXECUTABLE, TEN), None),
    ("both added", None, b"theirs", b"mine"),
    ("both added with another mode", None, (EXECUTABLE, b"same"), (REGULAR, b"same")),
    ("binary", BINARY, BINARY + b"theirs\n", b"\x00mine\n" + BINARY),
    ("a link", (LINK, b"a"), (LINK, b"b"), (LINK, b"c")),
    ("a link against a content", TEN, (LINK, b"b"), TEN + b"mine\n"),
    ("two new modes", (REGULAR, TEN), (EXECUTABLE, TEN), (0o100664, TEN)),
    (
        "too large to merge",
        TEN + bytes(b"x\n" * (1 << 19)),
        b"top\n" + TEN + b"x\n" * (1 << 19),
        TEN + b"y\n" * (1 << 19),
    ),
]


@pytest.mark.parametrize(("base", "theirs", "ours"), [case[1:] for case in CLASHES], ids=[c[0] for c in CLASHES])
def test_a_clash_carries_both_sides_the_base_and_the_position_and_changes_nothing(
    project: Project, base: Wanted, theirs: Wanted, ours: Wanted
) -> None:
    land(project, 1, 0, {b"other": b"x"} | ({b"f": base} if base is not None else {}))
    land(project, 2, 1, {b"f": theirs})
    land(project, 3, 2, {b"other": b"y"})
    store = project.driver.store
    before = [(item.key, store.get(item.key)) for item in store.list("")]
    with pytest.raises(Conflicted) as caught:
        land(project, 4, 1, {b"f": ours, b"fine": b"fine"})
    (clash,) = caught.value.details["clashes"]
    assert isinstance(clash, Clash)
    assert (clash.path, clash.reason, clash.theirs_position) == (b"f", "changed", 2)
    for entry, wanted in ((clash.base, base), (clash.ours, ours), (clash.theirs, theirs)):
        if wanted is None:
            assert entry is None
        else:
            data = wanted[1] if isinstance(wanted, tuple) else wanted
            assert entry is not None
            assert (entry.hash, entry.size) == (content_hash(data), len(data))
    assert "f" in caught.value.message
    assert [(item.key, store.get(item.key)) for item in store.list("")] == before
    assert project.head().position == 3
    assert land(project, 4, 3, {b"f": b"after taking in"}).position == 4


# ------------------------------------------------------------------ files against directories


@pytest.mark.parametrize("many", [1, 63, 64, 65, 200])
def test_a_file_where_others_put_a_directory(project: Project, many: int) -> None:
    land(project, 1, 0, {b"x": b"x"})
    land(project, 2, 1, {b"d/%03d" % n: b"%d" % n for n in range(many)})
    with pytest.raises(Conflicted) as caught:
        land(project, 3, 1, {b"d": b"a file"})
    (clash,) = caught.value.details["clashes"]
    assert (clash.path, clash.reason, clash.theirs_position) == (b"d", "file_over_directory", 2)
    assert clash.theirs.path == b"d/000"
    assert project.head().position == 2


def test_a_directory_where_others_put_a_file(project: Project) -> None:
    land(project, 1, 0, {b"x": b"x"})
    land(project, 2, 1, {b"d/e": b"a file"})
    with pytest.raises(Conflicted) as caught:
        land(project, 3, 1, {b"d/e/f/g": b"below"})
    (clash,) = caught.value.details["clashes"]
    assert (clash.path, clash.reason, clash.theirs_position) == (b"d/e/f/g", "directory_over_file", 2)
    assert clash.theirs.path == b"d/e"


@pytest.mark.parametrize("many", [1, 64, 65, 200])
def test_a_session_may_put_a_file_in_the_place_of_what_it_deletes(project: Project, many: int) -> None:
    """Also when the directory holds more than one look shows; a file that it does not delete still clashes."""
    files = [b"d/%03d" % n for n in range(many)]
    land(project, 1, 0, dict.fromkeys(files, b"x"))
    gone: dict[bytes, Wanted] = dict.fromkeys(files)
    if many > 1:
        kept = dict(itertools.islice(gone.items(), many - 1))
        with pytest.raises(Conflicted) as caught:
            land(project, 2, 1, kept | {b"d": b"a file"})
        (clash,) = caught.value.details["clashes"]
        assert clash.theirs.path == files[-1]
    land(project, 3, 1, gone | {b"d": b"a file"})
    assert contents(project) == {b"d": (REGULAR, b"a file")}
    back: dict[bytes, Wanted] = {b"d": None, b"d/again": b"y"}
    land(project, 4, 2, back)
    assert contents(project) == {b"d/again": (REGULAR, b"y")}
    check_history(project)


def test_a_file_that_landed_meanwhile_is_not_hidden_by_a_file_over_its_directory(project: Project) -> None:
    """The session deletes all that it knew; what came since is not lost."""
    land(project, 1, 0, {b"d/1": b"x", b"d/2": b"x"})
    land(project, 2, 1, {b"d/3": b"new"})
    with pytest.raises(Conflicted) as caught:
        land(project, 3, 1, {b"d/1": None, b"d/2": None, b"d": b"a file"})
    (clash,) = caught.value.details["clashes"]
    assert (clash.path, clash.reason, clash.theirs.path, clash.theirs_position) == (
        b"d",
        "file_over_directory",
        b"d/3",
        2,
    )


def test_neighbours_around_the_slash_are_not_below(project: Project) -> None:
    """`d.x`, `d-x` and `d0` sort around `d/` and are no part of it."""
    land(project, 1, 0, {b"d.x": b"1", b"d-x": b"2", b"d0": b"3"})
    land(project, 2, 0, {b"d": b"a file"})
    assert sorted(contents(project)) == [b"d", b"d-x", b"d.x", b"d0"]


# ------------------------------------------------------------------ said twice, said wrongly


def test_landing_twice_answers_with_the_position(place: tuple[Project, Traced]) -> None:
    """The same session again changes nothing, also through another front end and from a newer base."""
    project, driver = place
    land(project, 1, 0, {b"a": b"1"})
    first = land(project, 2, 1, {b"a": b"2"})
    land(project, 3, 2, {b"a": b"3"})
    driver.effects.clear()
    again = land(project, 2, 1, {b"a": b"2"})
    assert (again.position, again.tree, again.already) == (2, first.tree, True)
    assert driver.writes == []
    cold = Ledger(project.driver.store).open("p")
    assert land(cold, 2, 3, {b"q": b"other"}).already
    assert cold.find_session(session_id(2)) == 2
    assert cold.find_session(session_id(9)) is None
    check_history(cold)


def test_nothing_to_land(project: Project) -> None:
    sent = request(project, 1, 0, {})
    with pytest.raises(NothingToLand, match="changes nothing"):
        project.land(sent)
    assert project.head().position == 0


H = content_hash(b"one")
BAD_BASES = {
    "modified where nothing was": Change(b"new", int(Op.MODIFIED), REGULAR, H, 3),
    "deleted where nothing was": Change(b"new", int(Op.DELETED), 0),
    "added where a file was": Change(b"f", int(Op.ADDED), REGULAR, H, 3),
    "another content": Change(b"f", int(Op.MODIFIED), REGULAR, H, 3, H, REGULAR),
    "another mode": Change(b"f", int(Op.MODIFIED), REGULAR, H, 3, content_hash(TEN), EXECUTABLE),
    "deleted with another content": Change(b"f", int(Op.DELETED), 0, b"", 0, H, REGULAR),
}


@pytest.mark.parametrize("change", BAD_BASES.values(), ids=BAD_BASES)
def test_a_base_that_was_not_so_is_refused(project: Project, change: Change) -> None:
    land(project, 1, 0, {b"f": TEN})
    sent = request(project, 2, 1, {})
    session = msgspec.structs.replace(sent.session, changes=(change,))
    with pytest.raises(BaseMismatch, match="was not like that at position 1"):
        project.land(sent._replace(session=session, contents={H: encode_blob(b"one")}))
    assert project.head().position == 1


def test_a_base_beyond_the_head_is_refused(project: Project) -> None:
    sent = request(project, 1, 0, {b"f": b"x"})
    session = msgspec.structs.replace(sent.session, base_position=7)
    with pytest.raises(InvalidInput, match="position 7; the newest is 0"):
        project.land(sent._replace(session=session))


def test_a_content_that_was_not_sent_is_refused(project: Project) -> None:
    sent = request(project, 1, 0, {b"dir/f": b"x", b"g": b"y"}, send=False)
    with pytest.raises(InvalidInput, match=r"content of dir/f .* was not sent"):
        project.land(sent)
    assert [item.key for item in project.driver.store.list("")] == ["projects/p/head"]


def test_a_session_is_not_a_content(project: Project) -> None:
    """The hash of something that the project holds, but not as a content: its words have readers of their own."""
    land(project, 1, 0, {b"f": b"x"})
    held = project.landing(1).record.session_object
    sent = request(project, 2, 1, {})
    change = Change(b"g", int(Op.ADDED), REGULAR, held, 60)
    with pytest.raises(InvalidInput, match="was not sent"):
        project.land(sent._replace(session=msgspec.structs.replace(sent.session, changes=(change,))))


def test_a_content_that_is_there_need_not_be_sent_but_its_size_must_be_right(project: Project) -> None:
    land(project, 1, 0, {b"f": b"known"})
    assert project.land(request(project, 2, 1, {b"copy": b"known"}, send=False)).position == 2
    for send in (True, False):
        sent = request(project, 3, 2, {b"f2": b"known"}, send=send)
        (change,) = sent.session.changes
        wrong = msgspec.structs.replace(sent.session, changes=(msgspec.structs.replace(change, size=6),))
        with pytest.raises(InvalidInput, match="f2 has 5 bytes, not 6 as the session says"):
            project.land(sent._replace(session=wrong))
    assert project.head().position == 2


@pytest.mark.parametrize("path", [b"", b"/a", b"a/../b", b"..", b"a//b", b"a/", b"./a", b"a\x00b", b"x" * 16_385])
def test_paths_that_no_tree_can_hold_are_refused(project: Project, path: bytes) -> None:
    sent = request(project, 1, 0, {})
    change = Change(path, int(Op.ADDED), REGULAR, H, 3)
    with pytest.raises(InvalidPath):
        project.land(sent._replace(session=msgspec.structs.replace(sent.session, changes=(change,))))
    assert project.head().position == 0


@pytest.mark.parametrize("paths", [(b"a", b"a"), (b"a", b"a/b"), (b"a/b/c", b"a")])
def test_a_session_that_contradicts_itself_is_refused(project: Project, paths: tuple[bytes, bytes]) -> None:
    sent = request(project, 1, 0, {b"x": b"one"})
    changes = tuple(Change(path, int(Op.ADDED), REGULAR, H, 3) for path in paths)
    with pytest.raises(InvalidInput, match=r"twice in one session|file and a directory at once"):
        project.land(sent._replace(session=msgspec.structs.replace(sent.session, changes=changes)))


def test_names_that_a_working_copy_must_not_hold_are_kept_in_history(project: Project) -> None:
    odd: dict[bytes, Wanted] = {
        b".git/config": b"1",
        b".mic/x": b"2",
        b"\xff\xfe": b"3",
        b"a\nb": b"4",
        b"x" * 16_384: b"5",
    }
    land(project, 1, 0, odd)
    assert {path: data for path, (_, data) in contents(project).items()} == odd


def test_only_contents_that_the_session_names_are_kept(place: tuple[Project, Traced]) -> None:
    """A content that came along and belongs to no change is not stored."""
    project, driver = place
    sent = request(project, 1, 0, {b"a": b"wanted"})
    extra = content_hash(b"stowaway")
    project.land(sent._replace(contents=dict(sent.contents) | {extra: encode_blob(b"stowaway")}))
    assert not project.has_blob(extra)
    assert project.has_blob(content_hash(b"wanted"))
    assert len([effect for effect in driver.effects if isinstance(effect, PutNew)]) == 2


def test_a_file_that_became_a_link_does_not_merge_with_an_edit(project: Project) -> None:
    """The text of a file is no target of a link, although one side changed only the mode and the other the content."""
    land(project, 1, 0, {b"f": b"target\n"})
    land(project, 2, 1, {b"f": (LINK, b"target\n")})
    with pytest.raises(Conflicted):
        land(project, 3, 1, {b"f": b"edited\n"})
