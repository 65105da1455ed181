"""Beacons, who is preferred, and forwarding: whatever the other does, a landing takes place once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgers import NOON, Traced, check_history, contents, land, request, session_id, traced
from mic.core.beacon import Beacon, decode_beacon, encode_beacon, host_of, parse_key
from mic.core.epoch import PackRef
from mic.core.errors import Busy, Conflicted, Corrupt, InvalidInput, MicError, NothingToLand, Unavailable
from mic.ledger.effects import Effect, Forward, PutIf
from mic.ledger.forwarded import decode_landings, decode_outcomes, encode_landings, encode_outcomes
from mic.ledger.front_ends import FOLLOWED, FORGET, LIVE, FrontEnds, Peer
from mic.ledger.land import Landed, Overtaken
from mic.ledger.ledger import Ledger
from mic.ledger.outbound import Outbound
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import MemoryStore

BEACON = Beacon(bytes(range(16)), NOON, "10.0.0.7:4001")


# ---------------------------------------------------------------- beacons


def test_a_key_tells_who_and_when() -> None:
    assert BEACON.key == "front-ends/000102030405060708090a0b0c0d0e0f-000001a19467e800"
    assert parse_key(BEACON.key) == (bytes(range(16)), NOON)
    assert [parse_key(key) for key in ("front-ends/x", "front-ends/", "other", BEACON.key + "0")] == [None] * 4


def test_an_address_is_a_number_and_a_port() -> None:
    """Names are not looked up: whoever can write to the bucket must not choose where the forge dials."""
    assert [str(host_of(text)) for text in ("10.0.0.7:4001", "[fd00::1]:1")] == ["10.0.0.7", "fd00::1"]
    for text in (
        "example.org:80",
        "10.0.0.7",
        "10.0.0.7:0",
        "10.0.0.7:70000",
        "10.0.0.700:1",
        "fd00::1:1",
        "[x]:1",
        "",
    ):
        assert host_of(text) is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_beacons_are_corrupt(data: st.DataObject) -> None:
    raw = encode_beacon(BEACON)
    kind = data.draw(st.sampled_from(["cut", "flip", "any", "more"]))
    if kind == "cut":
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    elif kind == "flip":
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw = raw[: bit >> 3] + bytes((raw[bit >> 3] ^ 1 << (bit & 7),)) + raw[(bit >> 3) + 1 :]
    else:
        raw = (raw if kind == "more" else b"") + data.draw(st.binary(min_size=1, max_size=80))
    with pytest.raises(Corrupt):
        decode_beacon(raw, "b")


def _world(count: int) -> tuple[MemoryStore, list[tuple[FrontEnds, Traced]]]:
    store = MemoryStore()
    return store, [
        (FrontEnds(bytes([number]) * 16, f"10.0.0.{number}:4001"), traced(store)[1]) for number in range(1, count + 1)
    ]


def _beat(world: Sequence[tuple[FrontEnds, Traced]], seconds: int = 3) -> None:
    for ends, driver in world:
        driver.now += seconds * 1000
        driver.run(ends.beat())


def test_all_prefer_the_same_one_and_projects_are_spread() -> None:
    _, world = _world(5)
    _beat(world)
    _beat(world)
    chosen = []
    for number in range(60):
        said = {
            peer.address if (peer := ends.preferred(f"p{number}")) is not None else ends.address for ends, _ in world
        }
        assert len(said) == 1
        chosen += said
    assert min(chosen.count(address) for address in set(chosen)) > 3
    assert len(set(chosen)) == 5


def test_clocks_that_are_days_apart_cost_nothing_after_the_first_beats() -> None:
    _, world = _world(3)
    for number, (_, driver) in enumerate(world):
        driver.now += number * 86_400_000 * (-1) ** number
    for _ in range(2):
        _beat(world)
    assert [len(ends.live) for ends, _ in world] == [2, 2, 2]


def test_a_dead_one_is_forgotten_and_its_beacon_removed_by_anybody() -> None:
    store, world = _world(3)
    _beat(world)
    _beat(world)
    for _ in range(LIVE // 3000 + 2):
        _beat(world[:2])
    assert [peer.address for peer in world[0][0].live] == ["10.0.0.2:4001"]
    assert len(list(store.list("front-ends/"))) == 3
    _beat(world[:2], FORGET // 1000)
    assert len(list(store.list("front-ends/"))) == 2
    _beat(world)
    _beat(world)
    assert len(world[0][0].live) == 2


def test_nobody_calls_itself_after_starting_anew() -> None:
    """What it left before at the same address still counts as alive, for the others and for itself."""
    _, world = _world(2)
    _beat(world)
    (one, _), (other, driver) = world
    anew = FrontEnds(bytes([9]) * 16, other.address)
    driver.run(anew.beat())
    projects = [f"p{number}" for number in range(40)]
    assert {peer.address for peer in anew.live} == {one.address, other.address}
    assert {peer and peer.address for peer in map(anew.preferred, projects)} == {None, one.address}


def test_what_was_left_long_ago_is_not_believed() -> None:
    """After a crash of all, a new one does not wait for the dead."""
    _, world = _world(2)
    _beat(world[:1])
    world[1][1].now += 3_600_000
    _beat(world[1:])
    assert world[1][0].live == ()


def test_who_leaves_is_not_waited_for() -> None:
    store, world = _world(2)
    _beat(world)
    _beat(world)
    world[1][1].run(world[1][0].leave())
    _beat(world[:1])
    assert world[0][0].live == ()
    assert len(list(store.list("front-ends/"))) == 1


def test_a_suspect_is_passed_over_for_two_beats() -> None:
    _, world = _world(2)
    _beat(world)
    _beat(world)
    ends, _ = world[0]
    project = next(name for name in map(str, range(99)) if ends.preferred(name) is not None)
    peer = ends.preferred(project)
    assert peer is not None
    ends.suspect(peer)
    seen = []
    for _ in range(3):
        seen.append(ends.preferred(project))
        _beat(world)
    assert seen == [None, None, peer]


def test_one_lost_answer_makes_no_suspect() -> None:
    """Nor do many, as long as others come between."""
    _, world = _world(2)
    _beat(world)
    _beat(world)
    ends, _ = world[0]
    project = next(name for name in map(str, range(99)) if ends.preferred(name) is not None)
    peer = ends.preferred(project)
    assert peer is not None
    for _ in range(5):
        ends.failed(peer)
        assert ends.preferred(project) == peer
        ends.answered(peer)
    ends.failed(peer)
    ends.failed(peer)
    assert ends.preferred(project) is None


def test_who_wins_is_preferred_until_it_pauses() -> None:
    """Whatever the numbers say; four beats after its last landing they count again."""
    _, world = _world(3)
    _beat(world)
    _beat(world)
    one, two, three = (ends for ends, _ in world)
    project = next(name for name in map(str, range(99)) if one.preferred(name) is None)
    two.follow(project, three.lander, 7)
    two.follow(project, one.lander, 6)  # older news
    assert two.preferred(project) == Peer(three.front_end, three.address)
    three.follow(project, three.lander, 7)
    assert three.preferred(project) is None
    assert two.favourite(project) == Peer(one.front_end, one.address)
    for _ in range(FOLLOWED):
        _beat(world)
        assert two.preferred(project) == Peer(three.front_end, three.address)
    two.suspect(Peer(three.front_end, three.address))
    assert two.preferred(project) == Peer(one.front_end, one.address)
    _beat(world)
    assert three.preferred(project) == Peer(one.front_end, one.address)


def test_who_wins_is_alive_whatever_its_clock_says() -> None:
    """A front end that has just begun believes no beacon of another day; but who has won has won just now."""
    store, world = _world(1)
    away = Beacon(b"y" * 16, world[0][1].now - 86_400_000, "10.0.0.9:1")
    store.put(away.key, encode_beacon(away))
    ends, driver = world[0]
    driver.run(ends.look())
    assert ends.live == ()
    ends.follow("p", away.front_end[:8], 3)
    driver.run(ends.look())
    assert ends.preferred("p") == Peer(away.front_end, away.address)


def test_other_objects_and_damaged_beacons_are_passed_over() -> None:
    store, world = _world(1)
    store.put("front-ends/README", b"x")
    store.put(BEACON._replace(written=world[0][1].now).key, b"damaged")
    other = Beacon(b"x" * 16, world[0][1].now, "10.0.0.9:1")
    store.put(Beacon(b"y" * 16, world[0][1].now, "10.0.0.9:1").key, encode_beacon(other))
    _beat(world)
    assert world[0][0].live == ()


# ---------------------------------------------------------------- forwarding


class Pair:
    """Two front ends, of which `other` is preferred for `project`; `said` is what it was asked."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        ledgers = [Ledger(self.store), Ledger(self.store)]
        for number, ledger in enumerate(ledgers, 1):
            ledger.driver = Traced(self.store)
            ledger.driver.front_ends = FrontEnds(bytes([number]) * 16, f"10.0.0.{number}:4001")
        for _ in range(2):
            for ledger in ledgers:
                assert ledger.driver.front_ends is not None
                ledger.driver.run(ledger.driver.front_ends.beat())
        ends = ledgers[0].driver.front_ends
        assert ends is not None
        self.name = next(name for name in map(str, range(99)) if ends.preferred(name) is not None)
        self.here, self.other = (ledger.open(self.name) for ledger in ledgers)
        self.here.create()
        self.said: list[Forward] = []
        self.fail: MicError | None = None
        self.after: MicError | None = None
        self.answer: Any = None
        ledgers[0].driver.call = self._call
        ledgers[1].driver.call = self._back

    def _call(self, wanted: Forward) -> Any:
        self.said.append(wanted)
        if self.fail is not None:
            raise self.fail
        came = decode_landings(encode_landings(wanted.project, wanted.address, wanted.requests))
        outcomes = self.other.land_forwarded(came.requests)
        if self.after is not None:
            raise self.after
        return decode_outcomes(encode_outcomes(outcomes)) if self.answer is None else self.answer

    def _back(self, wanted: Forward) -> Any:
        came = {wish.session.id for call in self.said for wish in call.requests}
        assert not came & {wish.session.id for wish in wanted.requests}, "a forwarded landing is never forwarded"
        return decode_outcomes(encode_outcomes(self.here.land_forwarded(wanted.requests)))


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_the_preferred_one_lands(pair: Pair) -> None:
    landed = land(pair.here, 1, 0, {b"a": b"one"})
    assert landed.position == 1
    assert landed.session is not None
    assert landed.session.id == session_id(1)
    assert [(wanted.address, wanted.project) for wanted in pair.said] == [("10.0.0.2:4001", pair.name)]
    assert not [write for write in _writes(pair.here) if pair.name in write and "head" in write and "PutIf" in write]
    check_history(pair.here)


def _writes(project: Project) -> list[str]:
    assert isinstance(project.driver, Traced)
    return project.driver.writes


def test_clashes_come_back_whole(pair: Pair) -> None:
    land(pair.here, 1, 0, {b"a": b"one"})
    with pytest.raises(Conflicted) as caught:
        land(pair.here, 2, 0, {b"a": b"two"})
    (clash,) = caught.value.details["clashes"]
    assert (clash.path, clash.reason, clash.base, clash.ours.size, clash.theirs.size, clash.theirs_position) == (
        b"a", "changed", None, 3, 3, 1,
    )  # fmt: skip
    with pytest.raises(NothingToLand):
        pair.here.land(LandRequest(request(pair.here, 3, 0, {}).session, {}))
    assert len(pair.said) == 3


@pytest.mark.parametrize("error", [Unavailable("no answer")])
def test_no_answer_means_landing_here(pair: Pair, error: MicError) -> None:
    """It is asked once more, and after that passed over until the beat after next."""
    pair.fail = error
    assert land(pair.here, 1, 0, {b"a": b"one"}).position == 1
    assert land(pair.here, 2, 0, {b"b": b"two"}).position == 2
    assert len(pair.said) == 2


def test_an_answer_that_is_lost_does_not_land_twice(pair: Pair) -> None:
    pair.after = Unavailable("no answer")
    landed = land(pair.here, 1, 0, {b"a": b"one"})
    assert (landed.position, landed.already) == (1, True)
    check_history(pair.here)


@pytest.mark.parametrize("answer", [[Unavailable("x")], [Corrupt("x")], [Busy("x")], [MicError("x")], []])
def test_what_is_no_judgement_means_landing_here(pair: Pair, answer: Any) -> None:
    pair.answer = answer
    landed = land(pair.here, 1, 0, {b"a": b"one"})
    assert (landed.position, landed.already) == (1, True)


def test_who_keeps_losing_lets_the_preferred_one_land(pair: Pair) -> None:
    """It did not know of the other; after a swap lost to it it looks, and asks."""
    ends = pair.here.driver.front_ends
    assert ends is not None
    ends._live = ()
    count = [10]
    driver = pair.here.driver
    assert isinstance(driver, Traced)

    def overtake(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            count[0] += 1
            pair.other.land_forwarded([request(pair.other, count[0], 0, {b"n%d" % count[0]: b"x"})])

    wish = request(pair.here, 2, 0, {b"b": b"two"})
    driver.before = overtake
    assert pair.here.land(wish).position == 2
    assert len(pair.said) == 1
    check_history(pair.here)


def test_what_waits_goes_together() -> None:
    """The first goes alone at once; those that come meanwhile are one call."""
    entered, go_on = threading.Event(), threading.Event()
    groups: list[int] = []

    def forward(requests: Sequence[LandRequest]) -> list[Landed]:
        groups.append(len(requests))
        if len(groups) == 1:
            entered.set()
            assert go_on.wait(10)
        return [Landed(int.from_bytes(wish.session.id, "big"), b"", None) for wish in requests]

    outbound = Outbound(forward, calls=1)
    project, _ = traced(MemoryStore())
    project.create()
    told: dict[int, object] = {}

    def caller(number: int) -> None:
        told[number] = outbound.land(request(project, number, 0, {b"a": b"x"}))

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(1, 7)]
    threads[0].start()
    assert entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(outbound._queue) < 5:
        threads[0].join(0.001)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert {number: outcome.position for number, outcome in told.items() if isinstance(outcome, Landed)} == {
        number: number for number in range(1, 7)
    }
    assert groups == [1, 5]


def test_many_threads_through_two_front_ends(pair: Pair) -> None:
    told: dict[int, int] = {}

    def caller(number: int) -> None:
        if number % 5 == 0:
            pair.fail = Unavailable("now and then") if number % 10 else None
        told[number] = land((pair.here, pair.other)[number % 2], number, 0, {b"n%d" % number: b"x"}).position

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(1, 33)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told.values()) == list(range(1, 33))
    check_history(Ledger(pair.store).open(pair.name))
    assert len(contents(pair.here)) == 32


# ---------------------------------------------------------------- on the way


def _landings() -> bytes:
    project, _ = traced(MemoryStore())
    project.create()
    wish = request(project, 1, 0, {b"a": b"one"})._replace(packs=[PackRef(b"p" * 32, 5000)])
    return encode_landings("p", "10.0.0.1:1", [wish])


def test_landings_arrive_as_they_were_sent() -> None:
    came = decode_landings(_landings())
    assert (came.project, came.receiver, came.requests[0].packs) == ("p", "10.0.0.1:1", [PackRef(b"p" * 32, 5000)])
    assert came.requests[0].session.id == session_id(1)
    assert encode_landings(came.project, came.receiver, came.requests) == _landings()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_landings_and_outcomes_are_refused(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([_landings(), encode_outcomes([Landed(1, b"t" * 32, None), Conflicted("x")])]))
    kind = data.draw(st.sampled_from(["cut", "flip", "any"]))
    raw = bytearray(good)
    if kind == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    elif kind == "flip":
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[bit >> 3] ^= 1 << (bit & 7)
    else:
        raw = bytearray(data.draw(st.binary(max_size=200)))
    for decode, expected in ((decode_landings, InvalidInput), (decode_outcomes, Corrupt)):
        with contextlib.suppress(expected):
            decode(bytes(raw))


def test_who_was_faster_arrives() -> None:
    (told,) = decode_outcomes(encode_outcomes([Overtaken(b"12345678", 9)]))
    assert isinstance(told, Overtaken)
    assert (told.winner, told.position) == (b"12345678", 9)


@pytest.mark.parametrize("raw", [
    b"\x94\x03\xa1p\xa1r\x90", b"\x94\x02\xa3../\xa1r\x90", b"\x94\x02\xa1p\xa1r\x90",
])  # fmt: skip
def test_another_version_a_bad_name_or_no_landing(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_landings(raw)


def test_a_content_that_is_another_is_refused() -> None:
    came = decode_landings(_landings())
    (wish,) = came.requests
    (content,) = wish.contents.values()
    with pytest.raises(InvalidInput):
        decode_landings(encode_landings("p", "r", [wish._replace(contents={b"x" * 32: content})]))
