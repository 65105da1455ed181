"""Taking in a history, sealing it, and coming back to it cold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ledgers import NOON, REGULAR, Files, Traced, check_history, contents, fold, land, session_id, traced
from mic.core.blob import encode_blob
from mic.core.errors import InvalidInput, NotFound, PreconditionFailed, StorageFull, Unavailable
from mic.core.ids import content_hash
from mic.core.session import Author, Op
from mic.ledger.effects import Effect, PutIf, PutNew
from mic.ledger.history import HistoryCommit, HistoryImport
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import DirectoryStore, MemoryStore

Commits = Sequence[Mapping[bytes, bytes | None]]


def _add(project: Project, history: HistoryImport, commits: Commits, first: int = 1) -> None:
    known: set[bytes] = set()
    for number, files in enumerate(commits, first):
        changes = []
        for path, data in sorted(files.items()):
            if data is None:
                changes.append((path, int(Op.DELETED), 0, b"", 0))
                known.discard(path)
                continue
            history.add_content(content_hash(data), len(data), encode_blob(data))
            op = Op.MODIFIED if path in known else Op.ADDED
            changes.append((path, int(op), REGULAR, content_hash(data), len(data)))
            known.add(path)
        author = Author("Grace Hopper", "grace@example.org")
        oid = number.to_bytes(20, "big")
        commit = HistoryCommit(oid, b"raw %d" % number, author, NOON + number, f"Commit {number}", changes)
        project.run(history.add_commit(commit))


def _import(project: Project, commits: Commits) -> None:
    history = project.import_history("test", bytes(range(16)))
    _add(project, history, commits)
    project.finish_import(history)


def _many(number: int) -> list[dict[bytes, bytes | None]]:
    """Commits that add, change and delete in turn; some leave the tree empty again, some repeat a content."""
    commits: list[dict[bytes, bytes | None]] = []
    for n in range(number):
        path = b"d%d/f%d" % (n % 7, n % 31)
        commits.append({path: b"%d\n" % (n % 97), b"count": b"%d" % n})
        if n % 10 == 9:
            commits[-1][b"temp/%d" % n] = b"gone soon"
        if n % 10 == 0 and n:
            commits[-1][b"temp/%d" % (n - 1)] = None
    return commits


def _model(commits: Commits, position: int) -> Files:
    files: Files = {}
    for commit in commits[:position]:
        for path, data in commit.items():
            if data is None:
                del files[path]
            else:
                files[path] = (REGULAR, data)
    return files


@pytest.fixture
def place() -> tuple[Project, Traced]:
    project, driver = traced(MemoryStore())
    project.create()
    return project, driver


def test_a_history_becomes_landings(place: tuple[Project, Traced]) -> None:
    """Message, author, time and Git's own commit are kept; the paths are what the commits say."""
    project, _ = place
    _import(project, [{b"a": b"1", b"d/b": b"2"}, {b"a": None, b"d/b": b"3"}, {}])
    assert project.head().position == 3
    newest, middle, oldest = project.landings()
    assert (oldest.session.goal, middle.session.goal, newest.session.goal) == ("Commit 1", "Commit 2", "Commit 3")
    assert middle.session.author == Author("Grace Hopper", "grace@example.org")
    assert middle.session.owner == bytes(range(16))
    assert middle.session.hlc_created == NOON + 2 << 16
    assert middle.session.id[:6] == (NOON + 2).to_bytes(6, "big")
    assert middle.session.metadata == {"git": {"commit": bytes(19) + b"\x02", "raw": b"raw 2", "source": "test"}}
    assert [(c.path, c.op) for c in middle.session.changes] == [(b"a", Op.DELETED), (b"d/b", Op.MODIFIED)]
    assert [middle.record.base_position, newest.record.changes] == [1, ()]
    assert project.find_session(middle.session.id) == 2
    assert [contents(project, n) for n in range(4)] == [
        {},
        {b"a": (REGULAR, b"1"), b"d/b": (REGULAR, b"2")},
        {b"d/b": (REGULAR, b"3")},
        {b"d/b": (REGULAR, b"3")},
    ]
    check_history(project)


@pytest.mark.parametrize("number", [1, 255, 256, 257, 300])
def test_the_tree_at_every_kind_of_position(place: tuple[Project, Traced], number: int) -> None:
    """Inside an epoch a tree is made again from the records: the same for this process and a new one."""
    project, _ = place
    commits = _many(number)
    _import(project, commits)
    for reader in (project, Ledger(project.driver.store).open("p")):
        for position in sorted({0, 1, 2, 63, 64, 65, 100, 200, 255, 256, 257, 299, 300}):
            if position <= number:
                assert contents(reader, position) == _model(commits, position), position
        with pytest.raises(NotFound, match=f"position {number + 1} does not exist"):
            reader.tree_at(number + 1)
        check_history(reader)


def test_nothing_is_visible_before_the_end(place: tuple[Project, Traced]) -> None:
    """Epochs are written on the way, and neither this process nor another one sees them."""
    project, driver = place
    other = Ledger(driver.store).open("p")
    history = project.import_history("test", bytes(16))
    _add(project, history, _many(300))
    assert len(driver.writes) > 1
    assert [name for name in driver.writes if name.startswith("PutIf")] == []
    for reader in (project, other, Ledger(driver.store).open("p")):
        assert reader.head().position == 0
        assert reader.landings() == []
        assert reader.find_session(session_id(1)) is None
    project.finish_import(history)
    assert driver.writes[-1] == "PutIf projects/p/head"
    assert other.head().position == 300
    check_history(other)


def test_an_import_that_stops_half_way_leaves_room_for_a_new_one(place: tuple[Project, Traced]) -> None:
    """Started again at the same moment with the same commits: the leftovers are in nobody's way."""
    project, driver = place
    for _ in range(3):
        _add(project, project.import_history("test", bytes(16)), _many(140))
    assert project.head().position == 0
    _import(project, _many(140))
    assert project.head().position == 140
    check_history(Ledger(driver.store).open("p"))


def test_the_same_history_makes_the_same_trees_and_sessions() -> None:
    roots, ids = [], []
    for moment in (0, 5000):
        project, driver = traced(MemoryStore())
        driver.now += moment
        project.create()
        _import(project, _many(150))
        roots.append([project.tree_at(n) for n in (1, 77, 128, 150)])
        ids.append([landing.session.id for landing in project.landings(limit=150)])
    assert roots[0] == roots[1]
    assert ids[0] == ids[1]


def test_only_an_empty_project_takes_a_history(place: tuple[Project, Traced]) -> None:
    project, _ = place
    land(project, 1, 0, {b"a": b"x"})
    with pytest.raises(InvalidInput, match="already has 1 landings"):
        project.import_history("test", bytes(16))


@pytest.mark.parametrize("seen", [True, False])
def test_who_lands_during_an_import_stands_and_the_import_is_refused(place: tuple[Project, Traced], seen: bool) -> None:
    """Whether the last look shows it or only the swap."""
    project, driver = place
    other = Ledger(driver.store).open("p")
    history = project.import_history("test", bytes(16))
    _add(project, history, _many(5))

    def steal(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            driver.before = lambda effect: None
            land(other, 1, 0, {b"mine": b"x"})

    if seen:
        land(other, 1, 0, {b"mine": b"x"})
    else:
        driver.before = steal
    with pytest.raises(InvalidInput, match="somebody landed in the project during the import"):
        project.finish_import(history)
    assert contents(project) == {b"mine": (REGULAR, b"x")}
    check_history(project)


@pytest.mark.parametrize("error", [Unavailable("gone"), PreconditionFailed("changed")])
def test_an_import_whose_last_answer_is_lost_is_finished(place: tuple[Project, Traced], error: Exception) -> None:
    project, driver = place
    history = project.import_history("test", bytes(16))
    _add(project, history, _many(140))

    def lose(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            driver.after = lambda effect: None
            raise error

    driver.after = lose
    assert project.finish_import(history).position == 140
    land(project, 1, 140, {b"more": b"x"})
    check_history(project)
    check_history(Ledger(driver.store).open("p"))


def test_a_store_that_is_full_during_an_import_leaves_the_project_empty(place: tuple[Project, Traced]) -> None:
    project, driver = place

    def full(effect: Effect) -> None:
        if isinstance(effect, PutNew | PutIf):
            raise StorageFull("no space left")

    driver.before = full
    with pytest.raises(StorageFull):
        _import(project, _many(200))
    driver.before = lambda effect: None
    assert project.head().position == 0
    _import(project, _many(200))
    check_history(project)


def test_what_a_commit_names_must_have_been_sent(place: tuple[Project, Traced]) -> None:
    project, _ = place
    history = project.import_history("test", bytes(16))
    data = b"known"
    history.add_content(content_hash(data), len(data), encode_blob(data))

    def commit(number: int, object_hash: bytes, size: int) -> HistoryCommit:
        change = (b"f%d" % number, int(Op.ADDED), REGULAR, object_hash, size)
        return HistoryCommit(bytes(20), b"", Author("A"), 0, "", [change])

    with pytest.raises(InvalidInput, match=r"content of f1 .* was not sent"):
        project.run(history.add_commit(commit(1, content_hash(b"other"), 5)))
    with pytest.raises(InvalidInput, match="f2 has 5 bytes, not 4"):
        project.run(history.add_commit(commit(2, content_hash(data), 4)))
    fresh = project.import_history("test", bytes(16))
    fresh.add_content(content_hash(data), len(data), encode_blob(data))
    for number in range(3, 131):  # the content is in an epoch by then, no longer waiting
        project.run(fresh.add_commit(commit(number, content_hash(data), 5)))
    with pytest.raises(InvalidInput, match="f200 has 5 bytes, not 6"):
        project.run(fresh.add_commit(commit(200, content_hash(data), 6)))


def test_a_history_without_a_commit_is_refused(place: tuple[Project, Traced]) -> None:
    project, _ = place
    history = project.import_history("test", bytes(16))
    with pytest.raises(InvalidInput, match="no commit"):
        project.finish_import(history)


# ------------------------------------------------------------------ sealing


@pytest.mark.parametrize("landings", [999, 1000, 1001, 2105])
def test_sealed_and_cold_gives_the_same_answers(tmp_path: Path, landings: int) -> None:
    """Walk, segments and runs: whatever a process finds of them, it answers the same."""
    store = DirectoryStore(tmp_path)
    project, _ = traced(store)
    project.create()
    commits = _many(landings)
    _import(project, commits)
    expected = project.records(1, landings)
    ids = {record.session: record.position for record in expected}
    unsealed = Ledger(store).open("p")
    assert unsealed.records(1, landings) == expected
    sealed = landings // 1000 * 1000
    assert project.seal() == sealed
    assert project.seal() == sealed
    found = sorted(item.key for item in store.list("projects/p/landing-log/") if item.key.endswith(".log"))
    assert found == [f"projects/p/landing-log/{start:012d}.log" for start in range(1, sealed, 1000)]
    for reader in (project, unsealed, Ledger(store).open("p")):
        assert reader.records(1, landings) == expected
        assert reader.records(990, 1010) == expected[989:1010]
        assert fold(reader.records(1, landings), reader.blob) == _model(commits, landings)
        assert {session: reader.find_session(session) for session in ids} == ids
        for position in (1, 500, 998, landings):
            assert contents(reader, position) == _model(commits, position)
        assert [landing.record for landing in reader.landings(limit=3)] == expected[:-4:-1]
    for number in range(3):
        land((project, unsealed)[number % 2], number, landings + number, {b"late": b"%d" % number})
    assert unsealed.seal() == (landings + 3) // 1000 * 1000
    for reader in (project, unsealed, Ledger(store).open("p")):
        check_history(reader)
        assert contents(reader)[b"late"] == (REGULAR, b"2")
        assert reader.find_session(session_id(2)) == landings + 3


def test_a_seal_that_stops_half_way_is_finished_later() -> None:
    """After each write of sealing: a new process answers the same and finishes it."""
    for step in range(4):
        store = MemoryStore()
        project, driver = traced(store)
        project.create()
        commits = _many(2010)
        _import(project, commits)
        count = [0]

        def fault(effect: Effect, count: list[int] = count, step: int = step) -> None:
            if isinstance(effect, PutNew):
                count[0] += 1
                if count[0] > step:
                    raise Unavailable("gone")

        driver.before = fault
        if step < 3:
            with pytest.raises(Unavailable):
                project.seal()
        else:
            assert project.seal() == 2000
        driver.before = lambda effect: None
        cold = Ledger(store).open("p")
        for reader in (project, cold):
            check_history(reader)
            assert reader.seal() == 2000
            check_history(reader)
        assert contents(Ledger(store).open("p"), 1500) == _model(commits, 1500)


@pytest.mark.parametrize(
    ("second", "named"),
    [
        ({b"a": b"now a file"}, "a is a directory"),
        ({b"b/c": b"now below a file"}, "b is a file"),
    ],
)
def test_no_commit_makes_a_path_both_file_and_directory(
    place: tuple[Project, Traced], second: dict[bytes, bytes | None], named: str
) -> None:
    """What no Git tree can hold is refused, whoever sends it."""
    project, _ = place
    history = project.import_history("test", bytes(16))
    _add(project, history, [{b"a/x": b"1", b"b": b"2"}])
    with pytest.raises(InvalidInput, match=named):
        _add(project, history, [second], first=2)


def test_a_commit_may_turn_a_directory_into_a_file_and_back(place: tuple[Project, Traced]) -> None:
    """The other side goes in the same commit, as Git reports it."""
    project, _ = place
    commits: Commits = [
        {b"a/x": b"1", b"a/y": b"2"},
        {b"a/x": None, b"a/y": None, b"a": b"3"},
        {b"a": None, b"a/x": b"4"},
    ]
    _import(project, commits)
    assert contents(project, 2) == {b"a": (REGULAR, b"3")}
    assert contents(project, 3) == {b"a/x": (REGULAR, b"4")}


@pytest.mark.parametrize("answers", [True, False])
def test_a_long_history_is_not_held_and_is_sealed_when_it_ends(
    place: tuple[Project, Traced], monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """Epochs are let go of two by two. When the store fails behind the swap, it has landed, and others read it."""
    project, driver = place
    monkeypatch.setattr("mic.ledger.history.EPOCH_LANDINGS", 128)
    monkeypatch.setattr("mic.ledger.history.FOLDED", 2)
    monkeypatch.setattr("mic.ledger.history.FANOUT", 3)
    commits = _many(1200)
    history = project.import_history("test", bytes(16))
    _add(project, history, commits)
    assert len(history._epochs) < 2
    assert len(history.objects.runs) < 3
    if not answers:

        def fail(effect: Effect) -> None:
            if isinstance(effect, PutNew) and effect.key.endswith(".log"):
                raise Unavailable("the store is away")

        driver.before = fail
    head = project.finish_import(history)
    driver.before = lambda effect: None
    assert head.position == 1200
    assert project.line.sealed == (1000 if answers else 0)
    assert project.head() == head
    cold = Ledger(driver.store).open("p")
    for each in (project, cold):
        assert each.head() == head
        assert contents(each) == _model(commits, 1200)
        for position in (1, 128, 129, 777, 1024, 1025, 1199):
            assert contents(each, position) == _model(commits, position)
            found = each.landing(position)
            assert each.find_session(found.record.session) == position
    land(project, 1201, 1200, {b"new": b"1"})
    assert contents(cold)[b"new"][1] == b"1"
