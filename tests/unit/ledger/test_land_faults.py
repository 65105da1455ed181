"""Landing while things go wrong: lost answers, lost races, a full store, two front ends. Never lost, never doubled."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ledgers import NOON, REGULAR, Traced, check_history, contents, land, request, session_id, traced
from mic.core.errors import AlreadyExists, Busy, Conflicted, MicError, PreconditionFailed, StorageFull, Unavailable
from mic.ledger.effects import Effect, Get, GetRange, PutIf, PutNew
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import DirectoryStore, MemoryStore


@pytest.fixture
def place() -> tuple[Project, Traced]:
    """A project with two landings, and the driver that it runs on."""
    project, driver = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"a": b"one", b"b": b"two"})
    land(project, 2, 1, {b"a": b"three"})
    return project, driver


def _once(kind: type, error: Exception) -> Callable[[Effect], None]:
    """Raise at the first effect of a kind, then never again."""
    armed = [True]

    def fault(effect: Effect) -> None:
        if armed and isinstance(effect, kind):
            armed.clear()
            raise error

    return fault


def _always(kind: type, error: Exception) -> Callable[[Effect], None]:
    def fault(effect: Effect) -> None:
        if isinstance(effect, kind):
            raise error

    return fault


def _healthy(driver: Traced) -> None:
    driver.before = driver.after = lambda effect: None


def _goes_on(project: Project, driver: Traced, position: int) -> None:
    """After whatever happened: this process and a new one see one history and both can land."""
    _healthy(driver)
    assert project.head().position == position
    check_history(project)
    cold = Ledger(project.driver.store).open("p")
    check_history(cold)
    assert contents(cold) == contents(project)
    land(project, 101, position, {b"later": b"1"})
    land(cold, 102, position, {b"later2": b"2"})
    land(project, 103, position, {b"later3": b"3"})
    check_history(project)
    check_history(cold)
    assert project.head().position == position + 3


@pytest.mark.parametrize("effect", [PutNew, PutIf])
@pytest.mark.parametrize("applied", [False, True])
def test_a_write_whose_answer_is_unclear_lands_once_or_not_at_all(
    place: tuple[Project, Traced], effect: type, applied: bool
) -> None:
    """The epoch or the head fails, before or after it took effect. The same session again lands exactly once."""
    project, driver = place
    sent = request(project, 3, 2, {b"b": b"new"})
    fault = _once(effect, Unavailable("the store did not answer"))
    if applied:
        driver.after = fault
    else:
        driver.before = fault
    try:
        landed = project.land(sent)
    except Unavailable:
        _healthy(driver)
        assert not (effect is PutIf and applied), "the head was swapped and read back"
        assert project.head().position == 2
        assert project.find_session(session_id(3)) is None
        landed = project.land(sent)
    assert landed.position == 3
    assert project.land(sent) == landed._replace(already=True, session=None)
    assert contents(project) == {b"a": (REGULAR, b"three"), b"b": (REGULAR, b"new")}
    _goes_on(project, driver, 3)


def test_a_swap_whose_answer_is_lost_for_good_is_found_by_the_session(place: tuple[Project, Traced]) -> None:
    """The store goes away with the swap applied: the client is told that it is unclear, and asks again."""
    project, driver = place
    sent = request(project, 3, 2, {b"b": b"new"})

    def gone(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            driver.before = _always(Get, Unavailable("gone"))
            raise Unavailable("gone")

    driver.after = gone
    with pytest.raises(Unavailable):
        project.land(sent)
    _healthy(driver)
    again = project.land(sent)
    assert (again.position, again.already) == (3, True)
    _goes_on(project, driver, 3)


def test_a_swap_that_took_effect_and_is_said_to_have_lost_is_ours(place: tuple[Project, Traced]) -> None:
    """A store client that retries by itself reports its own first write as another's."""
    project, driver = place
    driver.after = _once(PutIf, PreconditionFailed("changed"))
    landed = land(project, 3, 2, {b"b": b"new"})
    assert (landed.position, landed.already) == (3, False)
    _goes_on(project, driver, 3)


def test_a_lost_answer_with_others_already_behind_us(place: tuple[Project, Traced]) -> None:
    """Our swap took effect, its answer is lost, and two others landed before we could look."""
    project, driver = place
    other = Ledger(project.driver.store).open("p")

    def late(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            _healthy(driver)
            land(other, 11, 2, {b"x": b"1"})
            land(other, 12, 2, {b"y": b"2"})
            raise Unavailable("the answer was lost")

    driver.after = late
    landed = land(project, 3, 2, {b"b": b"new"})
    assert (landed.position, landed.already) == (3, False)
    assert project.landing(3).session.id == session_id(3)
    _goes_on(project, driver, 5)


def test_an_epoch_that_is_there_already_is_not_taken_for_ours(place: tuple[Project, Traced]) -> None:
    """The same position, clock and tree by another attempt: a new clock names a new object."""
    project, driver = place
    driver.after = _once(PutNew, Unavailable("the answer was lost"))
    sent = request(project, 3, 2, {b"b": b"new"})
    with pytest.raises(Unavailable):
        project.land(sent)
    _healthy(driver)
    driver.effects.clear()
    assert project.land(sent).position == 3
    first, second = (effect for effect in driver.effects if isinstance(effect, PutNew))
    assert project.head().hlc == (NOON << 16) + 4
    assert first.key < second.key
    _goes_on(project, driver, 3)


def test_losing_races_is_retried_and_then_said(place: tuple[Project, Traced]) -> None:
    """Each attempt meets a head that somebody else has just moved: it lands behind them; after 64 it says so."""
    project, driver = place
    other = Ledger(project.driver.store).open("p")
    numbers = itertools.count(1000)
    left = [5]

    def steal(effect: Effect) -> None:
        if isinstance(effect, PutIf) and left[0]:
            left[0] -= 1
            n = next(numbers)
            land(other, n, 2, {b"other/%d" % n: b"x"})

    driver.before = steal
    assert land(project, 3, 2, {b"b": b"new"}).position == 8
    check_history(project)
    left[0] = 1000
    sent = request(project, 4, 8, {b"b": b"newer"})
    with pytest.raises(Busy, match="64 other landings were faster"):
        project.land(sent)
    left[0] = 0
    assert project.land(sent).position == 8 + 64 + 1
    _goes_on(project, driver, 73)


def test_a_race_lost_to_a_clash_is_a_clash(place: tuple[Project, Traced]) -> None:
    """What others land between our check and our swap is checked again."""
    project, driver = place
    other = Ledger(project.driver.store).open("p")

    def steal(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            _healthy(driver)
            land(other, 9, 2, {b"b": b"theirs"})

    driver.before = steal
    with pytest.raises(Conflicted) as caught:
        land(project, 3, 2, {b"b": b"mine"})
    assert caught.value.details["clashes"][0].theirs_position == 3
    _goes_on(project, driver, 3)


@pytest.mark.parametrize("effect", [PutNew, PutIf])
def test_a_full_store_takes_no_position(place: tuple[Project, Traced], effect: type) -> None:
    """The error stays `storage_full` up to the client; with room again the same session lands."""
    project, driver = place
    sent = request(project, 3, 2, {b"b": b"new"})
    driver.before = _always(effect, StorageFull("no space left"))
    for _ in range(3):
        with pytest.raises(StorageFull):
            project.land(sent)
    _healthy(driver)
    assert project.head().position == 2
    assert project.land(sent).position == 3
    _goes_on(project, driver, 3)


def test_any_single_failure_at_any_effect_neither_loses_nor_doubles() -> None:
    """Every effect of a landing fails once, before or after; the client says it again until it is told a position."""
    for applied in (False, True):
        for step in itertools.count():
            project, driver = traced(MemoryStore())
            project.create()
            land(project, 1, 0, {b"a": b"one", b"b": b"two"})
            sent = request(project, 2, 1, {b"b": b"new"})
            # A front end that has just started: everything is read from the store.
            fresh, driver = traced(project.driver.store)
            count = [0]

            def fault(effect: Effect, count: list[int] = count, step: int = step) -> None:
                count[0] += 1
                if count[0] == step + 1:
                    raise Unavailable(f"fault at effect {step}")

            if applied:
                driver.after = fault
            else:
                driver.before = fault
            for _ in range(3):
                try:
                    landed = fresh.land(sent)
                except Unavailable:
                    continue
                break
            else:
                raise AssertionError("it never landed")
            assert landed.position == 2, (applied, step)
            _goes_on(fresh, driver, 2)
            if count[0] <= step:
                break
        assert step > 5


def test_two_front_ends_in_turn(place: tuple[Project, Traced]) -> None:
    """Each sees what the other landed, and merges with it."""
    one, _ = place
    two = Ledger(one.driver.store).open("p")
    text = [b"%d\n" % n for n in range(40)]
    land(one, 3, 2, {b"t": b"".join(text)})
    for number in range(4, 24):
        line = 2 * (number - 4)
        new = b"".join([*text[:line], b"by %d\n" % number, *text[line + 1 :]])
        landed = land((one, two)[number % 2], number, 3, {b"t": new})
        assert landed.position == number
        assert (one, two)[1 - number % 2].head().position == number
    expected = b"".join(b"by %d\n" % (n // 2 + 4) if n % 2 == 0 else b"%d\n" % n for n in range(40))
    for project in (one, two):
        assert contents(project)[b"t"] == (REGULAR, expected)
        check_history(project)


def test_two_front_ends_and_eight_threads_on_a_directory(tmp_path: Path) -> None:
    """160 landings from one base: each has a position of its own, none is lost, nothing overwrites another."""
    store = DirectoryStore(tmp_path)
    projects = [Ledger(store).open("p") for _ in range(2)]
    projects[0].create()
    land(projects[0], 1, 0, {b"shared": b"start"})
    positions: dict[int, int] = {}
    errors: list[MicError] = []

    def work(thread: int) -> None:
        project = projects[thread % 2]
        for index in range(20):
            number = 1000 * (thread + 1) + index
            while number not in positions:
                try:
                    positions[number] = land(project, number, 1, {b"%d/%d" % (thread, index): b"%d" % number}).position
                except Busy as error:
                    errors.append(error)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(positions) == 160
    assert sorted(positions.values()) == list(range(2, 162))
    expected = {b"%d/%d" % (t, i): (REGULAR, b"%d" % (1000 * (t + 1) + i)) for t in range(8) for i in range(20)}
    for project in (*projects, Ledger(store).open("p")):
        check_history(project)
        assert contents(project) == expected | {b"shared": (REGULAR, b"start")}
        assert {n: project.find_session(session_id(n)) for n in positions} == positions
    assert AlreadyExists not in [type(error) for error in errors]


def test_threads_that_say_the_same_session_land_it_once(tmp_path: Path) -> None:
    """Eight retries at once through two front ends: one position."""
    store = DirectoryStore(tmp_path)
    projects = [Ledger(store).open("p") for _ in range(2)]
    projects[0].create()
    sent = request(projects[0], 7, 0, {b"f": b"x"})
    answers: list[tuple[int, bool]] = []
    start = threading.Barrier(8)

    def work(thread: int) -> None:
        start.wait()
        landed = projects[thread % 2].land(sent)
        answers.append((landed.position, landed.already))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(1, False)] + [(1, True)] * 7
    check_history(projects[1])


def test_a_failing_read_is_never_an_empty_answer(place: tuple[Project, Traced]) -> None:
    """While the store does not answer, nothing is said about what it holds."""
    cold, driver = traced(place[0].driver.store)
    driver.before = _always(Get, Unavailable("gone"))
    for ask in (cold.head, cold.landings, lambda: cold.tree_at(0), lambda: cold.find_session(session_id(1))):
        with pytest.raises(Unavailable):
            ask()
    driver.before = _always(GetRange, Unavailable("gone"))
    with pytest.raises(Unavailable):
        cold.head()
    _healthy(driver)
    root = cold.tree_at(2)
    driver.before = _always(GetRange, Unavailable("gone"))
    for ask in (lambda: cold.files(root), lambda: cold.entry(root, b"a"), lambda: cold.totals(root)):
        with pytest.raises(Unavailable):
            ask()
    _goes_on(cold, driver, 2)
