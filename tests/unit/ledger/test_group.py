"""Landing in groups: one epoch for many sessions, each judged as if it had come alone and in its turn."""

from __future__ import annotations

import random
import threading

import pytest

from ledgers import REGULAR, Traced, check_history, contents, land, request, session_id, traced
from mic.core.blob import encode_blob
from mic.core.errors import BaseMismatch, Conflicted, MicError, NothingToLand, PreconditionFailed, Unavailable
from mic.core.ids import content_hash
from mic.core.session import Session
from mic.core.tree import EMPTY_LEAF
from mic.ledger.combiner import Combiner, Done
from mic.ledger.effects import Effect, PutIf, PutNew
from mic.ledger.frame import Frame
from mic.ledger.land import Landed, land_group
from mic.ledger.ledger import Ledger
from mic.ledger.pins import Pins
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import MemoryStore

TEN = b"".join(b"line %d\n" % number for number in range(10))


@pytest.fixture
def place() -> tuple[Project, Traced]:
    """A project with one landing, a file of ten lines, and the driver that it runs on."""
    project, driver = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"ten": TEN, b"a": b"one"})
    return project, driver


def _together(project: Project, *requests: LandRequest) -> list[Landed | MicError]:
    return project.run(land_group(project.line, requests))


def test_a_group_is_one_epoch_and_one_swap(place: tuple[Project, Traced]) -> None:
    """Two writes for three sessions; they land by base and id; the answers come in the order of the questions."""
    project, driver = place
    wishes = [request(project, number, 1, {b"f%d" % number: b"%d" % number}) for number in (4, 2, 3)]
    driver.effects.clear()
    outcomes = _together(project, *wishes)
    assert [type(outcome) for outcome in outcomes] == [Landed] * 3
    assert [outcome.position for outcome in outcomes if isinstance(outcome, Landed)] == [4, 2, 3]
    assert [write.split()[0] for write in driver.writes] == ["PutNew", "PutIf"]
    check_history(project)
    cold = Ledger(project.driver.store).open("p")
    check_history(cold)
    assert contents(cold, 3) == {
        b"ten": (REGULAR, TEN), b"a": (REGULAR, b"one"), b"f2": (REGULAR, b"2"), b"f3": (REGULAR, b"3"),
    }  # fmt: skip
    assert [cold.find_session(session_id(number)) for number in (2, 3, 4)] == [2, 3, 4]


def test_each_root_on_the_way_is_that_of_landing_alone(place: tuple[Project, Traced]) -> None:
    """Three sessions together make the same trees as one after the other."""
    project, _ = place
    alone, _ = traced(MemoryStore())
    alone.create()
    land(alone, 1, 0, {b"ten": TEN, b"a": b"one"})
    roots = [land(alone, number, 1, {b"f%d" % number: b"x" * number}).tree for number in (2, 3, 4)]
    outcomes = _together(
        project, *(request(project, number, 1, {b"f%d" % number: b"x" * number}) for number in (2, 3, 4))
    )
    assert [outcome.tree for outcome in outcomes if isinstance(outcome, Landed)] == roots


def test_a_clash_inside_the_group_names_the_neighbour(place: tuple[Project, Traced]) -> None:
    project, _ = place
    first, second = _together(project, request(project, 2, 1, {b"a": b"two"}), request(project, 3, 1, {b"a": b"three"}))
    assert isinstance(first, Landed)
    assert isinstance(second, Conflicted)
    assert [(clash.path, clash.reason, clash.theirs_position) for clash in second.details["clashes"]] == [
        (b"a", "changed", 2)
    ]
    assert contents(project)[b"a"] == (REGULAR, b"two")


def test_a_file_below_a_neighbours_file_is_a_clash(place: tuple[Project, Traced]) -> None:
    project, _ = place
    first, second = _together(project, request(project, 2, 1, {b"x": b"1"}), request(project, 3, 1, {b"x/y": b"2"}))
    assert isinstance(first, Landed)
    assert isinstance(second, Conflicted)
    assert second.details["clashes"][0].reason == "directory_over_file"


def test_lines_merge_with_a_neighbours(place: tuple[Project, Traced]) -> None:
    project, _ = place
    outcomes = _together(
        project,
        request(project, 2, 1, {b"ten": TEN.replace(b"line 1\n", b"LINE 1\n")}),
        request(project, 3, 1, {b"ten": TEN.replace(b"line 8\n", b"LINE 8\n")}),
    )
    assert [type(outcome) for outcome in outcomes] == [Landed, Landed]
    expected = TEN.replace(b"line 1\n", b"LINE 1\n").replace(b"line 8\n", b"LINE 8\n")
    assert contents(project)[b"ten"] == (REGULAR, expected)
    check_history(project)


def test_what_was_uploaded_merges_with_what_landed_meanwhile(place: tuple[Project, Traced]) -> None:
    """A content that came in a pack of its own takes part in a merge by lines."""
    project, _ = place
    land(project, 2, 1, {b"ten": TEN.replace(b"line 1\n", b"LINE 1\n")})
    mine = TEN.replace(b"line 8\n", b"LINE 8\n")
    upload = project.upload()
    project.run(upload.receive(Frame(content_hash(mine), len(mine), 0, len(mine), True, encode_blob(mine)[8:])))
    packs = project.run(upload.finish())
    wish = request(project, 3, 1, {b"ten": mine}, send=False)._replace(packs=packs)
    assert project.land(wish).position == 3
    assert contents(project)[b"ten"] == (REGULAR, mine.replace(b"line 1\n", b"LINE 1\n"))


def test_what_is_wrong_with_one_harms_no_other(place: tuple[Project, Traced]) -> None:
    project, driver = place
    lies = request(project, 3, 0, {b"a": b"x"})
    empty = LandRequest(Session(session_id(4), "Nothing", base_position=1), {})
    good = request(project, 2, 1, {b"b": b"2"})
    driver.effects.clear()
    outcomes = _together(project, lies._replace(session=_on(lies.session, 1)), empty, good)
    assert [type(outcome) for outcome in outcomes] == [BaseMismatch, NothingToLand, Landed]
    assert project.head().position == 2


def _on(session: Session, base: int) -> Session:
    return Session(session.id, session.goal, base_position=base, changes=session.changes)


def test_a_session_twice_in_a_group_lands_once(place: tuple[Project, Traced]) -> None:
    project, _ = place
    wish = request(project, 2, 1, {b"b": b"2"})
    outcomes = _together(project, wish, wish)
    assert sorted((outcome.position, outcome.already) for outcome in outcomes if isinstance(outcome, Landed)) == [
        (2, False), (2, True),
    ]  # fmt: skip
    check_history(project)


def test_a_clash_with_a_neighbour_that_lost_the_race_does_not_count(place: tuple[Project, Traced]) -> None:
    """Both change `a`; before the swap another front end lands the very content of the second, so the first clashes."""
    project, driver = place
    first, second = request(project, 2, 1, {b"a": b"two"}), request(project, 3, 1, {b"a": b"three"})
    other, _ = traced(project.driver.store, "p")
    armed = [True]

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf) and armed:
            armed.clear()
            land(other, 9, 1, {b"a": b"three"})

    driver.before = overtake
    outcomes = _together(project, first, second)
    assert isinstance(outcomes[0], Conflicted)
    assert isinstance(outcomes[1], Landed)
    assert [project.find_session(session_id(number)) for number in (9, 2, 3)] == [2, None, 3]
    check_history(project)


def test_random_groups_end_as_they_would_one_by_one() -> None:
    """Grouping changes nothing but the number of writes: same verdicts, same trees, same contents."""
    for seed in range(12):
        rnd = random.Random(seed)
        grouped, _ = traced(MemoryStore())
        single, _ = traced(MemoryStore())
        for project in (grouped, single):
            project.create()
            land(project, 1, 0, {b"%d" % number: TEN for number in range(4)})
        number = 2
        for _ in range(6):
            base = rnd.randint(1, single.head().position)
            size = rnd.randint(1, 8)
            wishes = []
            for _ in range(size):
                name = rnd.choice([b"0", b"1", b"2", b"3", b"4", b"4/x", b"5"])
                files = {name: None if rnd.random() < 0.1 else TEN.replace(b"line %d\n" % rnd.randrange(10), b"new\n")}
                if files[name] is None and single.entry(single.tree_at(base), name) is None:
                    files[name] = b"made"
                wishes.append(request(single, number, base, files))
                number += 1
            outcomes = _together(grouped, *wishes)
            for wish, outcome in zip(wishes, outcomes, strict=True):
                try:
                    expected: Landed | MicError = single.land(wish)
                except MicError as error:
                    expected = error
                assert type(outcome) is type(expected), f"seed {seed}"
                if isinstance(outcome, Landed) and isinstance(expected, Landed):
                    assert (outcome.position, outcome.tree) == (expected.position, expected.tree), f"seed {seed}"
        assert contents(grouped) == contents(single)
        check_history(grouped)


# ---------------------------------------------------------------- the combiner


def test_who_comes_while_one_lands_lands_together_afterwards() -> None:
    """The first lands alone, without waiting; the five that come meanwhile are the next group."""
    entered, go_on = threading.Event(), threading.Event()
    groups: list[list[bytes]] = []

    def together(requests: list[LandRequest]) -> list[Landed]:
        groups.append([wish.session.id for wish in requests])
        if len(groups) == 1:
            entered.set()
            assert go_on.wait(10)
        return [Landed(int.from_bytes(wish.session.id, "big"), b"", None) for wish in requests]

    combiner = Combiner(lambda requests: Done(None, together(list(requests))))
    answers: dict[int, int] = {}

    def caller(number: int) -> None:
        answers[number] = combiner.land(LandRequest(Session(session_id(number), "x"), {})).position

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(6)]
    threads[0].start()
    assert entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(combiner._queue) < 5:
        threads[0].join(0.001)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert answers == {number: number for number in range(6)}
    assert [len(group) for group in groups] == [1, 5]


def test_an_error_of_the_store_reaches_everybody_and_the_next_can_land(place: tuple[Project, Traced]) -> None:
    project, driver = place

    def fail(effect: Effect) -> None:
        if isinstance(effect, PutNew):
            raise Unavailable("no answer")

    driver.before = fail
    errors: list[BaseException] = []

    def caller(number: int) -> None:
        try:
            land(project, number, 1, {b"f%d" % number: b"x"})
        except Unavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(errors) == 8
    assert len({id(error) for error in errors}) == 8
    driver.before = lambda effect: None
    assert land(project, 20, 1, {b"g": b"x"}).position == 2


def test_many_threads_land_everything_once(place: tuple[Project, Traced]) -> None:
    """Two front ends, 24 threads, lost races now and then: every session has one position."""
    project, driver = place
    other, _ = traced(project.driver.store, "p")
    count = [0]

    def sometimes(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            count[0] += 1
            if count[0] % 3 == 0:
                raise PreconditionFailed("changed")

    driver.before = sometimes
    told: dict[int, int] = {}

    def caller(number: int) -> None:
        told[number] = land((project, other)[number % 2], number, 1, {b"n%d" % number: b"x"}).position

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(2, 26)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told.values()) == list(range(2, 26))
    check_history(project)
    check_history(Ledger(project.driver.store).open("p"))


# ---------------------------------------------------------------- trees on the way


def test_every_position_of_many_groups_stays_readable() -> None:
    """Clients that each go on from their own last position, over more groups than are kept in memory."""
    project, _ = traced(MemoryStore())
    project.create()
    bases = dict.fromkeys(range(5), 0)
    number = 1
    for turn in range(40):
        wishes = [
            request(project, number + client, bases[client], {b"%d/%d" % (client, turn): b"x"}) for client in bases
        ]
        for client, outcome in enumerate(_together(project, *wishes)):
            assert isinstance(outcome, Landed)
            bases[client] = outcome.position
        number += len(bases)
    check_history(project)


def test_a_tree_made_from_a_pinned_one_outlives_it() -> None:
    """A position folded from another folded position still has all its nodes when the other is forgotten."""
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"%04d" % number: b"" for number in range(3000)})
    # There and back again: what the first sessions made of a leaf is changed by the last, so it is in no stored tree.
    edited = [at * 140 for at in range(20)] + [at * 140 + 1 for at in reversed(range(20))]
    _together(project, *(request(project, 2 + at, 1, {b"%04d" % file: b"new"}) for at, file in enumerate(edited)))
    cold = Ledger(project.driver.store, cache_bytes=1).open("p")
    cold.line.objects.pins = Pins(2)
    for position in (10, 20, 30, 40):
        root = cold.tree_at(position)
        assert sum(entry.size for entry in cold.files(root, limit=3000)) == 3 * (position - 1)


def test_pins_forget_the_oldest_group_with_all_its_roots() -> None:
    first, second, third = ({bytes([number]) * 32: EMPTY_LEAF} for number in (1, 2, 3))
    pins = Pins(2)
    pins.pin([b"a", b"b"], first)
    pins.pin([b"c"], second)
    pins.pin([b"d"], third)
    assert [root in pins for root in (b"a", b"b", b"c", b"d")] == [False, False, True, True]
    assert pins.node(bytes([1]) * 32) is None
    assert pins.node(bytes([2]) * 32) is EMPTY_LEAF
    assert pins.of(b"d") is third


def test_a_neighbour_inside_anothers_epoch_is_not_taken_for_ones_own(place: tuple[Project, Traced]) -> None:
    """Same position, clock and tree, another session: two agents made the same change, and one of them in a group."""
    project, driver = place
    other, others = traced(project.driver.store, "p")
    others.now = driver.now
    mine = request(project, 9, 1, {b"a": b"same"})
    armed = [True]

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf) and armed:
            armed.clear()
            wishes = [request(other, 2, 1, {b"a": b"same"}), request(other, 3, 1, {b"b": b"more"})]
            assert [type(outcome) for outcome in _together(other, *wishes)] == [Landed, Landed]

    driver.before = overtake
    outcome = _together(project, mine)[0]
    assert isinstance(outcome, Landed)
    assert outcome.position == project.find_session(session_id(9)) == 4
    check_history(project)
