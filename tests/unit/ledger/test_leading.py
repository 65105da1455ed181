"""Who won the last swap lands without reading the head first; nothing is refused on the strength of an old look."""

from __future__ import annotations

import threading

import pytest

from ledgers import REGULAR, Traced, check_history, contents, land, request, session_id, traced
from mic.core.errors import Conflicted, InvalidInput, MicError, NothingToLand, Unavailable
from mic.core.session import Session
from mic.ledger.effects import Effect, Get, PutIf, PutNew
from mic.ledger.land import Landed, try_group
from mic.ledger.ledger import Ledger
from mic.ledger.pipeline import Flight, step
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.ledger.verdicts import Moved
from mic.store import MemoryStore

Pair = tuple[Project, Traced]


@pytest.fixture
def pair() -> tuple[Pair, Pair]:
    """Two front ends of one project; the first has landed `a`."""
    store = MemoryStore()
    first, second = traced(store), traced(store)
    first[0].create()
    land(first[0], 1, 0, {b"a": b"one"})
    second[0].head()
    return first, second


def _requests(driver: Traced) -> list[str]:
    return [type(effect).__name__ for effect in driver.effects if isinstance(effect, Get | PutNew | PutIf)]


def test_a_leader_needs_two_requests(pair: tuple[Pair, Pair]) -> None:
    (project, driver), _ = pair
    wish = request(project, 2, 1, {b"b": b"two"})
    driver.effects.clear()
    assert project.land(wish).position == 2
    assert _requests(driver) == ["PutNew", "PutIf"]


def test_who_has_seen_anothers_landing_reads_first(pair: tuple[Pair, Pair]) -> None:
    (project, driver), (other, _) = pair
    land(other, 2, 1, {b"b": b"two"})
    wish = request(project, 3, 1, {b"c": b"three"})
    project.head()
    driver.effects.clear()
    assert project.land(wish).position == 3
    assert _requests(driver) == ["Get", "PutNew", "PutIf"]


def test_a_leader_that_was_overtaken_unseen_loses_once(pair: tuple[Pair, Pair]) -> None:
    """The swap tells; the epoch that lost is named by nobody."""
    (project, driver), (other, _) = pair
    wish = request(project, 3, 1, {b"c": b"three"})
    land(other, 2, 1, {b"b": b"two"})
    driver.effects.clear()
    assert project.land(wish).position == 3
    assert _requests(driver) == ["PutNew", "PutIf", "Get", "PutNew", "PutIf"]
    check_history(project)


@pytest.mark.parametrize("data", [b"one", b"mine"])
def test_a_clash_with_an_old_head_is_no_clash(pair: tuple[Pair, Pair], data: bytes) -> None:
    """By the head that the leader knows, the session clashes; another has put things right since."""
    (project, _), (other, _) = pair
    land(project, 2, 1, {b"a": b"two"})
    wish = request(project, 4, 1, {b"a": b"mine"})
    land(other, 3, 2, {b"a": data})
    assert project.land(wish).position == 4
    assert contents(project)[b"a"] == (REGULAR, b"mine")


def test_a_refusal_comes_after_a_look(pair: tuple[Pair, Pair]) -> None:
    (project, driver), _ = pair
    land(project, 2, 1, {b"a": b"two"})
    clash = request(project, 3, 1, {b"a": b"three"})
    driver.effects.clear()
    with pytest.raises(Conflicted):
        project.land(clash)
    assert "Get" in _requests(driver)
    assert not driver.writes
    with pytest.raises(NothingToLand):
        project.land(LandRequest(Session(session_id(4), "Nothing", base_position=1), {}))
    with pytest.raises(InvalidInput, match="the newest is 2"):
        project.land(
            clash._replace(session=Session(session_id(5), "x", base_position=9, changes=clash.session.changes))
        )


def test_a_base_that_only_the_other_knows(pair: tuple[Pair, Pair]) -> None:
    (project, _), (other, _) = pair
    land(other, 2, 1, {b"b": b"two"})
    wish = request(other, 3, 2, {b"b": b"three"})
    assert project.land(wish).position == 3


def test_a_session_that_landed_elsewhere_does_not_land_again(pair: tuple[Pair, Pair]) -> None:
    (project, _), (other, _) = pair
    wish = request(project, 2, 1, {b"b": b"two"})
    other.land(wish)
    landed = project.land(wish)
    assert (landed.position, landed.already) == (2, True)
    check_history(project)


# ---------------------------------------------------------------- what moved


def test_after_a_lost_swap_only_what_moved_is_judged_again(
    pair: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three sessions lose to one that touches the second: only that one is judged again, and the tree is right."""
    from mic.ledger import batch

    (project, driver), (other, _) = pair
    wishes = [request(project, number, 1, {b"f%d/x" % number: b"mine"}) for number in (5, 6, 7)]
    judged: list[bytes] = []
    judge = batch.judge

    def watched(*arguments: object) -> object:
        session = arguments[5]
        assert isinstance(session, Session)
        judged.append(session.id)
        return judge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(batch, "judge", watched)
    armed = [True]

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf) and armed:
            armed.clear()
            land(other, 2, 1, {b"f6/x": b"mine"})
            judged.append(b"lost")

    driver.before = overtake
    outcomes = project.run(try_group(project.line, wishes, 9))
    assert all(isinstance(outcome, Landed) for outcome in outcomes)
    again = judged[judged.index(b"lost") + 1 :]
    assert again == [session_id(6)]
    check_history(project)
    assert contents(project) == {
        b"a": (REGULAR, b"one"), b"f5/x": (REGULAR, b"mine"), b"f6/x": (REGULAR, b"mine"), b"f7/x": (REGULAR, b"mine"),
    }  # fmt: skip


def test_a_path_is_touched_by_itself_above_and_below() -> None:
    moved = Moved([b"a/b", b"k"])
    assert [moved.touches(path) for path in (b"a/b", b"a", b"a/b/c", b"k/l/m", b"a/bb", b"a-", b"b", b"a/a")] == [
        True, True, True, True, False, False, False, False,
    ]  # fmt: skip
    moved.add([b"b/c"])
    assert moved.touches(b"b")
    assert not Moved(()).touches(b"a")


def test_who_keeps_losing_can_give_up(pair: tuple[Pair, Pair]) -> None:
    """After two lost swaps nothing is settled and nothing has landed."""
    (project, driver), (other, _) = pair
    count = [10]

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            count[0] += 1
            land(other, count[0], 1, {b"n%d" % count[0]: b"x"})

    wish = request(project, 2, 1, {b"b": b"two"})
    driver.before = overtake
    assert project.run(try_group(project.line, [wish], 2)) == [None]
    driver.before = lambda effect: None
    assert project.find_session(session_id(2)) is None
    check_history(project)


# ---------------------------------------------------------------- one on the way, one written


def _step(project: Project, flight: Flight | None, *wishes: LandRequest) -> tuple[object, object, Flight | None]:
    done = project.run(step(project.line, flight, wishes))
    return _positions(done.before), _positions(done.given), done.flight


def _positions(outcomes: object) -> object:
    if not isinstance(outcomes, list):
        return outcomes
    return [outcome.position if isinstance(outcome, Landed) else type(outcome) for outcome in outcomes]


def test_a_swap_and_the_next_epoch_go_out_together(pair: tuple[Pair, Pair]) -> None:
    """The second group builds on what is not swapped in yet, and merges and clashes with it."""
    (project, driver), _ = pair
    wishes = [request(project, n, 1, {b"f%d" % n: b"x"}) for n in (2, 3)]
    clash, same = request(project, 4, 1, {b"f2": b"other"}), request(project, 5, 1, {b"g": b"g"})
    driver.effects.clear()
    before, given, flight = _step(project, None, *wishes)
    assert (before, given, flight is not None) == (None, None, True)
    assert project.find_session(session_id(2)) is None
    driver.effects.clear()
    before, given, flight = _step(project, flight, clash, same)
    assert (before, given) == ([2, 3], None)
    assert [type(effect).__name__ for effect in driver.effects[-4:]] == ["Attempt", "PutIf", "Attempt", "PutNew"]
    before, given, flight = _step(project, flight)
    assert (before, given, flight) == ([Conflicted, 4], None, None)
    check_history(project)
    check_history(Ledger(project.driver.store).open("p"))


def test_a_lost_swap_takes_what_was_built_on_it_along(pair: tuple[Pair, Pair]) -> None:
    """Both groups land again; the other's landing stays, and what now clashes is told so."""
    (project, _), (other, _) = pair
    one, two = request(project, 2, 1, {b"x": b"1"}), request(project, 3, 1, {b"x/y": b"2"})
    _, _, flight = _step(project, None, one)
    land(other, 9, 1, {b"x": b"theirs"})
    before, given, flight = _step(project, flight, two)
    assert (before, given, flight) == ([Conflicted], [Conflicted], None)
    land(other, 10, 2, {b"x": None})
    _, given, flight = _step(project, None, two)
    before, given, flight = _step(project, flight)
    assert (before, flight) == ([4], None)
    check_history(project)


def test_a_session_twice_in_following_groups_lands_once(pair: tuple[Pair, Pair]) -> None:
    (project, _), _ = pair
    wish = request(project, 2, 1, {b"b": b"two"})
    _, _, flight = _step(project, None, wish)
    before, given, flight = _step(project, flight, wish)
    assert (before, given, flight) == ([2], [2], None)
    check_history(project)


def test_a_look_between_two_steps_cannot_make_the_swap_overwrite(pair: tuple[Pair, Pair]) -> None:
    """The head is read, with its new tag, after the epoch was written: the swap must not use that tag."""
    (project, _), (other, _) = pair
    _, _, flight = _step(project, None, request(project, 2, 1, {b"b": b"two"}))
    land(other, 9, 1, {b"z": b"9"})
    assert project.head().position == 2
    before, _, _ = _step(project, flight)
    assert before == [3]
    check_history(project)


@pytest.mark.parametrize("kind", [PutNew, PutIf])
def test_an_error_of_one_of_two_requests_is_that_groups(pair: tuple[Pair, Pair], kind: type) -> None:
    """The swap or the write fails without an answer: the other group is told what is true of it."""
    (project, driver), _ = pair
    one, two = request(project, 2, 1, {b"b": b"1"}), request(project, 3, 1, {b"c": b"2"})
    _, _, flight = _step(project, None, one)
    armed = [True]

    def fail(effect: Effect) -> None:
        if isinstance(effect, kind) and armed:
            armed.clear()
            raise Unavailable("no answer")

    driver.before = fail
    before, given, flight = _step(project, flight, two)
    if flight is not None:
        given = _step(project, flight)[0]
    assert (before, given) == (([2], [3]) if kind is PutNew else ([Unavailable], [2]))
    assert project.land(one).position == (2 if kind is PutNew else 3)
    check_history(project)


def test_many_threads_through_a_store_that_takes_time() -> None:
    """Groups in flight, two front ends, lost swaps: every session has one position, and nobody waits for ever."""
    store = MemoryStore()
    fronts = [Ledger(store, parallel=4).open("p") for _ in range(2)]
    fronts[0].create()
    told: dict[int, int] = {}
    errors: list[MicError] = []

    def caller(number: int) -> None:
        try:
            for turn in range(4):
                own = number * 10 + turn
                told[own] = land(fronts[number % 2], own, 0, {b"n%d" % own: b"x"}).position
        except MicError as error:
            errors.append(error)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(1, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not errors
    assert sorted(told.values()) == list(range(1, 97))
    check_history(Ledger(store).open("p"))
