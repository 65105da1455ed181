"""Forks: what they share with their origin, what they do not, and how they let it go."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from ledgers import Files, Traced, check_history, contents, damage_of, land, objects_of, session_id, store_of, traced
from mic.core.epoch import DELTA, NODE, SESSION
from mic.core.errors import AlreadyExists, Corrupt, NotFound, TooLarge, Unavailable
from mic.core.ids import content_hash
from mic.core.origin import Origin, Tie, decode_origin, encode_origin
from mic.core.record import Record
from mic.ledger.effects import Delete, Effect, Get, Put, PutIf, PutNew
from mic.ledger.follow import MAX_DEPTH
from mic.ledger.fork import fork, materialise, release
from mic.ledger.ledger import Ledger
from mic.ledger.line import Line
from mic.ledger.project import Project
from mic.ledger.verify import Verifier
from mic.store import MemoryStore

OBJECT_KINDS = {NODE, DELTA, SESSION}  # what an epoch of one changed text holds
FORK_POINTS = (0, 1, 999, 1000, 1001, 1500)
NEWEST = 1510


def _text(number: int) -> bytes:
    return b"landing %d\n" % number


def _grow(project: Project, first: int, last: int, shift: int = 0) -> None:
    """Landings first..last; each writes one of ten files. Seals what is due, as the projector does."""
    for number in range(first, last + 1):
        land(project, number + shift, number - 1, {b"d/%d" % (number % 10): _text(number + shift)})
    project.seal()


def _files(last: int, own: int, shift: int) -> Files:
    """What landings 1..last leave, of which those behind `own` are shifted: by counting, without any ledger."""
    files: Files = {}
    for number in range(1, last + 1):
        files[b"d/%d" % (number % 10)] = (0o100644, _text(number + (shift if number > own else 0)))
    return files


@pytest.fixture(scope="module")
def grown() -> dict[str, bytes]:
    """A project with 1,510 landings, forked as f0, f1, f999, ... on the way."""
    store = MemoryStore()
    origin, _ = traced(store, "o")
    origin.create()
    at = 0
    for point in FORK_POINTS:
        _grow(origin, at + 1, point)
        at = point
        Ledger(store).fork("o", f"f{point}")
    _grow(origin, at + 1, NEWEST)
    return objects_of(store)


@pytest.fixture
def store(grown: dict[str, bytes]) -> MemoryStore:
    return store_of(grown)


def _cold(store: MemoryStore, name: str) -> Project:
    return Ledger(store).open(name)


def _answers(project: Project) -> tuple[list[Record], Files]:
    last = project.head().position
    return project.records(1, last), contents(project)


# ------------------------------------------------------------------ reading through


@pytest.mark.parametrize("point", FORK_POINTS)
def test_a_fork_holds_what_its_origin_held(store: MemoryStore, point: int) -> None:
    """The same head, records, trees, sessions and contents up to the fork point, and nothing behind it."""
    origin, forked = _cold(store, "o"), _cold(store, f"f{point}")
    assert forked.head().position == point
    assert contents(forked) == _files(point, point, 0)
    assert forked.records(1, NEWEST) == origin.records(1, point)
    for position in {0, 1, point // 2, point} if point else {0}:
        assert forked.tree_at(position) == origin.tree_at(position)
        assert contents(forked, position) == _files(position, position, 0)
    if point:
        assert forked.landing(point) == origin.landing(point)
        assert forked.find_session(session_id(point)) == point
        assert forked.has_blob(content_hash(_text(point)))
    for later in (point + 1, NEWEST):
        assert forked.find_session(session_id(later)) is None
        assert not forked.has_blob(content_hash(_text(later)))
        assert origin.has_blob(content_hash(_text(later)))
        with pytest.raises(NotFound):
            forked.tree_at(later)


@pytest.mark.parametrize("point", FORK_POINTS)
@pytest.mark.parametrize("more", [1, 2, 600, 1100])
def test_a_fork_goes_its_own_way(store: MemoryStore, point: int, more: int) -> None:
    """Positions continue, segments and runs around the fork point are whole, the origin notices nothing."""
    before = _answers(_cold(store, "o"))
    last, shift = point + more, 50_000
    warm, _ = traced(store, f"f{point}")
    _grow(warm, point + 1, last, shift)
    cold = _cold(store, f"f{point}")
    assert _answers(cold) == _answers(warm)
    assert contents(cold) == _files(last, point, shift)
    assert [record.position for record in cold.records(1, last)] == list(range(1, last + 1))
    for position in {1, point, point + 1, 999, 1000, 1001, last} & set(range(1, last + 1)):
        landed = position + (shift if position > point else 0)
        assert cold.records(position, position)[0].session == session_id(landed)
        assert cold.landing(position).session.goal == f"Goal {landed}"
        assert cold.find_session(session_id(landed)) == position
    segments = {key for key in objects_of(store) if key.startswith(f"projects/f{point}/") and key.endswith(".log")}
    sealed = {start for start in range(1, last, 1000) if point < start + 999 <= last}
    assert segments == {f"projects/f{point}/landing-log/{start:012d}.log" for start in sealed}
    assert _answers(_cold(store, "o")) == before


def test_a_fork_and_its_origin_may_land_the_same(store: MemoryStore) -> None:
    """The same session and content land in both; a session that both share has landed already in the fork."""
    forked = _cold(store, "f1500")
    assert land(forked, 1501, 1500, {b"d/1": _text(1501)}).position == 1501
    again = land(forked, 700, 699, {b"d/0": _text(700)})
    assert (again.position, again.already) == (700, True)
    check_history(forked)


def test_what_a_fork_shares_is_not_written_again(store: MemoryStore) -> None:
    """A content that the origin held at the fork point costs the fork nothing; one that came later is its own."""
    forked = _cold(store, "f1500")
    shared, own = _text(3), _text(1505)
    land(forked, 9001, 1500, {b"again": shared})
    land(forked, 9002, 1501, {b"later": own})
    places = [forked.line.objects.find(content_hash(data)) for data in (shared, own)]
    assert [place.key.split("/")[1] for place in places if place] == ["o", "f1500"]


@pytest.mark.parametrize("landings", [10, 10_000])
def test_forking_costs_three_small_writes(landings: int) -> None:
    """However long the history."""
    store = MemoryStore()
    origin, _ = traced(store, "o")
    origin.create()
    for stop in range(min(1000, landings), landings + 1, 1000):
        _grow(origin, max(stop - 999, 1), stop)
    driver = Traced(store)
    driver.run(fork(Line("o", origin.line.cache), Line("f", origin.line.cache)))
    assert driver.writes == ["PutNew projects/o/forks/f", "PutNew projects/f/origin", "PutNew projects/f/head"]
    sizes = [len(effect.data) for effect in driver.effects if isinstance(effect, PutNew)]
    assert sizes == [61, 61, 48]
    assert _cold(store, "f").head().position == landings


def test_forks_of_forks(store: MemoryStore) -> None:
    """Each adds to what it was forked from; the last one reads through all of them."""
    ledger = Ledger(store)
    names = ["f999", "g", "h", "i"]
    for number, (below, name) in enumerate(itertools.pairwise(names)):
        _grow(ledger.open(below), 1000 + number, 1000 + number, 70_000)
        assert ledger.fork(below, name).position == 1000 + number
    last = _cold(store, "i")
    assert contents(last) == _files(1002, 999, 70_000)
    check_history(last)
    assert last.find_session(session_id(71_002)) == 1002
    assert last.find_session(session_id(1000)) is None  # the origin's own @1000


def test_forks_of_forks_have_an_end(store: MemoryStore) -> None:
    """32 read through each other; the next one is refused in words, and has written nothing."""
    ledger = Ledger(store)
    below = "o"
    for depth in range(1, MAX_DEPTH + 1):
        ledger.fork(below, f"d{depth}")
        below = f"d{depth}"
    assert contents(_cold(store, below)) == _files(NEWEST, NEWEST, 0)
    before = objects_of(store)
    with pytest.raises(TooLarge, match="the last of 32 forks of forks"):
        ledger.fork(below, "too-deep")
    assert objects_of(store) == before


def test_forking_again_changes_nothing(store: MemoryStore) -> None:
    """A second try with the same name answers with the first head, and another origin is refused."""
    ledger = Ledger(store)
    assert ledger.fork("o", "f1000").position == 1000
    with pytest.raises(AlreadyExists):
        ledger.fork("f1", "f1000")
    with pytest.raises(NotFound):
        ledger.fork("absent", "x")
    assert not [key for key in objects_of(store) if key.startswith("projects/x/")]


def test_asking_again_while_the_origin_goes(store: MemoryStore) -> None:
    """What was forked before stays registered, so the deletion sees it; what was not cannot come to be."""
    ledger = Ledger(store)
    expected = _answers(_cold(store, "f1000"))
    ledger.condemn("o")
    assert ledger.fork("o", "f1000").position == 1000
    with pytest.raises(NotFound):
        ledger.fork("o", "late")
    _delete(store, "o")
    assert _answers(_cold(store, "f1000")) == expected
    assert not [key for key in objects_of(store) if key.startswith("projects/o/")]


def test_two_ask_for_a_fork_while_the_origin_goes() -> None:
    """The mark is set between the two: the second one's withdrawal holds for the first, who has looked before it."""
    store = _small()
    ledger, first = Ledger(store), Traced(store)

    def before(effect: Effect) -> None:
        if effect == PutNew("projects/g/origin", encode_origin(Origin("o", head))):
            ledger.condemn("o")
            with pytest.raises(NotFound):
                ledger.fork("o", "g")

    head = ledger.open("o").head()
    first.before = before
    with pytest.raises(NotFound):
        first.run(fork(Line("o", ledger.cache), Line("g", ledger.cache)))
    assert "projects/g/head" not in objects_of(store)


# ------------------------------------------------------------------ letting go


def test_a_fork_that_is_being_copied_is_sound() -> None:
    """Its own runs lead to its copies, and what names the origin says still that it reads through."""
    store = _small()
    driver = Traced(store)
    _writes(driver, 7, lambda: Unavailable("the store went away"))
    with pytest.raises(Unavailable):
        driver.run(materialise(Line("f", Ledger(store).cache)))
    project = _cold(store, "f")
    project.head()
    assert [run.first for run in project.line.objects.runs] == [1]
    assert {finding.kind for finding in Verifier("f", project.run).findings()} <= {"unreachable"}


def test_letting_go_writes_what_names_the_origin_once() -> None:
    """A store that takes one write a second of an object takes it at the first time."""
    store = _small()
    driver = Traced(store)
    cache = Ledger(store).cache
    assert driver.run(release(Line("o", cache), Line("f", cache)))
    assert [write for write in driver.writes if write.endswith("f/origin")] == ["PutIf projects/f/origin"]


def _delete(store: MemoryStore, project: str) -> None:
    ledger = Ledger(store)
    ledger.condemn(project)
    ledger.release_forks(project)
    ledger.erase(project)


@pytest.mark.parametrize("point", FORK_POINTS)
def test_forks_outlive_their_origin(store: MemoryStore, point: int) -> None:
    """After the origin's last object is gone a fork has everything that it had, for open readers and cold ones."""
    name = f"f{point}"
    warm, _ = traced(store, name)
    _grow(warm, point + 1, point + 3, 50_000)
    expected = _answers(warm)
    _delete(store, "o")
    assert not [key for key in objects_of(store) if "projects/o/" in key or key.startswith("deleted/")]
    assert _answers(warm) == expected
    assert _answers(_cold(store, name)) == expected
    _grow(warm, point + 4, point + 1005, 50_000)
    cold = _cold(store, name)
    assert contents(cold) == _files(point + 1005, point, 50_000)
    check_history(cold)


def test_a_chain_loses_its_middle(store: MemoryStore) -> None:
    """A fork of a fork becomes independent of both when the one between goes; open readers of it change over."""
    ledger = Ledger(store)
    _grow(ledger.open("f999"), 1000, 1004, 70_000)
    ledger.fork("f999", "g")
    warm = _cold(store, "g")
    expected = _answers(warm)
    _delete(store, "f999")
    assert _answers(warm) == expected == _answers(_cold(store, "g"))
    _delete(store, "o")
    assert _answers(warm) == expected == _answers(_cold(store, "g"))


def test_a_chain_loses_its_end(store: MemoryStore) -> None:
    """When the first origin goes, who reads through an independent fork changes over too."""
    ledger = Ledger(store)
    _grow(ledger.open("f999"), 1000, 1004, 70_000)
    ledger.fork("f999", "g")
    warm = _cold(store, "g")
    expected = _answers(warm)
    _delete(store, "o")
    assert _answers(warm) == expected == _answers(_cold(store, "g"))
    assert Ledger(store).driver.store.get("projects/f999/forks/g")  # still its fork


def _writes(driver: Traced, stop: int, fault: Callable[[], Exception]) -> None:
    """The driver fails before its write number `stop`, counted from 0."""
    seen = 0

    def before(effect: Effect) -> None:
        nonlocal seen
        if isinstance(effect, Put | PutNew | PutIf | Delete):
            if seen == stop:
                raise fault()
            seen += 1

    driver.before = before


def _small() -> MemoryStore:
    """Six landings, one of them by upload, forked as `f`, which lands once more."""
    store = MemoryStore()
    origin, _ = traced(store, "o")
    origin.create()
    _grow(origin, 1, 6)
    Ledger(store).fork("o", "f")
    _grow(origin, 7, 8)
    forked, _ = traced(store, "f")
    _grow(forked, 7, 7, 50_000)
    return store


def test_materialising_may_stop_anywhere() -> None:
    """Before any of its writes: readers see the same history, and a second run ends it."""
    expected = _answers(_cold(_small(), "f"))
    stops = 0
    while True:
        store = _small()
        driver = Traced(store)
        _writes(driver, stops, lambda: Unavailable("the store went away"))
        warm = _cold(store, "f")
        assert _answers(warm) == expected
        try:
            driver.run(materialise(Line("f", warm.line.cache)))
        except Unavailable:
            assert _answers(warm) == expected == _answers(_cold(store, "f"))
        else:
            break
        assert Ledger(store).driver.run(materialise(Line("f", warm.line.cache)))
        for key in [key for key in objects_of(store) if key.startswith("projects/o/")]:
            store.delete(key)
        assert _answers(warm) == expected == _answers(_cold(store, "f"))
        stops += 1
    assert stops == 8  # six epochs, a run, the word that it is independent


@pytest.mark.parametrize("stop", [0, 1, 998, 999, 1000, 1001, 1002, 1003, 1004])
def test_sealing_the_copies_may_stop(store: MemoryStore, stop: int) -> None:
    """With a segment and two runs to write, and an own segment around the fork point there already."""
    forked, _ = traced(store, "f1001")
    _grow(forked, 1002, 2003, 50_000)
    expected = _answers(forked)
    driver = Traced(store)
    _writes(driver, stop, lambda: Unavailable("the store went away"))
    with pytest.raises(Unavailable):
        driver.run(materialise(Line("f1001", forked.line.cache)))
    assert _answers(_cold(store, "f1001")) == expected
    _delete(store, "o")
    assert _answers(forked) == expected == _answers(_cold(store, "f1001"))


def test_deletion_and_forking_meet_anywhere() -> None:
    """A deletion between any two effects of a fork: the fork is refused, or it is whole without its origin."""
    outcomes = []
    for stop in range(20):
        store = _small()
        expected = _answers(_cold(store, "o"))
        driver = Traced(store)

        def before(effect: Effect, driver: Traced = driver, stop: int = stop, store: MemoryStore = store) -> None:
            if len(driver.effects) == stop + 1:
                _delete(store, "o")

        driver.before = before
        cache = Ledger(store).cache
        try:
            driver.run(fork(Line("o", cache), Line("g", cache)))
        except (NotFound, Corrupt):
            assert "projects/g/head" not in objects_of(store)
            outcomes.append("refused")
        else:
            assert _answers(_cold(store, "g")) == expected
            outcomes.append("whole")
        if len(driver.effects) < stop + 1:
            break
    assert outcomes[0] == "refused"
    assert outcomes[-1] == "whole"
    assert set(outcomes[:-4]) == {"refused"}


def test_a_fork_that_was_never_finished_does_not_hold_its_origin_back(store: MemoryStore) -> None:
    """Registered and no more: the origin goes, and the fork cannot be finished afterwards."""
    store.put("projects/o/forks/late", b"")
    _delete(store, "o")
    assert decode_origin(store.get("projects/late/origin").data, "x").tie is Tie.VOID
    with pytest.raises(NotFound):
        Ledger(store).fork("o", "late")


def test_damage_keeps_the_origin(store: MemoryStore) -> None:
    """A fork that cannot be copied whole stays registered, and says which object is at fault."""
    key = next(k for k in objects_of(store) if k.startswith("projects/o/landing-log/tail/") and "00005-" in k)
    store.put(key, store.get(key).data[:-1])
    ledger = Ledger(store)
    ledger.condemn("o")
    assert damage_of(lambda: ledger.release_forks("o")).details["object"] == key
    assert store.get("projects/o/forks/f1500")
    assert _cold(store, "f1").head().position == 1


@pytest.mark.parametrize("kind", sorted(OBJECT_KINDS))
def test_a_misread_object_is_not_kept(kind: int) -> None:
    """One wrong bit in one reading of an epoch: nothing of it is written, and the next try copies what is there."""
    store = MemoryStore()
    origin, _ = traced(store, "o")
    origin.create()
    text = random.Random(5).randbytes(3000).hex().encode()
    for number in range(1, 4):
        land(origin, number, number - 1, {b"text": text + b"%d" % number})
    ledger = Ledger(store)
    ledger.fork("o", "f")
    expected = _answers(_cold(store, "f"))
    epoch = origin.line.tail[1]
    item = next(item for item in epoch.objects if item.kind == kind)
    driver = _Misreading(store, origin.line.epoch_key(epoch.new), epoch.data_start + item.offset + item.length - 1)
    lines = Line("o", ledger.cache), Line("f", ledger.cache)
    assert damage_of(lambda: driver.run(release(*lines))).details["object"]
    assert driver.run(release(Line("o", ledger.cache), Line("f", ledger.cache)))
    _delete(store, "o")
    assert _answers(_cold(store, "f")) == expected


class _Misreading(Traced):
    """The first reading of a whole object has one wrong byte."""

    def __init__(self, store: MemoryStore, key: str, at: int) -> None:
        super().__init__(store)
        self._key, self._at = key, at

    def _one(self, effect: Effect) -> Any:
        found = super()._one(effect)
        if isinstance(effect, Get) and effect.key == self._key:
            self._key = ""
            data = bytearray(found.data)
            data[self._at] ^= 1
            return found._replace(data=bytes(data))
        return found


# ------------------------------------------------------------------ damage


def test_a_fork_without_its_origin_says_so(store: MemoryStore) -> None:
    """A lost or spoiled origin is damage, never a shorter history; an open reader notices too."""
    warm = _cold(store, "f1000")
    warm.head()
    kept = store.get("projects/f1000/origin").data
    store.delete("projects/f1000/origin")
    for project in (warm, _cold(store, "f1000")):
        assert damage_of(project.head).details["project"] == "f1000"
    for at in range(len(kept)):
        store.put("projects/f1000/origin", kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
        assert "origin is damaged" in damage_of(_cold(store, "f1000").head).message


def test_a_segment_of_another_fork_is_noticed(store: MemoryStore) -> None:
    """The segment around the fork point must hold the landing that the fork began with."""
    for name, shift in (("f1500", 50_000), ("f1001", 60_000)):
        _grow(_cold(store, name), int(name[1:]) + 1, 2001, shift)
    key = "projects/{}/landing-log/000000001001.log"
    strange = store.get(key.format("f1001")).data
    store.put(key.format("f1500"), strange)
    assert "than the fork began with" in damage_of(lambda: _cold(store, "f1500").records(1900, 1900)).message


def test_a_ring_of_forks_ends(store: MemoryStore) -> None:
    """Two forks that name each other are damage after 32 steps, not a crash."""
    head = _cold(store, "o").head()
    for name, other in (("a", "b"), ("b", "a")):
        store.put(f"projects/{name}/origin", encode_origin(Origin(other, head)))
        store.put(f"projects/{name}/head", head.encode())
    assert "more than 32 forks" in damage_of(_cold(store, "a").head).message
