"""Landings committed by a sequence of commit points: where nothing is swapped, from a swapped head, across removals."""

from __future__ import annotations

import pytest

from ledgers import Traced, check_history, contents, land, request
from lying_stores import WithoutUpdates
from mic.core.commit_point import CommitPoint, decode_commit_point
from mic.core.errors import Corrupt, NotFound, Unavailable
from mic.core.head import Head, decode_head
from mic.ledger import tip
from mic.ledger.effects import Effect, PutNew
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.repair import repair
from mic.ledger.verify import Verifier
from mic.store import MemoryStore, ObjectStore

P = "projects/p/"
HEAD = f"{P}head"


def _open(store: ObjectStore, sequenced: bool = True) -> Project:
    """A front end of its own."""
    ledger = Ledger(store, sequenced=sequenced)
    ledger.driver = Traced(store)
    return ledger.open("p")


def _points(store: ObjectStore) -> list[str]:
    return [item.key.rsplit("/", 1)[1].lstrip("0") for item in store.list(f"{P}landing-log/seq/")]


def _boundaries(store: ObjectStore) -> list[int]:
    return [int(item.key.rsplit("/", 1)[1], 16) for item in store.list(f"{P}landing-log/boundary/")]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commit points stay."""
    monkeypatch.setattr(tip, "POINTS_KEPT", 2)


def test_landing_without_conditional_updates() -> None:
    """Two front ends land in turn; each commit is one new object, and a third front end finds all of it."""
    store = WithoutUpdates()
    one, two = _open(store), _open(store)
    one.create()
    assert decode_commit_point(store.get(HEAD).data, HEAD).number == 0
    assert land(one, 1, 0, {b"a": b"1\n"}).position == 1
    assert land(two, 2, 1, {b"b": b"2\n"}).position == 2
    assert land(one, 3, 0, {b"c": b"3\n"}).position == 3
    assert land(two, 1, 0, {b"a": b"1\n"}).already
    assert _points(store) == ["1", "2", "3"]
    assert contents(_open(store)) == {b"a": (0o100644, b"1\n"), b"b": (0o100644, b"2\n"), b"c": (0o100644, b"3\n")}
    check_history(two)


def test_a_swapped_head_becomes_a_sequence() -> None:
    """With the first landing of a front end that has heard of it; one that has not goes on there all the same."""
    store = MemoryStore()
    old, new = _open(store, sequenced=False), _open(store)
    old.create()
    land(old, 1, 0, {b"a": b"1\n"})
    before = decode_head(store.get(HEAD).data, HEAD)
    assert new.head() == before
    land(new, 2, 1, {b"b": b"2\n"})
    assert decode_commit_point(store.get(HEAD).data, HEAD) == CommitPoint(0, before)
    assert land(old, 3, 1, {b"c": b"3\n"}).position == 3
    assert _points(store) == ["1", "2"]
    check_history(_open(store, sequenced=False))


def test_a_copied_bucket_goes_on_where_nothing_is_swapped() -> None:
    """Heads that were swapped elsewhere, on a store that knows no conditional updates."""
    made, store = MemoryStore(), WithoutUpdates()
    project = _open(made, sequenced=False)
    project.create()
    land(project, 1, 0, {b"a": b"1\n"})
    for item in made.list(""):
        store.put(item.key, made.get(item.key).data)
    assert land(_open(store), 2, 1, {b"b": b"2\n"}).position == 2
    check_history(_open(store))


def test_old_commit_points_go_and_sleepers_begin_again() -> None:
    """Who slept while they were removed reads the newest head, and lands on it."""
    store = WithoutUpdates()
    busy, sleeper = _open(store), _open(store)
    busy.create()
    land(busy, 1, 0, {b"f1": b"1\n"})
    assert sleeper.head().position == 1
    for number in range(2, 8):
        land(busy, number, number - 1, {b"f%d" % number: b"%d\n" % number})
    assert busy.due_to_seal
    busy.seal()
    assert not busy.due_to_seal
    assert (_points(store), _boundaries(store)) == (["5", "6", "7"], [5])
    assert decode_commit_point(store.get(HEAD).data, HEAD).number == 7
    assert sleeper.head().position == 7
    assert land(sleeper, 8, 1, {b"late": b"8\n"}).position == 8
    check_history(_open(store))


def test_what_was_removed_is_not_created_anew() -> None:
    """Whoever was about to create a number while it was made by others and removed is told the truth."""
    store = WithoutUpdates()
    busy, sleeper = _open(store), _open(store)
    busy.create()
    land(busy, 1, 0, {b"f1": b"1\n"})
    slept = []

    def sleep(effect: object) -> None:
        if isinstance(effect, PutNew) and "/seq/" in effect.key and not slept:
            slept.append(effect.key)
            for number in range(2, 8):
                land(busy, number, number - 1, {b"f%d" % number: b"%d\n" % number})
            busy.seal()

    driver = sleeper.driver
    assert isinstance(driver, Traced)
    driver.before = sleep
    assert land(sleeper, 9, 1, {b"late": b"9\n"}).position == 8
    assert slept == [f"{P}landing-log/seq/{2:016x}"]
    # What it made lies below the boundary: nobody counts it, and it goes with the next removal.
    assert _points(store) == ["2", "5", "6", "7", "8"]
    assert sleeper.head().position == busy.head().position == _open(store).head().position == 8
    check_history(_open(store))


def test_a_late_head_object_is_no_harm() -> None:
    """It says where to begin, no more."""
    store = WithoutUpdates()
    project = _open(store)
    project.create()
    early = store.get(HEAD).data
    for number in range(1, 8):
        land(project, number, number - 1, {b"f%d" % number: b"%d\n" % number})
    project.seal()
    store.put(HEAD, early)
    assert _open(store).head().position == 7


def test_a_deleted_project_is_gone_for_those_who_knew_it() -> None:
    """No landing brings a part of it back."""
    store = WithoutUpdates()
    ledger, project = Ledger(store, sequenced=True), _open(store)
    project.create()
    land(project, 1, 0, {b"a": b"1\n"})
    wish = request(project, 2, 1, {b"b": b"2\n"})
    ledger.condemn("p")
    ledger.erase("p")
    with pytest.raises((NotFound, Corrupt)):
        project.land(wish)
    assert [item.key for item in store.list(f"{P}landing-log/seq/")] == []


@pytest.mark.parametrize("damage", [b"", b"MICQ", b"x" * 68])
def test_damage_stops_the_project_and_repair_mends_it(damage: bytes) -> None:
    """A spoiled newest commit point: an error that names it; repair puts the head on the newest complete landing."""
    store = WithoutUpdates()
    project = _open(store)
    project.create()
    for number in range(1, 4):
        land(project, number, number - 1, {b"f": b"%d\n" % number})
    key = f"{P}landing-log/seq/{3:016x}"
    store.put(key, damage)
    with pytest.raises(Corrupt) as found:
        _open(store).head()
    assert found.value.details["object"] == key
    driver = Ledger(store).driver
    findings = list(Verifier("p", driver.run).findings())
    assert [(finding.kind, finding.object) for finding in findings] == [("damaged", key)]
    done = driver.run(repair("p", findings, known=3))
    assert done == ["the head stands at @3 again", f"{key} was set aside"]
    assert not [f for f in Verifier("p", driver.run).findings() if f.kind != "unreachable"]
    assert project.head().position == 3
    assert land(_open(store), 4, 3, {b"f": b"4\n"}).position == 4
    check_history(project)


def test_verify_reads_commit_points() -> None:
    """Sound ones are named, one that leads elsewhere is a finding."""
    store = WithoutUpdates()
    project = _open(store)
    project.create()
    for number in range(1, 4):
        land(project, number, number - 1, {b"f": b"%d\n" % number})
    assert list(Verifier("p", project.run).findings()) == []
    key = f"{P}landing-log/seq/{1:016x}"
    store.put(key, CommitPoint(1, Head(1, bytes(32), 5)).encode())
    findings = list(Verifier("p", Ledger(store).driver.run).findings())
    assert [(finding.kind, finding.object) for finding in findings] == [("wrong", key)]
    driver = Ledger(store).driver
    assert driver.run(repair("p", findings, known=3)) == [f"{key} was set aside"]
    assert _open(store).head().position == 3


def test_a_fork_on_such_a_store_becomes_independent() -> None:
    """Its origin object is replaced without a condition, since all writers would write the same."""
    store = WithoutUpdates()
    ledger = Ledger(store, sequenced=True)
    origin = ledger.open("p")
    origin.create()
    land(origin, 1, 0, {b"a": b"1\n"})
    ledger.fork("p", "q")
    fork = ledger.open("q")
    assert land(fork, 2, 1, {b"b": b"2\n"}).position == 2
    ledger.condemn("p")
    assert ledger.release_forks("p") == 1
    ledger.erase("p")
    assert set(contents(Ledger(store, sequenced=True).open("q"))) == {b"a", b"b"}


def test_an_error_of_the_store_is_not_taken_for_an_unknown_request() -> None:
    """Only a store that knows no conditional updates is written to without the condition."""
    store = MemoryStore()
    old = _open(store, sequenced=False)
    old.create()
    land(old, 1, 0, {b"a": b"1\n"})
    new = _open(store)

    def fail(effect: object) -> None:
        if getattr(effect, "key", "") == HEAD and type(effect).__name__ == "PutIf":
            raise Unavailable("503", status=503)

    driver = new.driver
    assert isinstance(driver, Traced)
    driver.before = fail
    with pytest.raises(Unavailable):
        land(new, 2, 1, {b"b": b"2\n"})
    assert decode_head(store.get(HEAD).data, HEAD).position == 1


def test_a_check_while_others_land_and_tidy() -> None:
    """Commit points that came since the head was read, and boundaries that went, are no findings."""
    landed = 0
    for moment in range(40):
        store = WithoutUpdates()
        busy, checking = _open(store), _open(store)
        busy.create()
        for number in range(1, 6):
            land(busy, number, number - 1, {b"a": b"%d\n" % number})
        busy.seal()
        assert _boundaries(store)
        effects: list[Effect] = []

        def lands(effect: Effect, effects: list[Effect] = effects, busy: Project = busy, moment: int = moment) -> None:
            effects.append(effect)
            if len(effects) == moment + 1:
                for number in range(6, 11):
                    land(busy, number, number - 1, {b"a": b"%d\n" % number})
                busy.seal()

        driver = checking.driver
        assert isinstance(driver, Traced)
        driver.before = lands
        assert {finding.kind for finding in Verifier("p", checking.run).findings()} <= {"unreachable"}, moment
        landed += len(effects) > moment
    assert landed > 15


def test_tidying_does_not_bring_an_erased_project_back() -> None:
    """Who knew the line before it was erased finds no head, and leaves none."""
    store = MemoryStore()
    project = _open(store)
    project.create()
    for number in range(1, 6):
        land(project, number, number - 1, {b"a": b"%d\n" % number})
    Ledger(store).erase("p")
    with pytest.raises(NotFound):
        project.run(tip.tidy(project.line))
    assert not list(store.list(P))
